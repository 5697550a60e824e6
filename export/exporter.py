"""Writing the artifact of a checkpoint: fold, select, quantise, split, describe. Needs numpy and no torch.

Weights that none of the wanted modes needs are left out. An artifact for completion alone has neither encoder nor
cross-attention: decoder-only mode needs nothing of them but one constant a layer (see `folding`).
"""

import dataclasses
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from codet5p.core.artifact import (
    ARTIFACT_FORMAT,
    FOLDED_BIAS,
    SCALE_SUFFIX,
    TOKENIZER_NAME,
    FileEntry,
    Manifest,
    Mode,
    file_entry,
)
from codet5p.core.errors import ArtifactError, CheckpointError
from codet5p.core.model_config import CodeT5pConfig
from codet5p.core.special_tokens import CLM
from codet5p.core.tokenizer import Tokenizer
from codet5p.export.checkpoint_reader import read_checkpoint
from codet5p.export.folding import folded_biases
from codet5p.export.quantization import quantize_rows

__all__ = ["ExportOptions", "export_artifact"]

_Tensors = dict[str, NDArray[Any]]
# Matrices that are added and not multiplied, for which CTranslate2 has no int8.
_ADDED = ("relative_bias.weight", "position_embedding.weight")


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportOptions:
    """What to write and what to say of it.

    Attributes:
        name: Short name of the artifact.
        modes: What it shall be able to do; weights that no mode needs are left out.
        quantization: int8 rows, or float32 for parity tests.
        max_file_bytes: Size no weight file exceeds, so that it passes where large files do not.
        licence: SPDX identifier of the weights.
        provenance: Where they come from, one step a line.
        metrics: Measured quality, by name.
    """

    name: str
    modes: tuple[Mode, ...] = ("complete",)
    quantization: Literal["int8", "float32"] = "int8"
    max_file_bytes: int = 50_000_000
    licence: str = "Apache-2.0"
    provenance: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)


def export_artifact(
    checkpoint: Path, destination: Path, options: ExportOptions, advance: Callable[[int], None] = lambda _: None
) -> Manifest:
    """Write the artifact of `checkpoint` to `destination`, replacing what is there; whole or not at all.

    Args:
        checkpoint: Folder with config.json, model.safetensors and tokenizer.json.
        destination: Folder of the artifact; a model card (README.md) in it is kept.
        options: What to write.
        advance: Called with the number of weights written since the last call, for progress.

    Returns:
        The manifest written.

    Raises:
        CheckpointError: If the checkpoint cannot be read or lacks what a mode needs.
    """
    config, weights = read_checkpoint(checkpoint)
    _check_modes(config, options.modes)
    tensors = _select(config, weights, _clm_id(checkpoint), options.modes)
    destination.parent.mkdir(parents=True, exist_ok=True)
    workplace = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", dir=destination.parent))
    try:
        if (card := destination / "README.md").exists():
            shutil.copy2(card, workplace)
        shutil.copy2(checkpoint / TOKENIZER_NAME, workplace)
        _save_weights(workplace, _stored(tensors, options.quantization, advance), options.max_file_bytes)
        manifest = _describe(workplace, config, options)
        shutil.rmtree(destination, ignore_errors=True)
        workplace.chmod(0o755)  # mkdtemp keeps others out
        workplace.replace(destination)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return manifest


def _check_modes(config: CodeT5pConfig, modes: tuple[Mode, ...]) -> None:
    """Refuse modes that a model of this shape does not have, before anything is written."""
    if "complete" in modes and not config.num_decoder_layers:
        raise CheckpointError("the mode complete needs a decoder, and this checkpoint has none; leave it out")
    if "complete" in modes and config.position != "rotary":
        raise CheckpointError(
            "the mode complete needs rotary positions, and this checkpoint has a relative bias; "
            "export generate, match or embed"
        )
    if "embed" in modes and not config.num_encoder_layers:
        raise CheckpointError("the mode embed needs an encoder, and this checkpoint has none; leave it out")
    for mode in ("generate", "match"):
        if mode in modes and not (config.num_encoder_layers and config.num_decoder_layers):
            raise CheckpointError(
                f"the mode {mode} needs an encoder and a decoder, and this checkpoint has but one of them; leave it out"
            )


