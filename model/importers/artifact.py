"""An artifact as a checkpoint again: the way back into training from what was released.

Matrices come back as the int8 rows times their scales, which is what the artifact computes with; what quantising lost
stays lost, and training goes on from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from codet5p.core.artifact import (
    MANIFEST_NAME,
    TOKENIZER_NAME,
    Manifest,
    dequantised,
    load_manifest,
    read_tensors,
    verify_files,
)
from codet5p.core.errors import CheckpointError
from codet5p.model.checkpoint import model_from_weights, weight_names
from codet5p.model.transformer import CodeT5pModel

__all__ = ["ArtifactWeights", "is_artifact", "read_artifact"]

_HEADS = ("matching_head.", "text_code_projection.")


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactWeights:
    """What an artifact gives to a checkpoint."""

    model: CodeT5pModel
    """Float32, on the CPU."""
    tokenizer_json: str
    manifest: Manifest
    fresh: tuple[str, ...]
    """Heads that the artifact was exported without, drawn anew."""


def is_artifact(source: Path) -> bool:
    """Return whether `source` is the folder of an artifact."""
    return (source / MANIFEST_NAME).is_file()


def read_artifact(folder: Path, generator: torch.Generator) -> ArtifactWeights:
    """Return the model of the artifact in `folder`, checked against its checksums.

    Args:
        folder: The artifact.
        generator: Draws the heads that are not there.

    Returns:
        Model and tokenizer.

    Raises:
        CheckpointError: If the artifact was exported for completion alone and lacks the encoder or cross-attention.
    """
    manifest = load_manifest(folder)
    verify_files(folder, manifest)
    stored = read_tensors(folder, manifest)
    names = weight_names(manifest.model)
    missing = [name for name in names if name not in stored]
    lost = [name for name in missing if not name.startswith(_HEADS)]
    if lost:
        raise CheckpointError(
            f"the artifact {manifest.name} offers {', '.join(manifest.modes)} and so has no {lost[0]}; import one that "
            "was exported with the mode generate, or the checkpoint it was exported from"
        )
    weights = {name: _weight(stored, name) for name in names if name not in missing}
    return ArtifactWeights(
        model=model_from_weights(manifest.model, weights, fresh=set(missing), generator=generator),
        tokenizer_json=(folder / TOKENIZER_NAME).read_text("utf-8"),
        manifest=manifest,
        fresh=tuple(missing),
    )


def _weight(stored: Mapping[str, NDArray[Any]], name: str) -> Tensor:
    return torch.from_numpy(dequantised(stored, name))
