"""Debian packages and source packages, through `apt-get` with package lists of its own.

The system's package lists, sources and cache are never touched: everything lives below the corpus cache.
"""

import re
import subprocess
from functools import cache
from pathlib import Path
from threading import Lock

from codet5p.training.corpus.config import DebianConfig, FetchConfig
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.sources.command import run_client
from codet5p.training.corpus.sources.receipt import FetchError

__all__ = ["Apt", "fetch_deb", "fetch_deb_source"]

_REMEDY = "use a Debian system, or remove deb entries from the manifest"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_LISTS_TIMEOUT_SECONDS = 300.0
_ARCHIVE_SUFFIX = re.compile(r"\.orig(-[\w-]+)?\.tar\.\w+$|(?<!\.debian)\.tar\.\w+$")


class Apt:
    """`apt-get` with its state in one folder; package lists are read once per process."""

    def __init__(self, root: Path, config: DebianConfig) -> None:
        self._root = root.resolve()
        self._config = config
        self._lock = Lock()
        self._ready = False

    def get(self, arguments: list[str], folder: Path, timeout_seconds: float) -> str:
        """Return the output of `apt-get` run with `arguments` in `folder`.

        Args:
            arguments: Command and options, such as `["download", "jq=1.6-2.1"]`.
            folder: Where downloads land.
            timeout_seconds: Limit of the run.

        Returns:
            Standard output.

        Raises:
            FetchError: If apt-get is missing or fails.
        """
        self._prepare(timeout_seconds)
        command = ["apt-get", *self._options(), "--quiet", *arguments]
        return run_client(command, folder=folder, timeout_seconds=timeout_seconds, remedy=_REMEDY)

    def versions(self, name: str, *, source: bool) -> list[str]:
        """Return the versions of a package that the lists have, newest first; a source package's if `source`."""
        self._prepare(_LISTS_TIMEOUT_SECONDS)
        arguments = ["showsrc", "--only-source", name] if source else ["show", name]
        command = ["apt-cache", *self._options(), *arguments]
        output = run_client(command, folder=self._root, timeout_seconds=_LISTS_TIMEOUT_SECONDS, remedy=_REMEDY)
        return re.findall(r"^Version: (\S+)$", output, re.MULTILINE)

    def _prepare(self, timeout_seconds: float) -> None:
        with self._lock:
            if not self._ready:
                self._update(timeout_seconds)
                self._ready = True

    def _update(self, timeout_seconds: float) -> None:
        if not _KEYRING.exists():
            raise FetchError(f"{_KEYRING} is missing; {_REMEDY}")
        for part in ("lists/partial", "cache/archives/partial", "parts"):
            (self._root / part).mkdir(parents=True, exist_ok=True)
        mirror = self._config.mirror or _system_mirror()
        (self._root / "sources.list").write_text(
            "".join(
                f"{kind} [signed-by={_KEYRING}] {mirror} {suite} main\n"
                for suite in self._config.suites
                for kind in ("deb", "deb-src")
            ),
            "utf-8",
        )
        run_client(
            ["apt-get", *self._options(), "--quiet", "update"],
            folder=self._root,
            timeout_seconds=timeout_seconds,
            remedy=_REMEDY,
        )

    def _options(self) -> list[str]:
        settings = {
            "Dir::State::lists": self._root / "lists",
            "Dir::Cache": self._root / "cache",
            "Dir::Etc::sourcelist": self._root / "sources.list",
            "Dir::Etc::sourceparts": self._root / "parts",
            # Container images often switch these off, which makes every call read all package lists again.
            "Dir::Cache::pkgcache": "pkgcache.bin",
            "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
            "APT::Sandbox::User": "root",
            "APT::Get::List-Cleanup": "false",
        }
        return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


@cache
def _system_mirror() -> str:
    """Return the address of the archive that the system's package manager uses."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Component: main"]
    try:
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        lines = []
    mirrors = [line.rstrip("/") for line in lines if line.rstrip("/").endswith("/debian")]
    if not mirrors:
        raise FetchError("the system names no Debian archive; set fetch.debian.mirror in the recipe")
    return mirrors[0]


def fetch_deb(entry: SourceEntry, folder: Path, config: FetchConfig, apt: Apt) -> tuple[list[Path], str]:
    """Return the `.deb` of a binary package and the version served.

    Args:
        entry: The package; a newer Debian revision of the same upstream version is accepted.
        folder: An existing, empty folder.
        config: Time limit.
        apt: The package manager.

    Returns:
        The single file and its version.

    Raises:
        FetchError: If the archive does not serve the package.
    """
    version = _served_version(entry, apt, source=False)
    apt.get(["download", f"{entry.name}={version}"], folder, config.timeout_seconds)
    files = sorted(folder.glob("*.deb"))
    if len(files) != 1:
        raise FetchError(f"apt-get download left {len(files)} files for {entry.name}")
    return files, version


def fetch_deb_source(entry: SourceEntry, folder: Path, config: FetchConfig, apt: Apt) -> tuple[list[Path], str]:
    """Return the upstream archives of a source package and the version served.

    The packaging part is asked for too, since it holds the copyright file; where the mirror lacks it, the upstream
    archive alone is taken.

    Args:
        entry: The package; a newer Debian revision of the same upstream version is accepted.
        folder: An existing, empty folder.
        config: Time limit.
        apt: The package manager.

    Returns:
        All archives and the version.

    Raises:
        FetchError: If the archive does not serve the package.
    """
    version = _served_version(entry, apt, source=True)
    arguments = ["source", "--download-only", "--only-source", f"{entry.name}={version}"]
    try:
        apt.get(arguments, folder, config.timeout_seconds)
    except FetchError:
        apt.get([*arguments[:1], "--tar-only", *arguments[1:]], folder, config.timeout_seconds)
    files = [path for path in sorted(folder.iterdir()) if re.search(r"\.tar\.\w+$", path.name)]
    if not any(_ARCHIVE_SUFFIX.search(path.name) for path in files):
        raise FetchError(f"the mirror has no upstream archive of {entry.name} {version}")
    return files, version


def _served_version(entry: SourceEntry, apt: Apt, *, source: bool) -> str:
    """Return the pinned version, or the newest Debian revision of the same upstream version."""
    served = apt.versions(entry.name, source=source)
    if entry.version in served:
        return entry.version
    upstream = entry.version.rsplit("-", 1)[0]
    for version in served:
        if version.rsplit("-", 1)[0] == upstream:
            return version
    raise FetchError(f"{entry.name} {entry.version} is not served; served are {', '.join(served) or 'none'}")
