"""Archives read in place, and those that are refused."""

import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from codet5p.training.corpus.archive import ArchiveError, iterate_archive
from codet5p.training.corpus.config import FetchConfig

CONFIG = FetchConfig()
FILES = {"pkg/a.py": b"x = 1\n", "pkg/sub/b.py": b"y = 2\n"}


def tar_bytes(files: dict[str, bytes], extra: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info)
    return stream.getvalue()


def deb_bytes(name: str, data: bytes) -> bytes:
    parts = {"debian-binary": b"2.0\n", "control.tar": b"odd", name: data}
    result = b"!<arch>\n"
    for part, content in parts.items():
        result += f"{part:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        result += content + b"\n" * (len(content) % 2)
    return result


def read(path: Path, config: FetchConfig = CONFIG) -> dict[str, bytes]:
    return {member.path: member.read() for member in iterate_archive(path, config)}


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        ("tar", bytes),
        ("tar.gz", gzip.compress),
        ("tar.xz", lzma.compress),
        ("tgz", gzip.compress),
    ],
)
def test_tar_files_are_read(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(pack(tar_bytes(FILES)))
    assert read(path) == FILES


def test_wheels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    assert read(path) == FILES


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("data.tar", bytes),
        ("data.tar.gz", gzip.compress),
        ("data.tar.xz", lzma.compress),
        ("data.tar.zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_debian_packages_are_read(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.deb"
    path.write_bytes(deb_bytes(name, pack(tar_bytes({"./usr/share/a.rb": b"a"}))))
    assert read(path) == {"usr/share/a.rb": b"a"}


def test_links_and_devices_are_passed_over(tmp_path: Path) -> None:
    loop, device = tarfile.TarInfo("pkg/loop"), tarfile.TarInfo("pkg/null")
    loop.type, loop.linkname, device.type = tarfile.SYMTYPE, "loop", tarfile.CHRTYPE
    path = tmp_path / "a.tar"
    path.write_bytes(tar_bytes(FILES, (loop, device)))
    assert read(path) == FILES


@pytest.mark.parametrize("name", ["../evil.py", "/etc/passwd", "a/../../evil.py", "C:/evil.py"])
def test_members_outside_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar_bytes({name: b"x"}))
    with pytest.raises(ArchiveError, match="lies outside the archive"):
        read(path)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.whl", "a.deb", "a.tar.xz"])
@pytest.mark.parametrize("content", [b"", b"not an archive at all", b"!<arch>\n" + b"x" * 30])
def test_corrupt_archives_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="a\\."):
        read(path)


def test_a_cut_off_archive_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(tar_bytes({"a.py": bytes(range(256)) * 4000}))[:-3000])
    with pytest.raises(ArchiveError, match="is corrupt"):
        read(path)


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.py", b"0" * 101_000_000)
    with pytest.raises(ArchiveError, match="200 times its size"):
        read(path)


@pytest.mark.parametrize(
    ("limits", "message"),
    [({"max_archive_bytes": 10}, "more than 10 bytes"), ({"max_members": 1}, "more than 1 members")],
)
def test_limits_are_kept(tmp_path: Path, limits: dict[str, int], message: str) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar_bytes(FILES))
    with pytest.raises(ArchiveError, match=message):
        read(path, replace(CONFIG, **limits))
