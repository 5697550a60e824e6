"""AdamW with decay on matrices only, and Muon for the matrices of the layers.

Shape legend: K matrices of one shape, I rows, J columns.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from codet5p.training.config import OptimizerRecipe

__all__ = ["Muon", "build_optimizers", "orthogonalise"]

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def build_optimizers(module: nn.Module, config: OptimizerRecipe) -> list[Optimizer]:
    """Return the optimizers of the weights that are trained, each group with its peak rate under `peak`.

    Args:
        module: Its parameters that require gradients are optimised.
        config: Kind and rates.

    Returns:
        AdamW, and Muon in front of it where asked for.

    Source: CodeT5+ (AdamW, decay 0.1); Muon for hidden matrices only, as its author advises (Jordan et al. 2024).
    """
    trained = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
    matrices = [parameter for name, parameter in trained if parameter.dim() == 2 and not _is_table(name)]
    others = [parameter for name, parameter in trained if parameter.dim() != 2 or _is_table(name)]
    decayed = {"params": matrices, "weight_decay": config.weight_decay}
    groups = [{"params": others, "weight_decay": 0.0}]
    optimizers: list[Optimizer] = []
    if config.kind == "muon" and matrices:
        optimizers.append(Muon([decayed], lr=config.muon_learning_rate, momentum=config.muon_momentum))
    elif matrices:
        groups.insert(0, decayed)
    groups = [group for group in groups if group["params"]]
    if groups:
        optimizers.append(
            AdamW(
                groups,
                lr=config.peak_learning_rate,
                betas=(config.beta1, config.beta2),
                eps=config.epsilon,
                fused=trained[0][1].is_cuda,
            )
        )
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def _is_table(name: str) -> bool:
    """Return whether a matrix is looked up, or read out over the vocabulary or classes, and not a layer's."""
    return any(part in name for part in ("token_embedding", "lm_head", "relative_bias", "matching_head", "classifier"))


class Muon(Optimizer):
    """Momentum whose direction is made orthogonal before it is applied; all matrices of one shape at once.

    torch's own Muon steps matrix by matrix, which on a GPU costs more launches than arithmetic at our widths.

    Source: Muon (Jordan et al. 2024); the rate is scaled by sqrt(max(1, rows / columns)) as in the reference.
    """

    def __init__(self, params: Iterable[Any], *, lr: float, momentum: float = 0.95, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        for group in self.param_groups:
            if any(parameter.dim() != 2 for parameter in group["params"]):
                raise ValueError("Muon steps matrices only; give other weights to AdamW")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Apply one update.

        Args:
            closure: Recomputes the loss, as for any optimizer.

        Returns:
            The closure's loss.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameters in self._by_shape(group["params"]):
                self._step_together(parameters, group)
        return loss

    @staticmethod
    def _by_shape(parameters: Iterable[Tensor]) -> Iterable[list[Tensor]]:
        grouped: defaultdict[tuple[int, ...], list[Tensor]] = defaultdict(list)
        for parameter in parameters:
            if parameter.grad is not None:
                grouped[tuple(parameter.shape)].append(parameter)
        return grouped.values()

    def _step_together(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        for parameter in parameters:
            if "momentum_buffer" not in self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        buffers = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
        nesterov_KIJ = torch.stack(torch._foreach_lerp(gradients, buffers, group["momentum"]))  # noqa: SLF001
        rows, columns = parameters[0].shape
        rate = group["lr"] * max(1.0, rows / columns) ** 0.5
        for parameter, update in zip(parameters, orthogonalise(nesterov_KIJ), strict=True):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(update.to(parameter.dtype), alpha=-rate)


def orthogonalise(matrices_KIJ: Tensor, steps: int = 5) -> Tensor:
    """Return matrices with the same singular vectors and singular values near 1.

    Args:
        matrices_KIJ: Any scale.
        steps: Newton-Schulz iterations.

    Returns:
        bfloat16 [K, I, J]; singular values between about 0.7 and 1.2.

    Source: Muon (Jordan et al. 2024), quintic Newton-Schulz iteration.
    """
    a, b, c = _NEWTON_SCHULZ
    x = matrices_KIJ.bfloat16()
    is_tall = x.size(-2) > x.size(-1)
    if is_tall:
        x = x.mT
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    orthogonal_KIJ: Tensor = x.mT if is_tall else x
    return orthogonal_KIJ
