"""Fetching: what the registries' clients are asked for, receipts, and local sources."""

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codet5p.training.corpus.config import DebianConfig, FetchConfig
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.sources import command
from codet5p.training.corpus.sources.debian import Apt, fetch_deb, fetch_deb_source
from codet5p.training.corpus.sources.fetch import Fetcher, remove_leftovers
from codet5p.training.corpus.sources.local import fetch_git_archive, iterate_folder
from codet5p.training.corpus.sources.receipt import FetchError, cache_folder, files_sha256, load_receipt

CONFIG = FetchConfig(attempts=2)
WHEEL = SourceEntry(kind="pypi", name="a.b", version="1.0", languages=("python",), licence="MIT")
NPM = replace(WHEEL, kind="npm", name="@scope/a")


class Clients:
    """Stands in for pip, npm and apt-get: records commands, writes the files that they would."""

    def __init__(self, files: dict[str, str], failures: int = 0) -> None:
        self.files = files
        self.failures = failures
        self.commands: list[list[str]] = []

    def run(self, arguments: list[str], cwd: Path, **_: Any) -> subprocess.CompletedProcess[bytes]:
        self.commands.append(arguments)
        if self.failures:
            self.failures -= 1
            return subprocess.CompletedProcess(arguments, 1, b"", b"npm warn x\nE: it is not there\nlog at y\n")
        for name, content in self.files.items():
            (cwd / name).write_text(content)
        return subprocess.CompletedProcess(arguments, 0, b"", b"")


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    double = Clients({"a_b-1.0-py3-none-any.whl": "wheel"})
    monkeypatch.setattr(command.subprocess, "run", double.run)
    return double


def test_wheels_are_fetched_once_for_fixed_tags_and_without_set_up_code(clients: Clients, tmp_path: Path) -> None:
    fetcher = Fetcher(tmp_path, CONFIG)
    receipt = fetcher.fetch(WHEEL)
    assert receipt is not None
    assert receipt.files == ("a_b-1.0-py3-none-any.whl",)
    assert fetcher.fetch(WHEEL) == receipt == load_receipt(cache_folder(tmp_path, WHEEL))
    assert len(clients.commands) == 1
    assert {"--only-binary=:all:", "--no-deps", "--python-version=3.13", "a.b==1.0"} <= set(clients.commands[0])


def test_npm_runs_no_scripts(clients: Clients, tmp_path: Path) -> None:
    clients.files = {"scope-a-1.0.tgz": "tarball"}
    Fetcher(tmp_path, CONFIG).fetch(NPM)
    assert clients.commands[0][:3] == ["npm", "pack", "--ignore-scripts"]
    assert clients.commands[0][-1] == "@scope/a@1.0"


def test_a_failure_is_tried_again_and_then_told_in_the_clients_words(clients: Clients, tmp_path: Path) -> None:
    clients.failures = 1
    assert Fetcher(tmp_path, CONFIG).fetch(WHEEL) is not None
    clients.failures = 2
    with pytest.raises(FetchError, match="E: it is not there"):
        Fetcher(tmp_path, CONFIG).fetch(replace(WHEEL, version="2.0"))
    assert not list(tmp_path.glob(".partial-*"))


def test_a_wrong_hash_is_refused_with_the_remedy(clients: Clients, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"pinned is 0{12}; remove .* to fetch it again"):
        Fetcher(tmp_path, CONFIG).fetch(replace(WHEEL, sha256="0" * 64))


def test_an_interrupted_download_is_no_download(clients: Clients, tmp_path: Path) -> None:
    Fetcher(tmp_path, CONFIG).fetch(WHEEL)
    (cache_folder(tmp_path, WHEEL) / "a_b-1.0-py3-none-any.whl").unlink()
    assert load_receipt(cache_folder(tmp_path, WHEEL)) is None
    assert Fetcher(tmp_path, CONFIG).fetch(WHEEL) is not None
    assert len(clients.commands) == 2