def _clm_id(checkpoint: Path) -> int:
    try:
        return Tokenizer.from_file(checkpoint / TOKENIZER_NAME).token_id(CLM)
    except (ArtifactError, ValueError) as error:
        reason = str(error).removesuffix("; see codet5p doctor")
        raise CheckpointError(f"the checkpoint {checkpoint} has no tokenizer of ours: {reason}") from None


def _select(
    config: CodeT5pConfig, weights: Mapping[str, NDArray[np.float32]], clm_id: int, modes: tuple[Mode, ...]
) -> _Tensors:
    """Return the weights that `modes` need, with the folded biases where completion is among them."""
    try:
        selected = {name: weight for name, weight in weights.items() if _is_needed(name, modes)}
        if "complete" in modes:
            biases = folded_biases(config, weights, clm_id)
            selected |= {f"decoder.layers.{layer}.{FOLDED_BIAS}": bias for layer, bias in biases.items()}
    except KeyError as error:
        raise CheckpointError(f"the checkpoint has no weight {error.args[0]}") from None
    return selected


def _is_needed(name: str, modes: tuple[Mode, ...]) -> bool:
    if name.startswith("matching_head."):
        return "match" in modes
    if name.startswith("text_code_projection."):
        return "embed" in modes
    if name.startswith("encoder.") or ".cross_attention" in name:
        return bool({"generate", "match"} & set(modes)) or ("embed" in modes and name.startswith("encoder."))
    return name.startswith("token_embedding.") or set(modes) != {"embed"}


def _stored(
    tensors: _Tensors, quantization: Literal["int8", "float32"], advance: Callable[[int], None]
) -> Iterator[_Tensors]:
    """Yield each tensor as it is stored: a matrix with its scales, so that both land in one file."""
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        if quantization == "int8" and tensor.ndim == 2 and not name.endswith(_ADDED):
            stored, scale = quantize_rows(tensor)
            yield {name: stored, name + SCALE_SUFFIX: scale}
        else:
            yield {name: tensor.astype(np.float32)}
        advance(tensor.size)


def _save_weights(folder: Path, tensors: Iterator[_Tensors], max_file_bytes: int) -> None:
    files: list[_Tensors] = [{}]
    for entry in tensors:
        room = max_file_bytes - sum(_stored_bytes(tensor) for tensor in files[-1].values())
        if files[-1] and sum(_stored_bytes(tensor) for tensor in entry.values()) > room:
            files.append({})
        files[-1].update(entry)
    for number, content in enumerate(files, 1):
        path = folder / f"weights-{number}-of-{len(files)}.safetensors"
        save_file(content, path)
        path.chmod(0o644)  # the library keeps others out


def _stored_bytes(tensor: NDArray[Any]) -> int:
    header_bytes = 200  # name, shape and offsets in the file's header, generously
    return tensor.nbytes + header_bytes


def _describe(folder: Path, config: CodeT5pConfig, options: ExportOptions) -> Manifest:
    files = {path.name: file_entry(path) for path in sorted(folder.iterdir()) if path.suffix != ".md"}
    manifest = Manifest(
        format=ARTIFACT_FORMAT,
        name=options.name,
        revision=_revision(config, files, options),
        modes=options.modes,
        quantization=options.quantization,
        model=config,
        files=files,
        licence=options.licence,
        provenance=options.provenance,
        metrics=options.metrics,
    )
    manifest.save(folder)
    return manifest


def _revision(config: CodeT5pConfig, files: Mapping[str, FileEntry], options: ExportOptions) -> str:
    shape = json.dumps(dataclasses.asdict(config), sort_keys=True)
    digest = hashlib.sha256(f"{'+'.join(options.modes)}\n{shape}\n".encode())
    for name in sorted(files):
        digest.update(f"{name}:{files[name].sha256}\n".encode())
    return digest.hexdigest()[:12]
