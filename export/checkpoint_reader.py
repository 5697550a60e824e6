"""Reading the weights of a checkpoint, or of an artifact, without torch."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from codet5p.core.artifact import MANIFEST_NAME, SCALE_SUFFIX, dequantised, load_manifest, read_tensors, verify_files
from codet5p.core.config import from_mapping
from codet5p.core.errors import CheckpointError, ConfigError
from codet5p.core.model_config import CodeT5pConfig

__all__ = ["read_checkpoint", "read_checkpoint_or_artifact"]

_NUMPY_TYPES = {"F32": np.float32, "F16": np.float16, "F64": np.float64}


def read_checkpoint(folder: Path) -> tuple[CodeT5pConfig, dict[str, NDArray[np.float32]]]:
    """Return shape and weights of the checkpoint in `folder`.

    Args:
        folder: Written by `codet5p.model.checkpoint.save_checkpoint`.

    Returns:
        The configuration, and every weight as float32 under its state-dict name.

    Raises:
        CheckpointError: If a file is missing, truncated or malformed.
    """
    try:
        description = json.loads((folder / "config.json").read_text("utf-8"))
        config = from_mapping(description["model"], CodeT5pConfig)
        entries = deserialize((folder / "model.safetensors").read_bytes())  # type: ignore[no-untyped-call]
        return config, {name: _as_float32(entry) for name, entry in entries}
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} is no checkpoint: {Path(error.filename).name} is missing") from None
    except (OSError, KeyError, TypeError, ValueError, ConfigError, SafetensorError) as error:
        raise CheckpointError(f"the checkpoint {folder} cannot be read: {error}") from None


def read_checkpoint_or_artifact(folder: Path) -> tuple[CodeT5pConfig, dict[str, NDArray[np.float32]]]:
    """Return shape and weights of a checkpoint, or of an artifact, such as the released ones.

    Args:
        folder: Of either kind.

    Returns:
        The configuration, and every weight as float32: of an int8 artifact what its numbers stand for.

    Raises:
        CheckpointError: If a file of a checkpoint is missing, truncated or malformed.
        ArtifactError: If an artifact is incomplete or altered.
    """
    if not (folder / MANIFEST_NAME).exists():
        return read_checkpoint(folder)
    manifest = load_manifest(folder)
    verify_files(folder, manifest)
    tensors = read_tensors(folder, manifest)
    weights = {name: dequantised(tensors, name) for name in tensors if not name.endswith(SCALE_SUFFIX)}
    return manifest.model, weights


def _as_float32(entry: dict[str, Any]) -> NDArray[np.float32]:
    if entry["dtype"] == "BF16":  # numpy has no bfloat16: it is the upper half of a float32
        upper = np.frombuffer(entry["data"], dtype=np.uint16).astype(np.uint32) << 16
        return upper.view(np.float32).reshape(entry["shape"])
    values = np.frombuffer(entry["data"], dtype=_NUMPY_TYPES[entry["dtype"]])
    return values.astype(np.float32).reshape(entry["shape"])
