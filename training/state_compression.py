"""Optimizer state in 8 bits, for checkpoints that travel as files.

First moments are quantised linearly in blocks. Second moments are positive and span many orders of magnitude, and a
value rounded to zero would make a step explode, so they are quantised in their logarithm.
"""

from typing import Any

import torch
from torch import Tensor

__all__ = ["compress_state", "expand_state"]

_BLOCK = 256
_SMALLEST = 4096  # tensors below this many values stay as they are
_TINY = 1e-38


def compress_state(value: Any, name: str = "") -> Any:
    """Return optimizer state with its large float tensors in 8 bits.

    Args:
        value: Nested dictionaries, lists and tensors.
        name: Key under which the value stands; `exp_avg_sq` is quantised in its logarithm.

    Returns:
        The same nesting; a compressed tensor is a dictionary with the key `int8`.
    """
    if isinstance(value, dict):
        return {key: compress_state(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [compress_state(item, name) for item in value]
    if isinstance(value, Tensor) and value.is_floating_point() and value.numel() >= _SMALLEST:
        return _compress_logarithm(value) if name == "exp_avg_sq" else _compress_linear(value)
    return value


def expand_state(value: Any) -> Any:
    """Return what `compress_state` was given, up to rounding."""
    if isinstance(value, dict) and "int8" in value:
        return _expand(value)
    if isinstance(value, dict):
        return {key: expand_state(item) for key, item in value.items()}
    if isinstance(value, list):
        return [expand_state(item) for item in value]
    return value


def _blocks(value: Tensor) -> Tensor:
    flat = value.detach().float().flatten()
    return torch.nn.functional.pad(flat, (0, -flat.numel() % _BLOCK)).view(-1, _BLOCK)


def _compress_linear(value: Tensor) -> dict[str, Any]:
    blocks = _blocks(value)
    scale = blocks.abs().amax(dim=1, keepdim=True) / 127
    codes = (blocks / scale.clamp(min=_TINY)).round().to(torch.int8)
    return {"int8": codes, "scale": scale, "low": None, "shape": list(value.shape)}


def _compress_logarithm(value: Tensor) -> dict[str, Any]:
    blocks = _blocks(value).clamp(min=_TINY).log2()
    low, high = blocks.aminmax(dim=1, keepdim=True)
    scale = (high - low) / 255
    codes = ((blocks - low) / scale.clamp(min=_TINY)).round() - 128
    return {"int8": codes.to(torch.int8), "scale": scale, "low": low, "shape": list(value.shape)}


def _expand(packed: dict[str, Any]) -> Tensor:
    codes, shape = packed["int8"].float(), packed["shape"]
    if packed["low"] is None:
        blocks = codes * packed["scale"]
    else:
        blocks = ((codes + 128) * packed["scale"] + packed["low"]).exp2()
        blocks = torch.where(blocks <= 2 * _TINY, 0.0, blocks)
    value: Tensor = blocks.flatten()[: torch.Size(shape).numel()].view(shape)
    return value
