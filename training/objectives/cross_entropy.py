"""Cross-entropy over a large vocabulary without ever holding all logits.

Shape legend: N predicted positions, C positions of one chunk, V vocabulary, D model width.

At 49,280 tokens the logits of 64 rows of 1,024 positions take 12 GiB in float32, more than all else together. They are
computed a chunk at a time, and their gradient is formed in the same visit: nothing of size [N, V] outlives a chunk, and
unlike gradient checkpointing the head is not computed twice.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from codet5p.model.transformer import CodeT5pModel

__all__ = ["CHUNK_POSITIONS", "IGNORED_LABEL", "linear_cross_entropy", "output_projection", "summed_cross_entropy"]

IGNORED_LABEL = -100
CHUNK_POSITIONS = 4096  # whose 49,280 float32 logits are 0.8 GB, enough rows to keep a large GPU busy


class _LinearCrossEntropy(torch.autograd.Function):
    """Sum of -log softmax(hidden @ weight.T)[label]; both gradients are formed during the forward pass."""

    @staticmethod
    def forward(ctx: Any, hidden_ND: Tensor, weight_VD: Tensor, labels_N: Tensor, chunk: int) -> Tensor:
        total = torch.zeros((), dtype=torch.float32, device=hidden_ND.device)
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        grad_hidden_ND = torch.empty_like(hidden_ND) if wants_hidden else None
        grad_weight_VD = torch.zeros_like(weight_VD, dtype=torch.float32) if wants_weight else None
        loss_and_gradient = _for_device(hidden_ND.device.type)
        for start in range(0, len(hidden_ND), chunk):
            hidden_CD, labels_C = hidden_ND[start : start + chunk], labels_N[start : start + chunk]
            loss, grad_CV = loss_and_gradient(hidden_CD @ weight_VD.T, labels_C)
            total += loss
            if grad_hidden_ND is not None:
                grad_hidden_ND[start : start + chunk] = grad_CV @ weight_VD
            if grad_weight_VD is not None:
                grad_weight_VD += grad_CV.T @ hidden_CD
        ctx.save_for_backward(grad_hidden_ND, grad_weight_VD)
        ctx.weight_dtype = weight_VD.dtype
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        grad_hidden_ND, grad_weight_VD = ctx.saved_tensors
        scale = grad_outputs[0]
        hidden = None if grad_hidden_ND is None else grad_hidden_ND * scale.to(grad_hidden_ND.dtype)
        weight = None if grad_weight_VD is None else (grad_weight_VD * scale).to(ctx.weight_dtype)
        return hidden, weight, None, None


def _loss_and_gradient(logits_CV: Tensor, labels_C: Tensor) -> tuple[Tensor, Tensor]:
    """Return the summed loss, float32, and its gradient in the logits' dtype: softmax minus one-hot, else 0."""
    valid_C = labels_C != IGNORED_LABEL
    label_C1 = labels_C.clamp(min=0).unsqueeze(1)
    log_probabilities_CV = logits_CV.float().log_softmax(-1)
    loss = -(log_probabilities_CV.gather(1, label_C1).squeeze(1) * valid_C).sum()
    is_label_CV = torch.arange(logits_CV.size(1), device=logits_CV.device) == label_C1
    grad_CV = (log_probabilities_CV.exp() - is_label_CV.float()) * valid_C.unsqueeze(1)
    return loss, grad_CV.to(logits_CV.dtype)


@cache
def _for_device(device_type: str) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return `_loss_and_gradient`, fused by the compiler on a GPU.

    Step by step it would read and write the float32 logits of a chunk eight times, which takes longer there than the
    matrix products around it. TORCH_COMPILE_DISABLE=1 turns the compiler off, as everywhere in torch.
    """
    return torch.compile(_loss_and_gradient) if device_type == "cuda" else _loss_and_gradient


def linear_cross_entropy(
    hidden_ND: Tensor, weight_VD: Tensor, labels_N: Tensor, *, chunk_positions: int = CHUNK_POSITIONS
) -> Tensor:
    """Return the cross-entropy of `hidden_ND @ weight_VD.T`, summed over the labels, in nats.

    Args:
        hidden_ND: Decoder output, any float dtype; the matrix products run in it.
        weight_VD: Output projection, the same dtype.
        labels_N: int64 token ids, `IGNORED_LABEL` where nothing is predicted.
        chunk_positions: Positions whose logits exist at the same time.

    Returns:
        A scalar, float32. Differentiable once.

    Raises:
        ValueError: If hidden states and labels differ in number.

    Source: the idea of Liger Kernel's fused linear cross-entropy (arXiv 2410.10989), in plain torch.
    """
    if hidden_ND.shape[:1] != labels_N.shape:
        raise ValueError(f"{tuple(hidden_ND.shape)} hidden states need as many labels, got {tuple(labels_N.shape)}")
    total: Tensor = _LinearCrossEntropy.apply(hidden_ND, weight_VD, labels_N, chunk_positions)  # type: ignore[no-untyped-call]
    return total


def summed_cross_entropy(model: CodeT5pModel, hidden_BTD: Tensor, labels_BT: Tensor) -> Tensor:
    """Return the cross-entropy of the model's head over `labels_BT`, summed, in nats.

    Args:
        model: Owner of the head and of its scale.
        hidden_BTD: Decoder output after the final norm.
        labels_BT: int64 token ids, `IGNORED_LABEL` where nothing is predicted.

    Returns:
        A scalar, float32.
    """
    hidden_ND, weight_VD = output_projection(model, hidden_BTD)
    with torch.autocast(hidden_BTD.device.type, enabled=False):
        return linear_cross_entropy(hidden_ND, weight_VD, labels_BT.flatten())


def output_projection(model: CodeT5pModel, hidden_BTD: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two factors of the logits: hidden states [N, D], scaled as the model scales them, and weights [V, D].

    Args:
        model: Owner of the head and of its scale.
        hidden_BTD: Decoder output after the final norm.

    Returns:
        Both in the dtype of autocast, or of the weights without it.
    """
    weight_VD = (model.lm_head or model.token_embedding).weight
    device_type = hidden_BTD.device.type
    dtype = torch.get_autocast_dtype(device_type) if torch.is_autocast_enabled(device_type) else weight_VD.dtype
    hidden_ND = hidden_BTD.flatten(0, 1).to(dtype)
    if model.config.scale_head:
        hidden_ND = hidden_ND * model.config.width**-0.5
    return hidden_ND, weight_VD.to(dtype)
