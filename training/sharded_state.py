"""Weights and optimizer state as a whole, wherever they are: on one process, copied to all, or split over them.

Every process calls these functions together; with split weights the first process gets the whole on its CPU.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.optim import Optimizer

__all__ = ["load_whole_optimizer_state", "whole_optimizer_state", "whole_weights"]

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def whole_weights(module: nn.Module) -> dict[str, Tensor]:
    """Return all weights of `module` by name; empty on all processes but the first if they are split."""
    named = get_model_state_dict(module, options=_WHOLE)
    return {name: tensor for name, tensor in named.items() if isinstance(tensor, Tensor)}


def whole_optimizer_state(module: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """Return the state of `optimizer` with weights called by name; empty likewise.

    Args:
        module: What it optimises.
        optimizer: Over weights of `module`.

    Returns:
        Its state, whole, on the CPU.
    """
    return dict(get_optimizer_state_dict(module, optimizer, options=_WHOLE))


def load_whole_optimizer_state(module: nn.Module, optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Give `optimizer` the state that `whole_optimizer_state` returned; each process keeps its part.

    Args:
        module: What it optimises.
        optimizer: Over weights of `module`.
        state: The whole state, on every process.
    """
    set_optimizer_state_dict(module, optimizer, dict(state), options=StateDictOptions(full_state_dict=True))
