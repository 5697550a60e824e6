"""The artifact: an exported model as a folder of files with one manifest. What crosses from export to the server.

    manifest.json               this module's `Manifest`: shape, modes, checksums, metrics, licence, provenance
    tokenizer.json              the tokenizer, in the format of the `tokenizers` library
    weights-*.safetensors       every weight once, under its checkpoint name; 50 MB a file at most

A matrix is stored as int8 rows with one float32 scale a row under `<name>_scale`: value = stored / scale, with scale =
127 / max|row|. That is CTranslate2's own scheme, so nothing is requantised on the user's machine.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from codet5p.core.config import from_mapping
from codet5p.core.errors import ArtifactError, ConfigError
from codet5p.core.model_config import CodeT5pConfig

__all__ = [
    "ARTIFACT_FORMAT",
    "FOLDED_BIAS",
    "MANIFEST_NAME",
    "SCALE_SUFFIX",
    "TOKENIZER_NAME",
    "FileEntry",
    "Manifest",
    "Mode",
    "dequantised",
    "file_entry",
    "load_manifest",
    "read_tensors",
    "released_artifact",
    "verify_files",
]

ARTIFACT_FORMAT = 1
MANIFEST_NAME = "manifest.json"
TOKENIZER_NAME = "tokenizer.json"
SCALE_SUFFIX = "_scale"
FOLDED_BIAS = "folded_cross_attention"
"""Under `decoder.layers.<i>.`: what cross-attention adds in decoder-only mode, a float32 vector."""
_READ_BYTES = 1 << 20

Mode = Literal["complete", "generate", "match", "embed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileEntry:
    """What must be true of one file of the artifact.

    Attributes:
        bytes: Its size.
        sha256: Its digest, in hexadecimal.
    """

    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What an artifact says of itself.

    Attributes:
        format: Version of this layout.
        name: Short name, such as `laptop`.
        revision: Twelve hexadecimal digits over all files; equal revisions are equal models.
        modes: What the weights can do: `complete` next tokens, `generate` text or code from code or text, `match`
            text with code, `embed` text and code.
        quantization: How matrices are stored.
        model: Shape of the model.
        files: Size and digest of every file but the manifest.
        licence: SPDX identifier of the weights.
        provenance: Where the weights come from, one step a line.
        metrics: Measured quality, by name.
    """

    format: int
    name: str
    revision: str
    modes: tuple[Mode, ...]
    quantization: Literal["int8", "float32"]
    model: CodeT5pConfig
    files: dict[str, FileEntry]
    licence: str
    provenance: tuple[str, ...]
    metrics: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse layouts of another version and file names that leave the folder."""
        if self.format != ARTIFACT_FORMAT:
            raise ValueError(f"artifact format {self.format} is not supported, only {ARTIFACT_FORMAT}; update codet5p")
        if escaping := [name for name in self.files if Path(name).name != name or name in ("", "..")]:
            raise ValueError(f"file name {escaping[0]!r} leaves the artifact's folder")

    def save(self, folder: Path) -> None:
        """Write the manifest into `folder`."""
        text = json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False)
        (folder / MANIFEST_NAME).write_text(text + "\n", "utf-8")


def released_artifact() -> Path:
    """Return the folder of the artifact that is installed with the package."""
    import codet5p.artifacts  # noqa: PLC0415 - only this function needs the folder

    return Path(codet5p.artifacts.__path__[0]) / "laptop"


def load_manifest(folder: Path) -> Manifest:
    """Return the manifest of the artifact in `folder`.

    Args:
        folder: The artifact.

    Returns:
        The checked manifest; the files themselves are not read.

    Raises:
        ArtifactError: If there is none, or it is malformed.
    """
    path = folder / MANIFEST_NAME
    try:
        return from_mapping(json.loads(path.read_text("utf-8")), Manifest)
    except FileNotFoundError:
        raise ArtifactError(f"no artifact at {folder}: {MANIFEST_NAME} is missing; see codet5p doctor") from None
    except (OSError, ValueError, ConfigError) as error:
        raise ArtifactError(f"{path} cannot be used: {error}; see codet5p doctor") from None


def file_entry(path: Path, advance: Callable[[int], None] = lambda _: None) -> FileEntry:
    """Return size and digest of the file at `path`, calling `advance` with the number of bytes read."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
            size += len(block)
            advance(len(block))
    return FileEntry(bytes=size, sha256=digest.hexdigest())


def verify_files(folder: Path, manifest: Manifest, advance: Callable[[int], None] = lambda _: None) -> None:
    """Check that every file is there, complete and unaltered.

    Args:
        folder: The artifact.
        manifest: Its manifest.
        advance: Called with the number of bytes read since the last call, for progress.

    Raises:
        ArtifactError: If a file is missing, truncated or altered; the message names it.
    """
    for name, expected in manifest.files.items():
        path = folder / name
        try:
            size = path.stat().st_size
            if size != expected.bytes:
                raise ArtifactError(f"{path} has {size} bytes, not {expected.bytes}: truncated; see codet5p doctor")
            if file_entry(path, advance).sha256 != expected.sha256:
                raise ArtifactError(f"{path} does not match its checksum: altered; see codet5p doctor")
        except OSError as error:
            raise ArtifactError(f"cannot read {path}: {error.strerror}; see codet5p doctor") from None


class _Tensors(Mapping[str, NDArray[Any]]):
    """The tensors of several files under one roof, each read when it is asked for."""

    def __init__(self, files: ExitStack, readers: list[Any]) -> None:
        self._files = files
        self._readers = {name: reader for reader in readers for name in reader.keys()}  # noqa: SIM118 - not a dict

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            return np.asarray(self._readers[name].get_tensor(name))
        except KeyError:
            raise ArtifactError(f"the artifact has no weight {name}; see codet5p doctor") from None

    def __contains__(self, name: object) -> bool:
        return name in self._readers

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)


def dequantised(tensors: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    """Return the weight `name` as float32: where it is int8, what its numbers stand for.

    Args:
        tensors: From `read_tensors`.
        name: One of them, and no scale.

    Returns:
        A new array of the stored shape.
    """
    weight = np.array(tensors[name], np.float32)
    if name + SCALE_SUFFIX in tensors:
        weight /= np.asarray(tensors[name + SCALE_SUFFIX])[:, None]
    return weight


def read_tensors(folder: Path, manifest: Manifest) -> Mapping[str, NDArray[Any]]:
    """Return the artifact's tensors by name, read on demand.

    Args:
        folder: The artifact.
        manifest: Its manifest.

    Returns:
        Matrices as int8 [rows, columns] with float32 [rows] under `<name>_scale` (or float32 alone where nothing is
        quantised), vectors as float32.

    Raises:
        ArtifactError: If a weight file cannot be read.
    """
    files = ExitStack()
    try:
        readers = [
            files.enter_context(safe_open(folder / name, framework="numpy"))
            for name in sorted(manifest.files)
            if name.endswith(".safetensors")
        ]
    except (OSError, SafetensorError) as error:
        files.close()
        raise ArtifactError(f"cannot read the weights in {folder}: {error}; see codet5p doctor") from None
    return _Tensors(files, readers)
