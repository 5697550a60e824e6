"""Git repositories and folders on this machine."""

import os
from collections.abc import Iterator
from pathlib import Path

from codet5p.training.corpus.config import FetchConfig
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.sources.command import run_client
from codet5p.training.corpus.sources.receipt import FetchError

__all__ = ["fetch_git_archive", "iterate_folder"]

_HIDDEN = {".git", ".hg", ".svn"}


def fetch_git_archive(entry: SourceEntry, folder: Path, config: FetchConfig) -> list[Path]:
    """Return a tar archive of one commit of a git repository, written into `folder`.

    `git archive` reads objects only: no checkout, no hook, no filter of the repository runs. A bare repository works
    like any other.

    Args:
        entry: `location` is the repository's path and `version` the commit.
        folder: An existing, empty folder.
        config: Time limit.

    Returns:
        The single archive.

    Raises:
        FetchError: If the repository or commit does not exist.
    """
    repository = Path(entry.location).resolve()
    if not repository.is_dir():
        raise FetchError(f"{entry.location} is no folder; set `location` in the manifest to a git repository")
    # safe.directory: the repository may belong to another user, and reading its objects is harmless.
    command = ["git", "-c", "safe.directory=*", "-C", str(repository), "archive", "--format=tar"]
    target = folder.resolve() / "tree.tar"
    run_client(
        [*command, f"--output={target}", "--", entry.version],
        folder=folder,
        timeout_seconds=config.timeout_seconds,
        remedy="install git",
    )
    return [target]


def iterate_folder(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield every regular file below `root` as its path relative to `root` and its place, in sorted order.

    Symbolic links are not followed, so a loop of links ends and nothing outside the folder is read.

    Args:
        root: A folder.

    Yields:
        Relative path with forward slashes, and the path to open.

    Raises:
        FetchError: If `root` is no folder.
    """
    if not root.is_dir():
        raise FetchError(f"{root} is no folder; set `location` in the manifest")
    for parent, folders, files in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in _HIDDEN)
        for name in sorted(files):
            path = Path(parent) / name
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(root).as_posix(), path
