"""From the artifact to runnable models in the user's cache: once, verified, and whole or not at all.

    <cache>/<name>-<revision>/completion/   a CTranslate2 Generator, for the mode `complete`
    <cache>/<name>-<revision>/seq2seq/      a CTranslate2 Translator, for `generate` and `match`
    <cache>/<name>-<revision>/encoder/      a CTranslate2 Encoder, and projection.safetensors if it has one, for `embed`
    <cache>/<name>-<revision>/assembled.json

Only the modes that the manifest names are assembled. The artifact stores each weight once; here a weight lies in every
model that computes with it.

`assembled.json` records size and modification time of every artifact file as it was when its checksum was verified. A
start that finds them unchanged reads no weights but those it runs; any change means verification anew.
"""

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from codet5p.core.artifact import TOKENIZER_NAME, Manifest, Mode, load_manifest, read_tensors, verify_files
from codet5p.core.ct2_format import RuntimeModel, write_model
from codet5p.core.ct2_layout import completion_model, encoder_model, sequence_to_sequence_model
from codet5p.core.ct2_variables import Tensors
from codet5p.core.embedding_head import PROJECTION_NAME, EmbeddingProjection
from codet5p.core.errors import ArtifactError
from codet5p.core.model_config import CodeT5pConfig
from codet5p.core.tokenizer import Tokenizer

__all__ = ["AssembledModels", "assemble", "assembly_bytes", "default_cache"]

_LEFTOVER_SECONDS = 24 * 3600
_RECORD_NAME = "assembled.json"
_Advance = Callable[[int], None]
_Layout = Callable[[CodeT5pConfig, Tensors, list[str]], RuntimeModel]


@dataclass(frozen=True, kw_only=True, slots=True)
class AssembledModels:
    """Where the runnable models of one artifact lie.

    Attributes:
        manifest: The artifact they were made from.
        tokenizer_path: The artifact's tokenizer.
        completion: Folder of the decoder-only model; None if the artifact does not offer `complete`.
        sequence_to_sequence: Folder of the encoder-decoder; None if it offers neither `generate` nor `match`.
        encoder: Folder of the encoder with its projection; None if it does not offer `embed`.
    """

    manifest: Manifest
    tokenizer_path: Path
    completion: Path | None = None
    sequence_to_sequence: Path | None = None
    encoder: Path | None = None

    def folder(self, mode: Mode) -> Path:
        """Return the folder of the model that serves `mode`.

        Args:
            mode: What the model is wanted for.

        Returns:
            One of the three folders.

        Raises:
            ArtifactError: If the artifact does not offer this mode.
        """
        folders: dict[Mode, Path | None] = {
            "complete": self.completion,
            "generate": self.sequence_to_sequence,
            "match": self.sequence_to_sequence,
            "embed": self.encoder,
        }
        folder = folders[mode]
        if folder is None or mode not in self.manifest.modes:
            offered = ", ".join(self.manifest.modes)
            raise ArtifactError(f"the artifact {self.manifest.name} offers {offered}, not {mode}; use one that does")
        return folder


def default_cache() -> Path:
    """Return the folder of the user's cache that holds assembled models."""
    return user_cache_path("codet5p") / "models"


def assembly_bytes(artifact: Path) -> int:
    """Return how many bytes `assemble` will about report: the artifact's size once, and once more for each model.

    Args:
        artifact: Folder of the artifact.

    Returns:
        The total for a progress bar; a model that leaves out half of the weights is counted in full.

    Raises:
        ArtifactError: If there is no artifact, or its manifest is malformed.
    """
    manifest = load_manifest(artifact)
    return (1 + len(list(_models(manifest)))) * sum(entry.bytes for entry in manifest.files.values())


