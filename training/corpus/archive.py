"""Reading archives member by member, in memory: nothing is unpacked, linked or run, so nothing can escape.

Wheels and zip files, tar files in any compression, and Debian's `.deb` are read. An archive that names members
outside itself, or that blows up in size, is refused as a whole.
"""

import gzip
import io
import lzma
import posixpath
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import zstandard

from codet5p.core.errors import DataError
from codet5p.training.corpus.config import FetchConfig

__all__ = ["ArchiveError", "Member", "iterate_archive"]

_RATIO_FLOOR_BYTES = 100_000_000
_AR_MAGIC = b"!<arch>\n"
_AR_HEADER_BYTES = 60
_CORRUPT = (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, zstandard.ZstdError, EOFError, OSError)


class ArchiveError(DataError):
    """An archive is corrupt, escapes its folder or blows up in size."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A regular file inside an archive."""

    path: str
    """With forward slashes, relative to the archive's root."""
    size: int
    """Bytes, as the archive states them."""
    read: Callable[[], bytes]
    """Returns the content; call it before the next member is taken."""


def iterate_archive(path: Path, config: FetchConfig) -> Iterator[Member]:
    """Yield the regular files of an archive in archive order; links and devices are passed over.

    Args:
        path: A `.whl`, `.zip`, `.deb` or tar file.
        config: Limits of size, number and compression ratio.

    Yields:
        The members.

    Raises:
        ArchiveError: If the archive is corrupt, names a member outside itself, or exceeds a limit.
    """
    members = 0
    total = 0
    packed = max(1, path.stat().st_size)
    try:
        for member in _members(path):
            members += 1
            total += member.size
            _check(member, members, total, packed, config)
            yield member
    except _CORRUPT as error:
        raise ArchiveError(f"{path.name} is corrupt: {error or type(error).__name__}") from None


def _check(member: Member, members: int, total: int, packed: int, config: FetchConfig) -> None:
    parts = member.path.split("/")
    if member.path.startswith("/") or ".." in parts or (parts[0].endswith(":") and len(parts[0]) == 2):
        raise ArchiveError(f"member {member.path[:80]!r} lies outside the archive")
    if members > config.max_members:
        raise ArchiveError(f"more than {config.max_members} members")
    if total > config.max_archive_bytes:
        raise ArchiveError(f"unpacks to more than {config.max_archive_bytes} bytes")
    if total > _RATIO_FLOOR_BYTES and total / packed > config.max_compression_ratio:
        raise ArchiveError(f"unpacks to more than {config.max_compression_ratio:.0f} times its size")


def _members(path: Path) -> Iterator[Member]:
    if path.suffix in {".whl", ".zip"}:
        yield from _zip_members(path)
    elif path.suffix == ".deb":
        yield from _deb_members(path)
    else:
        with tarfile.open(path, "r|*") as archive:
            yield from _tar_members(archive, path)


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                name = info.filename.replace("\\", "/")
                yield Member(path=name, size=info.file_size, read=_reader(path, partial(archive.read, info)))


def _tar_members(archive: tarfile.TarFile, path: Path) -> Iterator[Member]:
    for info in archive:
        if info.isfile():
            name = info.name if info.name.startswith("/") else posixpath.normpath(info.name)
            yield Member(path=name, size=info.size, read=_reader(path, partial(_content, archive, info)))


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(info)
    return stream.read() if stream is not None else b""


def _reader(path: Path, read: Callable[[], bytes]) -> Callable[[], bytes]:
    """Return `read` with its many errors turned into one; the consumer calls it, outside of `iterate_archive`."""

    def checked() -> bytes:
        try:
            return read()
        except (*_CORRUPT, NotImplementedError, RuntimeError) as error:
            raise ArchiveError(f"{path.name} is corrupt: {error or type(error).__name__}") from None

    return checked


def _deb_members(path: Path) -> Iterator[Member]:
    """Yield the files of a Debian package: an `ar` archive that holds `data.tar` in some compression."""
    with path.open("rb") as stream:
        if stream.read(len(_AR_MAGIC)) != _AR_MAGIC:
            raise ArchiveError(f"{path.name} is no Debian package")
        while header := stream.read(_AR_HEADER_BYTES):
            name, size = header[:16].decode("ascii", "replace").strip().rstrip("/"), _ar_size(header, path)
            if name.startswith("data.tar"):
                with tarfile.open(fileobj=_decompressed(stream, name, size), mode="r|") as archive:
                    yield from _tar_members(archive, path)
                return
            stream.seek(size + size % 2, io.SEEK_CUR)
    raise ArchiveError(f"{path.name} holds no data.tar")


def _ar_size(header: bytes, path: Path) -> int:
    digits = header[48:58].strip()
    if len(header) != _AR_HEADER_BYTES or not digits.isdigit():
        raise ArchiveError(f"{path.name} is corrupt: bad member header")
    return int(digits)


def _decompressed(stream: IO[bytes], name: str, size: int) -> IO[bytes]:
    data = io.BytesIO(stream.read(size))
    if name.endswith(".zst"):
        return zstandard.ZstdDecompressor().stream_reader(data)
    if name.endswith((".xz", ".lzma")):
        return lzma.open(data)
    if name.endswith(".gz"):
        return gzip.open(data)  # type: ignore[return-value]  # a GzipFile reads like any binary file
    return data
