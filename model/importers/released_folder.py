"""Reading a model folder as Hugging Face lays it out, and putting its tensors under our names."""

import json
import pickle
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from codet5p.core.errors import CheckpointError

__all__ = ["read_released_config", "read_released_tensors", "under_our_names"]

# In order of preference; an index lists the files a large model is cut into.
_WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def read_released_config(folder: Path) -> dict[str, Any]:
    """Return the contents of `config.json`.

    Args:
        folder: The downloaded model.

    Returns:
        The configuration as released.

    Raises:
        CheckpointError: If there is none, or it is no JSON object.
    """
    config = _read_json(folder / "config.json")
    if not isinstance(config, dict):
        raise CheckpointError(f"{folder / 'config.json'} is not a JSON object; download the model again")
    return config


def read_released_tensors(folder: Path) -> dict[str, Tensor]:
    """Return all tensors of a model under their released names, in float32.

    Args:
        folder: Holds `model.safetensors` or `pytorch_model.bin`, in one piece or several.

    Returns:
        The tensors, on the CPU.

    Raises:
        CheckpointError: If there are no weights, or they cannot be read.
    """
    for name in _WEIGHT_FILES:
        if (folder / name).exists():
            break
    else:
        raise CheckpointError(f"{folder} holds no weights; it should contain {_WEIGHT_FILES[0]} or {_WEIGHT_FILES[2]}")
    pieces = [name]
    if name.endswith(".index.json"):
        pieces = sorted(set(_read_json(folder / name)["weight_map"].values()))
    tensors: dict[str, Tensor] = {}
    for piece in pieces:
        tensors |= _read_piece(folder / piece)
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


def under_our_names(
    our_names: Iterable[str], table: Mapping[str, str], released: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the released tensors under our names.

    Args:
        our_names: Names that our model has.
        table: Our name to the released one, with `{i}` for the number of a layer on both sides.
        released: All tensors of the release, without those that are left out on purpose.

    Returns:
        A tensor for each name that the table has and the release holds; which names may be absent is decided where
        the tensors are assigned.

    Raises:
        CheckpointError: If a released tensor is left over.
    """
    sources: dict[str, str] = {}
    for name in our_names:
        layer = re.search(r"(?<=\.)\d+(?=\.)", name)
        pattern = name if layer is None else f"{name[: layer.start()]}{{i}}{name[layer.end() :]}"
        if pattern in table:
            sources[name] = table[pattern].format(i="" if layer is None else layer.group())
    if left_over := sorted(set(released) - set(sources.values())):
        shown = ", ".join(left_over[:3])
        raise CheckpointError(f"{len(left_over)} released weights have no place in the model ({shown})")
    return {name: released[source] for name, source in sources.items() if source in released}


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError:
        raise CheckpointError(f"cannot read {path}; give the folder of a downloaded model") from None
    except ValueError as error:
        raise CheckpointError(f"{path} is not JSON: {error}; download the model again") from None


def _read_piece(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        cause = str(error).partition("\n")[0]
        raise CheckpointError(f"cannot read {path}: {cause}; download the model again") from None
    if not isinstance(tensors, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise CheckpointError(
            f"cannot read {path}: it holds something else than named tensors; download the model again"
        )
    return tensors
