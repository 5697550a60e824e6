"""Where and how a run computes: devices and processes through Accelerate, compilation, precision."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, DistributedType
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from codet5p.core.errors import ConfigError
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.config import PAIR_OBJECTIVES, RunRecipe, StageRecipe

__all__ = [
    "attention_kernels",
    "check_support",
    "is_sharded",
    "make_accelerator",
    "set_compiled",
    "store_residual_in_bfloat16",
]

_RECOMPILATIONS = 64  # objectives times widths; beyond torch's own limit it would silently run uncompiled


def make_accelerator(recipe: RunRecipe) -> Accelerator:
    """Return the accelerator of this process: alone, or one of those that `accelerate launch` started.

    Args:
        recipe: Precision and threads.

    Returns:
        The accelerator; matrix products in float32 may use tensor cores on a GPU.
    """
    torch.set_float32_matmul_precision("high")
    if recipe.cpu_threads:
        torch.set_num_threads(recipe.cpu_threads)
    return Accelerator(
        mixed_precision="bf16" if recipe.precision == "bfloat16" else "no",
        kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True, broadcast_buffers=False)],
    )


@contextmanager
def attention_kernels(kind: Literal["fused", "plain"]) -> Iterator[None]:
    """Choose how attention is computed in this context.

    Args:
        kind: `fused` leaves the choice to torch; `plain` multiplies matrices, in the dtype they have.

    Yields:
        Nothing.
    """
    if kind == "fused":
        yield
        return
    was_allowed = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()  # type: ignore[no-untyped-call]
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)  # on a CPU too, whatever its name says
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(was_allowed)


def is_sharded(accelerator: Accelerator) -> bool:
    """Return whether weights or optimizer state are split over processes (FSDP, DeepSpeed)."""
    return accelerator.distributed_type in (DistributedType.FSDP, DistributedType.DEEPSPEED)


def check_support(accelerator: Accelerator, stage: StageRecipe) -> None:
    """Raise if the stage asks for what split weights cannot give.

    Args:
        accelerator: How the run computes.
        stage: What it computes.

    Raises:
        ConfigError: For Muon, an average or contrastive learning with split weights.
    """
    if not is_sharded(accelerator):
        return
    kind = accelerator.distributed_type.value
    if stage.optimizer.kind == "muon":
        raise ConfigError(f"stage {stage.name}: Muon needs whole matrices, {kind} splits them; use adamw or DDP")
    if stage.ema_decay:
        raise ConfigError(
            f"stage {stage.name}: ema_decay needs whole weights, {kind} splits them; set it to 0 or use DDP"
        )
    if stage.uses(PAIR_OBJECTIVES[:2]):
        raise ConfigError(f"stage {stage.name}: contrastive and matching need DDP: the momentum encoder is not split")


def set_compiled(model: CodeT5pModel, *, is_compiled: bool) -> None:
    """Compile every encoder and decoder layer in place, or undo that.

    Layers of one kind share their compiled code, so this takes seconds where compiling the whole stack takes minutes;
    what lies between layers is next to nothing. Every shape is compiled apart: code for shapes of any size is slower,
    and making it takes longer than a short leg lasts.

    Args:
        model: On its device.
        is_compiled: False where batches come in many shapes.
    """
    torch._dynamo.config.recompile_limit = _RECOMPILATIONS  # noqa: SLF001 - has no public name
    for side in (model.encoder, model.decoder):
        for layer in side.layers if side is not None else ():
            if is_compiled:
                layer.compile(dynamic=False)
            else:
                layer._compiled_call_impl = None  # noqa: SLF001 - torch has no public way back


def store_residual_in_bfloat16(model: CodeT5pModel) -> None:
    """Make embeddings leave their table in bfloat16, and with them the whole residual stream.

    Autocast leaves embeddings in float32, and sums with them stay so: twice the memory traffic between the matrix
    products, which at a width of 576 take hardly longer than that traffic.

    Args:
        model: Trained under autocast.
    """

    def as_bfloat16(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        return output.bfloat16() if torch.is_autocast_enabled(output.device.type) else output

    model.token_embedding.register_forward_hook(as_bfloat16)
    # Norm weights stay in float32. Outside compiled layers torch then does without its fused norm, and says so.
    warnings.filterwarnings("ignore", message="Mismatch dtype between input and weight")
