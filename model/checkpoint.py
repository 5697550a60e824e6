"""Checkpoints: one folder that is either complete or not there, and loading that accepts no difference.

model.safetensors   the weights under the model's own names; a tied head is stored once
config.json         {"format", "revision", "model": the fields of CodeT5pConfig, "extra": the caller's}
tokenizer.json      where the caller gave one
"""

import json
import os
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from codet5p.core.config import from_mapping
from codet5p.core.errors import CheckpointError, ConfigError
from codet5p.model.config import CodeT5pConfig
from codet5p.model.initialisation import initialise_weights
from codet5p.model.transformer import CodeT5pModel

__all__ = ["assign_weights", "load_checkpoint", "model_from_weights", "save_checkpoint", "weight_names"]

_FORMAT = "codet5p checkpoint"
_REVISION = 1
_WEIGHTS_FILE = "model.safetensors"
_CONFIG_FILE = "config.json"
_TOKENIZER_FILE = "tokenizer.json"


def save_checkpoint(folder: Path, model: CodeT5pModel, *, tokenizer_json: str | None, extra: Mapping[str, Any]) -> None:
    """Write `model` to `folder` so that a crash at any moment leaves no half-written checkpoint under that name.

    Everything is written to a hidden folder beside it, forced to disk and then renamed. A checkpoint that is already
    there moves into the hidden folder for the rename and is deleted after it.

    Args:
        folder: Where the checkpoint is to be; its parents are made.
        model: Saved in the dtype it has.
        tokenizer_json: Contents of the tokenizer's file, or None for none.
        extra: Whatever else belongs to the checkpoint, such as the recipe and the step; JSON values.

    Raises:
        CheckpointError: If the disk refuses.
    """
    config = {"format": _FORMAT, "revision": _REVISION, "model": asdict(model.config), "extra": dict(extra)}
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as staging:
            complete = Path(staging, "new")
            complete.mkdir()
            save_file(weights, complete / _WEIGHTS_FILE, metadata={"format": "pt"})
            (complete / _CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
            if tokenizer_json is not None:
                (complete / _TOKENIZER_FILE).write_text(tokenizer_json, "utf-8")
            _force_to_disk(complete)
            _rename(complete, folder, aside=Path(staging, "old"))
            _force_entry_to_disk(folder.parent)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot write the checkpoint {folder}: {error}; free space or choose another") from None


def _rename(complete: Path, folder: Path, *, aside: Path) -> None:
    """Give `complete` the name `folder`, after moving what has that name to `aside`; if that fails, it moves back."""
    is_replacement = folder.exists()
    if is_replacement:
        folder.rename(aside)
    try:
        complete.rename(folder)
    except OSError:
        if is_replacement:
            aside.rename(folder)
        raise


def _force_to_disk(path: Path) -> None:
    """Wait until the files of a folder, and then the folder itself, are on disk."""
    if path.is_dir():
        for member in path.iterdir():
            _force_to_disk(member)
    _force_entry_to_disk(path)


def _force_entry_to_disk(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder, and its file system journals renames by itself
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_checkpoint(folder: Path) -> tuple[CodeT5pModel, dict[str, Any]]:
    """Return the model stored in `folder`, in evaluation mode and in its stored dtype, and the caller's extra values.

    Args:
        folder: Written by `save_checkpoint`.

    Returns:
        The model on the CPU, and `extra` as it was saved.

    Raises:
        CheckpointError: If the folder is missing, damaged or of another format, or a weight is missing, unknown or of
            another shape than the configuration says.
    """
    description = _read_description(folder / _CONFIG_FILE)
    try:
        config = from_mapping(description["model"], CodeT5pConfig)
        weights = load_file(folder / _WEIGHTS_FILE)
    except ConfigError as error:
        raise CheckpointError(f"{folder / _CONFIG_FILE}: {error}; save the checkpoint again") from None
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot read {folder / _WEIGHTS_FILE}: {error}; copy the checkpoint again") from None
    try:
        model = model_from_weights(config, weights)
    except CheckpointError as error:
        raise CheckpointError(f"{folder / _WEIGHTS_FILE}: {error}") from None
    return model.eval(), description["extra"]


def _read_description(path: Path) -> dict[str, Any]:
    try:
        description = json.loads(path.read_text("utf-8"))
    except OSError:
        raise CheckpointError(f"{path.parent} is not a checkpoint: it has no readable {path.name}") from None
    except ValueError as error:
        raise CheckpointError(f"{path} is not JSON: {error}; copy the checkpoint again") from None
    if not isinstance(description, dict) or description.get("format") != _FORMAT:
        raise CheckpointError(f"{path} does not describe a {_FORMAT}")
    if description.get("revision") != _REVISION:
        raise CheckpointError(
            f"{path} is of revision {description.get('revision')}, this codet5p reads {_REVISION}; "
            "use the codet5p that wrote it"
        )
    if not all(isinstance(description.get(key), dict) for key in ("model", "extra")):
        raise CheckpointError(f"{path} lacks the table model or extra; copy the checkpoint again")
    return description


def model_from_weights(
    config: CodeT5pConfig,
    weights: Mapping[str, Tensor],
    *,
    fresh: Collection[str] = (),
    generator: torch.Generator | None = None,
) -> CodeT5pModel:
    """Return the model of `config` made of `weights`, in training mode.

    Args:
        config: The model's shape.
        weights: By the model's own names; used as they are, with their dtype, and not copied.
        fresh: Names that may be absent from `weights` and are drawn then, in float32.
        generator: For the drawn weights; torch's global random state where None.

    Returns:
        The model, on the CPU.

    Raises:
        CheckpointError: If `weights` do not fit.
    """
    with torch.device("meta"):  # no memory and no random numbers for weights that are about to be replaced
        model = CodeT5pModel(config)
    assign_weights(model, weights, fresh=fresh)
    drawn = {name: torch.empty(weight.shape) for name, weight in model.named_parameters() if weight.is_meta}
    model.load_state_dict(drawn, strict=False, assign=True)
    initialise_weights(model, generator, only=drawn)
    return model


def weight_names(config: CodeT5pConfig) -> list[str]:
    """Return the names of all weights of the model of `config`."""
    with torch.device("meta"):
        return list(CodeT5pModel(config).state_dict())


def assign_weights(model: nn.Module, weights: Mapping[str, Tensor], *, fresh: Collection[str] = ()) -> None:
    """Make `weights` the weights of `model`, accepting no difference in names or shapes.

    Args:
        model: May be on the meta device. Takes the tensors as they are, with their dtype, and does not copy them.
        weights: By the model's own names.
        fresh: Names that may be absent from `weights`; the model keeps its own values for them.

    Raises:
        CheckpointError: Naming the first weights that are missing, unknown or misshapen, and how many there are.
    """
    expected = model.state_dict()
    missing = [name for name in expected if name not in weights and name not in fresh]
    unknown = [name for name in weights if name not in expected]
    misshapen = [
        f"{name} is {list(tensor.shape)} and not {list(expected[name].shape)}"
        for name, tensor in weights.items()
        if name in expected and tensor.shape != expected[name].shape
    ]
    faults = (("missing", missing), ("unknown", unknown), ("of another shape", misshapen))
    if found := [_describe(kind, names) for kind, names in faults if names]:
        raise CheckpointError(f"the weights do not fit the model: {'; '.join(found)}; check that both are of one model")
    model.load_state_dict(weights, strict=False, assign=True)


def _describe(kind: str, names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{len(names)} {kind} ({shown}{', ...' if len(names) > 3 else ''})"
