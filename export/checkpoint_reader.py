"""Reading a checkpoint's files without torch."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from codet5p.core.config import from_mapping
from codet5p.core.errors import CheckpointError, ConfigError
from codet5p.core.model_config import CodeT5pConfig

__all__ = ["read_checkpoint"]


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
        described: Mapping[str, object] = json.loads((folder / "config.json").read_text("utf-8"))
        config = from_mapping(described, CodeT5pConfig)
        weights = load_file(folder / "model.safetensors")
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} is no checkpoint: {Path(error.filename).name} is missing") from None
    except (OSError, ValueError, ConfigError, SafetensorError) as error:
        raise CheckpointError(f"the checkpoint {folder} cannot be read: {error}") from None
    return config, {name: weight.astype(np.float32) for name, weight in weights.items()}