def test_a_missing_client_is_named(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="no-such-client is not installed; install it"):
        command.run_client(["no-such-client"], folder=tmp_path, timeout_seconds=5, remedy="install it")


def test_a_client_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="took longer than 0 s"):
        command.run_client(["sleep", "5"], folder=tmp_path, timeout_seconds=0.05, remedy="")


def test_only_downloads_that_nobody_can_be_writing_any_more_are_swept_away(tmp_path: Path) -> None:
    abandoned, young = tmp_path / ".partial-abandoned", tmp_path / ".partial-young"
    for folder in (abandoned, young):
        folder.mkdir()
    long_ago = time.time() - 3 * CONFIG.timeout_seconds - 60
    os.utime(abandoned, (long_ago, long_ago))
    remove_leftovers(tmp_path, CONFIG)
    assert not abandoned.exists()
    assert young.exists()


class FakeApt(Apt):
    """A package manager with given versions, which writes given files."""

    def __init__(self, served: list[str], files: list[str], *, lacks_packaging: bool = False) -> None:
        super().__init__(Path(), DebianConfig())
        self.served, self.files, self.lacks_packaging = served, files, lacks_packaging
        self.calls: list[list[str]] = []

    def get(self, arguments: list[str], folder: Path, timeout_seconds: float) -> str:
        del timeout_seconds
        self.calls.append(arguments)
        if self.lacks_packaging and "--tar-only" not in arguments:
            raise FetchError("404")
        for name in self.files:
            (folder / name).write_text("x")
        return ""

    def versions(self, name: str, *, source: bool) -> list[str]:
        del name, source
        return self.served


DEB = SourceEntry(kind="deb", name="jq", version="1.6-2", languages=("c",), licence="MIT")


def test_a_newer_revision_of_the_same_upstream_version_is_accepted(tmp_path: Path) -> None:
    apt = FakeApt(["1.7-1", "1.6-2+deb12u1"], ["jq.deb"])
    assert fetch_deb(DEB, tmp_path, CONFIG, apt) == ([tmp_path / "jq.deb"], "1.6-2+deb12u1")
    with pytest.raises(FetchError, match=r"jq 1\.6-2 is not served; served are 1\.7-1"):
        fetch_deb(DEB, tmp_path, CONFIG, FakeApt(["1.7-1"], []))


def test_where_packaging_is_missing_the_upstream_archive_is_taken_alone(tmp_path: Path) -> None:
    apt = FakeApt(["1.6-2"], ["jq_1.6.orig.tar.gz", "jq_1.6.orig.tar.gz.asc"], lacks_packaging=True)
    files, _ = fetch_deb_source(DEB, tmp_path, CONFIG, apt)
    assert [path.name for path in files] == ["jq_1.6.orig.tar.gz"]
    assert "--tar-only" in apt.calls[-1]


def test_a_source_package_without_an_upstream_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="no upstream archive of jq"):
        fetch_deb_source(DEB, tmp_path, CONFIG, FakeApt(["1.6-2"], ["jq_1.6-2.debian.tar.xz"]))


def test_several_files_have_one_hash_whatever_their_order(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        path.write_text(path.name)
    assert files_sha256(paths) == files_sha256(paths[::-1])
    assert files_sha256(paths[:1]) != files_sha256(paths[1:])


def test_folders_are_read_in_order_without_following_links(tmp_path: Path) -> None:
    for name in ("b.py", "a/c.py", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "link.py").symlink_to(tmp_path / "b.py")
    assert [path for path, _ in iterate_folder(tmp_path)] == ["b.py", "a/c.py"]


def test_a_commit_that_does_not_exist_is_told(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "r")], check=True)
    entry = SourceEntry(
        kind="git", name="r", version="abc", languages=("c",), licence="MIT", location=str(tmp_path / "r")
    )
    with pytest.raises(FetchError, match="not a valid object name"):
        fetch_git_archive(entry, tmp_path, CONFIG)
