"""Large files in small parts, for machines that hand over only files of limited size.

parts.json       {"file": name, "bytes": size, "sha256": digest, "parts": [names in order]}
part-0000 ...    the bytes, in order

Several files and folders travel as one tar archive; it exists only as parts, never as a whole on disk.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from codet5p.core.errors import DataError

__all__ = ["PART_BYTES", "join_parts", "pack", "split_file", "unpack"]

PART_BYTES = 15_000_000
_INDEX = "parts.json"
_ARCHIVE = "archive.tar"


class _Parts(io.RawIOBase):
    """A file to write to that comes to lie in parts."""

    def __init__(self, folder: Path, part_bytes: int) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        for stale in (*folder.glob("part-*"), folder / _INDEX):
            stale.unlink(missing_ok=True)
        self._folder, self._part_bytes = folder, part_bytes
        self._digest, self._size = hashlib.sha256(), 0
        self._room = 0
        self.parts: list[Path] = []

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]  # no other buffers
        """Write all of `data`, in as many parts as it takes, and return its length."""
        rest = memoryview(data)
        while rest:
            if not self._room:
                self.parts.append(self._folder / f"part-{len(self.parts):04d}")
                self.parts[-1].touch()
                self._room = self._part_bytes
            piece, rest = rest[: self._room], rest[self._room :]
            with self.parts[-1].open("ab") as part:
                part.write(piece)
            self._digest.update(piece)
            self._room -= len(piece)
            self._size += len(piece)
        return len(data)

    def finish(self, name: str) -> None:
        """Describe the whole under its name."""
        index = {
            "file": name,
            "bytes": self._size,
            "sha256": self._digest.hexdigest(),
            "parts": [part.name for part in self.parts],
        }
        (self._folder / _INDEX).write_text(json.dumps(index, indent=2) + "\n", "utf-8")


def split_file(path: Path, folder: Path, *, part_bytes: int = PART_BYTES) -> list[Path]:
    """Write `path` as parts into `folder`.

    Args:
        path: Any file.
        folder: Made if it is not there; parts of earlier files in it are deleted.
        part_bytes: Greatest size of a part.

    Returns:
        The parts, in order; `parts.json` beside them describes the whole.

    Raises:
        DataError: If the file cannot be read.
    """
    try:
        with path.open("rb") as source:
            written = _Parts(folder, part_bytes)
            while piece := source.read(part_bytes):
                written.write(piece)
    except OSError as error:
        raise DataError(f"cannot split {path}: {error}") from None
    written.finish(path.name)
    return written.parts


def pack(sources: Sequence[Path], folder: Path, *, part_bytes: int = PART_BYTES) -> list[Path]:
    """Write files and folders as parts of one archive into `folder`.

    Args:
        sources: Each is packed under its own name.
        folder: Made if it is not there; parts of earlier files in it are deleted.
        part_bytes: Greatest size of a part.

    Returns:
        The parts, in order.

    Raises:
        DataError: If a source is not there, two have the same name, or one cannot be read.
    """
    names = [source.resolve().name for source in sources]
    if len(set(names)) < len(names):
        raise DataError(f"two of the sources have the same name; rename one of {', '.join(names)}")
    for source in sources:
        if not source.exists():
            raise DataError(f"cannot pack {source}: it does not exist")
    try:
        written = _Parts(folder, part_bytes)
        with tarfile.open(fileobj=written, mode="w|", bufsize=1 << 20) as archive:
            for source, name in zip(sources, names, strict=True):
                archive.add(source, name)
    except OSError as error:
        raise DataError(f"cannot pack into {folder}: {error}") from None
    written.finish(_ARCHIVE)
    return written.parts


def unpack(folder: Path, destination: Path) -> list[Path]:
    """Unpack the archive whose parts are in `folder`, after checking it.

    Args:
        folder: Written by `pack`, all parts present.
        destination: Where the files and folders come to lie; same names are replaced.

    Returns:
        What was unpacked.

    Raises:
        DataError: If a part is missing, or the whole is not what was packed.
    """
    joined = join_parts(folder, destination)
    try:
        with tarfile.open(joined) as archive:
            names = dict.fromkeys(Path(name).parts[0] for name in archive.getnames())
            archive.extractall(destination, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise DataError(f"{folder} holds no archive of transport pack: {error}; use transport join") from None
    finally:
        joined.unlink(missing_ok=True)
    return [destination / name for name in names]


def join_parts(folder: Path, destination: Path) -> Path:
    """Put a file together again and check it.

    Args:
        folder: Written by `split_file`, all parts present.
        destination: Folder of the joined file.

    Returns:
        The file, under its own name.

    Raises:
        DataError: If a part is missing, or the whole is not what was split.
    """
    try:
        index = json.loads((folder / _INDEX).read_text("utf-8"))
        destination.mkdir(parents=True, exist_ok=True)
        joined, digest = destination / Path(index["file"]).name, hashlib.sha256()
        unchecked = joined.with_name(f".{joined.name}.joining")
        with unchecked.open("wb") as file:
            for name in index["parts"]:
                piece = (folder / Path(name).name).read_bytes()
                digest.update(piece)
                file.write(piece)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder} does not hold all parts of a file: {error}; copy them again") from None
    if digest.hexdigest() != index["sha256"]:
        unchecked.unlink()
        raise DataError(f"the parts in {folder} are damaged: their checksum differs; copy them again")
    unchecked.replace(joined)
    return joined
