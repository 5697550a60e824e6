"""Large files in small parts, for machines that hand over only files of limited size.

parts.json       {"file": name, "bytes": size, "sha256": digest, "parts": [names in order]}
part-0000 ...    the bytes, in order
"""

import hashlib
import json
from pathlib import Path

from codet5p.core.errors import DataError

__all__ = ["PART_BYTES", "join_parts", "split_file"]

PART_BYTES = 15_000_000
_INDEX = "parts.json"


def split_file(path: Path, folder: Path, *, part_bytes: int = PART_BYTES) -> list[Path]:
    """Write `path` as parts into `folder`.

    Args:
        path: Any file.
        folder: Made if it is not there.
        part_bytes: Greatest size of a part.

    Returns:
        The parts, in order; `parts.json` beside them describes the whole.

    Raises:
        DataError: If the file cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    parts: list[Path] = []
    try:
        with path.open("rb") as source:
            while piece := source.read(part_bytes):
                part = folder / f"part-{len(parts):04d}"
                part.write_bytes(piece)
                digest.update(piece)
                size += len(piece)
                parts.append(part)
    except OSError as error:
        raise DataError(f"cannot split {path}: {error}") from None
    index = {"file": path.name, "bytes": size, "sha256": digest.hexdigest(), "parts": [part.name for part in parts]}
    (folder / _INDEX).write_text(json.dumps(index, indent=2) + "\n", "utf-8")
    return parts


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
