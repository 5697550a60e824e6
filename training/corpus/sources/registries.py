"""Python wheels and npm tarballs, through `pip download` and `npm pack`."""

import sys
from pathlib import Path

from codet5p.training.corpus.config import FetchConfig
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.sources.command import run_client
from codet5p.training.corpus.sources.receipt import FetchError

__all__ = ["fetch_npm_tarball", "fetch_wheel"]

# One set of tags, whatever machine builds the corpus: a hash pins one file, and only its Python text is used.
_WHEEL_TAGS = (
    "--implementation=cp",
    "--python-version=3.13",
    *(f"--abi={abi}" for abi in ("cp313", "abi3", "none")),
    *(f"--platform={platform}" for platform in ("manylinux_2_28_x86_64", "manylinux2014_x86_64", "any")),
)


def fetch_wheel(entry: SourceEntry, folder: Path, config: FetchConfig) -> list[Path]:
    """Return the wheel of a Python package, downloaded into `folder`.

    Only wheels are asked for: reading a source archive's metadata would run its set-up code.

    Args:
        entry: The package and its version.
        folder: An existing, empty folder.
        config: Time limit.

    Returns:
        The single wheel.

    Raises:
        FetchError: If there is no such wheel for this platform.
    """
    options = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--no-cache-dir", "--quiet", "--dest=."]
    run_client(
        [sys.executable, "-m", "pip", "download", *options, *_WHEEL_TAGS, f"{entry.name}=={entry.version}"],
        folder=folder,
        timeout_seconds=config.timeout_seconds,
        remedy="install pip",
    )
    return _single(folder, "*.whl", entry)


def fetch_npm_tarball(entry: SourceEntry, folder: Path, config: FetchConfig) -> list[Path]:
    """Return the tarball of an npm package, downloaded into `folder`; npm checks its integrity hash.

    Args:
        entry: The package and its version.
        folder: An existing, empty folder.
        config: Time limit.

    Returns:
        The single tarball.

    Raises:
        FetchError: If the registry has no such version.
    """
    run_client(
        ["npm", "pack", "--ignore-scripts", "--loglevel=error", f"{entry.name}@{entry.version}"],
        folder=folder,
        timeout_seconds=config.timeout_seconds,
        remedy="install Node.js, or remove npm entries from the manifest",
    )
    return _single(folder, "*.tgz", entry)


def _single(folder: Path, pattern: str, entry: SourceEntry) -> list[Path]:
    files = sorted(folder.glob(pattern))
    if len(files) != 1:
        raise FetchError(f"expected one {pattern} for {entry.name} {entry.version}, got {len(files)}")
    return files
