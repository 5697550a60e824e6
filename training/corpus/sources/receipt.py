"""A finished download: its files and the receipt that says what they are."""

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from codet5p.core.errors import DataError
from codet5p.training.corpus.manifest import SourceEntry

__all__ = ["FetchError", "Receipt", "cache_folder", "file_sha256", "files_sha256", "load_receipt", "store_receipt"]

_RECEIPT = "receipt.json"
_BLOCK_BYTES = 1 << 20


class FetchError(DataError):
    """A source could not be fetched; the build records the reason and goes on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What was fetched for an entry of the manifest."""

    version: str
    """The version that was served; Debian may have replaced the pinned revision."""
    sha256: str
    """Hash of the files, without Debian's packaging part, which a security update of the packaging may change."""
    files: tuple[str, ...]
    """Names of the files in the cache folder, sorted."""


def cache_folder(cache: Path, entry: SourceEntry) -> Path:
    """Return the folder of `cache` that holds the download of `entry`."""
    safe = [re.sub(r"[^A-Za-z0-9.+~@-]", "_", part) for part in (entry.kind, entry.name, entry.version)]
    return cache / "sources" / safe[0] / safe[1] / (safe[2] or "unversioned")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def files_sha256(paths: Sequence[Path]) -> str:
    """Return the hash that pins a download: a single file's own, or that of the sorted list of hashes and names."""
    if len(paths) == 1:
        return file_sha256(paths[0])
    lines = sorted(f"{file_sha256(path)}  {path.name}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def store_receipt(partial: Path, folder: Path, version: str, files: Sequence[Path]) -> Receipt:
    """Move a finished download from `partial` to `folder` in one step and return its receipt.

    Args:
        partial: Folder that holds `files` and nothing that is needed afterwards; on the same file system as `folder`.
        folder: Where the download shall be; replaced if it exists without a receipt.
        version: The version that was served.
        files: The downloaded files, in `partial`.

    Returns:
        The receipt, also stored beside the files.
    """
    names = tuple(sorted(path.name for path in files))
    pinned = [path for path in files if ".debian.tar." not in path.name] or list(files)
    receipt = Receipt(version=version, sha256=files_sha256(pinned), files=names)
    (partial / _RECEIPT).write_text(json.dumps(asdict(receipt), indent=1), "utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial.rename(folder)
    return receipt


def load_receipt(folder: Path) -> Receipt | None:
    """Return the receipt of a download that was finished, or None."""
    try:
        content = json.loads((folder / _RECEIPT).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    receipt = Receipt(version=content["version"], sha256=content["sha256"], files=tuple(content["files"]))
    return receipt if all((folder / name).is_file() for name in receipt.files) else None
