"""From the artifact to runnable models in the user's cache: once, verified, and whole or not at all.

    <cache>/<name>-<revision>/completion/   a CTranslate2 Generator
    <cache>/<name>-<revision>/assembled.json

`assembled.json` records size and modification time of every artifact file as it was when its checksum was verified. A
start that finds them unchanged reads no weights but those it runs; any change means verification anew.
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from codet5p.core.artifact import TOKENIZER_NAME, Manifest, load_manifest, read_tensors, verify_files
from codet5p.core.ct2_format import RuntimeModel, write_model
from codet5p.core.ct2_layout import completion_model
from codet5p.core.errors import ArtifactError
from codet5p.core.tokenizer import Tokenizer

__all__ = ["AssembledModels", "assemble", "default_cache"]

_RECORD_NAME = "assembled.json"
_Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class AssembledModels:
    """Where the runnable models of one artifact lie.

    Attributes:
        manifest: The artifact they were made from.
        tokenizer_path: The artifact's tokenizer.
        completion: Folder of the decoder-only model.
    """

    manifest: Manifest
    tokenizer_path: Path
    completion: Path


def default_cache() -> Path:
    """Return the folder of the user's cache that holds assembled models."""
    return user_cache_path("codet5p") / "models"


def assemble(artifact: Path, cache: Path, advance: _Advance = lambda _: None) -> AssembledModels:
    """Return the models of `artifact`, assembled into `cache` unless they are there already.

    Several processes may call this at once: each works in a folder of its own and the first to finish wins.

    Args:
        artifact: Folder of the artifact.
        cache: Folder that may hold the models of several artifacts.
        advance: Called with bytes verified or written since the last call; about twice the artifact's size in all, and
            never where nothing is to be done.

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
            raise ArtifactError(f"cannot write {home}: {error.strerror}; free some space or set the cache") from None
    return AssembledModels(manifest=manifest, tokenizer_path=artifact / TOKENIZER_NAME, completion=home / "completion")


def _assemble_anew(artifact: Path, manifest: Manifest, home: Path, advance: _Advance) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    workplace = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        tokens = Tokenizer.from_file(artifact / TOKENIZER_NAME).tokens
        tensors = read_tensors(artifact, manifest)
        _write(workplace / "completion", completion_model(manifest.model, tensors, tokens), advance)
        fingerprint = _fingerprint(artifact, manifest)
        (workplace / _RECORD_NAME).write_text(json.dumps(fingerprint), "utf-8")
        if _read_record(home) != fingerprint:  # unless another process with the same work came first
            _replace(workplace, home)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


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