def assemble(artifact: Path, cache: Path, advance: _Advance = lambda _: None) -> AssembledModels:
    """Return the models of `artifact`, assembled into `cache` unless they are there already.

    Several processes may call this at once: each works in a folder of its own and the first to finish wins.

    Args:
        artifact: Folder of the artifact.
        cache: Folder that may hold the models of several artifacts.
        advance: Called with bytes verified or written since the last call: in all the artifact's size and that of each
            model, and never where nothing is to be done.

    Returns:
        The models' places.

    Raises:
        ArtifactError: If the artifact is missing, incomplete or altered, or the cache cannot be written.
    """
    manifest = load_manifest(artifact)
    home = cache / f"{manifest.name}-{manifest.revision}"
    fingerprint = _fingerprint(artifact, manifest)
    if fingerprint is None or _read_record(home) != fingerprint:
        verify_files(artifact, manifest, advance)
        try:
            _assemble_anew(artifact, manifest, home, advance)
        except OSError as error:
            remedy = "free some space or set another folder with --cache"
            raise ArtifactError(f"cannot write {home}: {error.strerror}; {remedy}") from None
    places = {field: home / folder for field, folder, _ in _models(manifest)}
    return AssembledModels(manifest=manifest, tokenizer_path=artifact / TOKENIZER_NAME, **places)


def _models(manifest: Manifest) -> Iterator[tuple[str, str, _Layout]]:
    """Yield, for each model that the modes ask for, its attribute of `AssembledModels`, its folder and its layout."""
    if "complete" in manifest.modes:
        yield "completion", "completion", completion_model
    if {"generate", "match"} & set(manifest.modes):
        yield "sequence_to_sequence", "seq2seq", sequence_to_sequence_model
    if "embed" in manifest.modes:
        yield "encoder", "encoder", encoder_model


def _assemble_anew(artifact: Path, manifest: Manifest, home: Path, advance: _Advance) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(home.parent)
    workplace = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        tokens = Tokenizer.from_file(artifact / TOKENIZER_NAME).tokens
        tensors = read_tensors(artifact, manifest)
        for _, folder, layout in _models(manifest):
            _write(workplace / folder, layout(manifest.model, tensors, tokens), advance)
        if "embed" in manifest.modes and manifest.model.has_embedding_projection:
            EmbeddingProjection.from_tensors(tensors).save(workplace / "encoder" / PROJECTION_NAME)
        fingerprint = _fingerprint(artifact, manifest)
        (workplace / _RECORD_NAME).write_text(json.dumps(fingerprint), "utf-8")
        if _read_record(home) != fingerprint:  # unless another process with the same work came first
            _replace(workplace, home)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _remove_leftovers(cache: Path) -> None:
    """Delete the work folders of processes that were killed; one of today may still be in use."""
    for folder in cache.glob(".*"):
        with contextlib.suppress(OSError):  # another process removes it as well
            if time.time() - folder.stat().st_mtime > _LEFTOVER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, model: RuntimeModel, advance: _Advance) -> None:
    folder.mkdir()
    write_model(folder, model, advance)


def _replace(workplace: Path, home: Path) -> None:
    """Put `workplace` in the place of `home`, unless another process does so in this moment."""
    outdated = Path(tempfile.mkdtemp(prefix=f".{home.name}-old-", dir=home.parent))
    with contextlib.suppress(FileNotFoundError):
        home.replace(outdated / "models")
    shutil.rmtree(outdated, ignore_errors=True)
    try:
        workplace.replace(home)
    except OSError:
        if _read_record(home) is None:
            raise


def _fingerprint(artifact: Path, manifest: Manifest) -> dict[str, list[int]] | None:
    """Return size and modification time of each file, or None where one is missing."""
    try:
        states = {name: (artifact / name).stat() for name in sorted(manifest.files)}
    except OSError:
        return None
    return {name: [state.st_size, state.st_mtime_ns] for name, state in states.items()}


def _read_record(home: Path) -> dict[str, list[int]] | None:
    try:
        record: dict[str, list[int]] = json.loads((home / _RECORD_NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return record
