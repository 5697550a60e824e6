"""Checkpoints of a run: the model, and everything else that the next step depends on.

    checkpoints/step-00000120/
        model/               a checkpoint of `codet5p.model`, with the tokenizer
        training_state.pt    optimizers, random state, momentum encoder, key queue, average, position in the data

A folder appears under its name only when it is complete.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from codet5p.core.errors import CheckpointError
from codet5p.model.checkpoint import load_checkpoint, save_checkpoint
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.state_compression import compress_state, expand_state

__all__ = ["latest_checkpoint", "load_run", "prune_checkpoints", "save_run"]

_FORMAT = {"format": "codet5p run", "revision": 1}
_STATE_FILE = "training_state.pt"
_NAME = re.compile(r"step-(\d{8})")


def save_run(  # noqa: PLR0913 - the parts of a checkpoint
    folder: Path,
    step: int,
    model: CodeT5pModel,
    state: Mapping[str, Any],
    *,
    tokenizer_json: str,
    extra: Mapping[str, Any],
    compress_optimizer: bool,
) -> Path:
    """Write a checkpoint of the run and return its folder.

    Args:
        folder: The run's folder of checkpoints.
        step: Steps done, over all stages.
        model: On the CPU or a GPU, in the dtype in which it is to be stored.
        state: Everything else; `optimizers` may be compressed.
        tokenizer_json: Contents of the tokenizer's file.
        extra: JSON values for the model's checkpoint: the recipe and the position.
        compress_optimizer: Whether optimizer state is stored in 8 bits.

    Returns:
        The complete checkpoint.

    Raises:
        CheckpointError: If the disk refuses; earlier checkpoints are untouched.
    """
    final = folder / f"step-{step:08d}"
    stored = {**_FORMAT, **state}
    if compress_optimizer:
        stored["optimizers"] = compress_state(stored["optimizers"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".step-") as staging:
            complete = Path(staging, "new")
            save_checkpoint(complete / "model", model, tokenizer_json=tokenizer_json, extra=extra)
            with (complete / _STATE_FILE).open("wb") as file:
                torch.save(stored, file)
                file.flush()
                os.fsync(file.fileno())
            if final.exists():
                shutil.rmtree(final)
            complete.rename(final)
    except OSError as error:
        raise CheckpointError(f"cannot write the checkpoint {final}: {error}; free space or change output") from None
    return final


def load_run(checkpoint: Path) -> tuple[CodeT5pModel, dict[str, Any]]:
    """Return the model and the rest of the state.

    Args:
        checkpoint: Written by `save_run`.

    Returns:
        The model in its stored dtype, on the CPU, and the state with optimizer state expanded.

    Raises:
        CheckpointError: If either part is missing or damaged.
    """
    model, _ = load_checkpoint(checkpoint / "model")
    path = checkpoint / _STATE_FILE
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - torch raises many kinds for a damaged file
        raise CheckpointError(f"cannot read {path}: {error}; resume from an earlier checkpoint") from None
    if not isinstance(state, dict) or {key: state.get(key) for key in _FORMAT} != _FORMAT:
        raise CheckpointError(f"{path} is not the state of a codet5p run of this version")
    state["optimizers"] = expand_state(state["optimizers"])
    return model, state


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint with the most steps, or None if there is none."""
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)] if folder.is_dir() else []
    return max(found, default=None, key=lambda path: path.name)


def prune_checkpoints(folder: Path, keep: int) -> None:
    """Delete all but the `keep` latest checkpoints, and what killed runs left half-written.

    Args:
        folder: The run's folder of checkpoints.
        keep: At least 1.
    """
    complete = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    abandoned = [path for path in folder.iterdir() if path.name.startswith(".step-")]
    for path in (*complete[: -max(1, keep)], *abandoned):
        shutil.rmtree(path, ignore_errors=True)
