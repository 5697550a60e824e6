"""One door to all sources: an entry of the manifest becomes files in the cache, checked against its hash."""

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from codet5p.training.corpus.config import FetchConfig
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.sources.debian import Apt, fetch_deb, fetch_deb_source
from codet5p.training.corpus.sources.local import fetch_git_archive
from codet5p.training.corpus.sources.receipt import FetchError, Receipt, cache_folder, load_receipt, store_receipt
from codet5p.training.corpus.sources.registries import fetch_npm_tarball, fetch_wheel

__all__ = ["Fetcher", "remove_leftovers"]

_PARTIAL = ".partial-"

_Download = Callable[[SourceEntry, Path], tuple[list[Path], str]]


class Fetcher:
    """Fetches entries into one cache; safe to call from several threads for different entries."""

    def __init__(self, cache: Path, config: FetchConfig) -> None:
        self._cache = cache
        self._config = config
        apt = Apt(cache / "apt", config.debian)
        self._downloads: dict[str, _Download] = {
            "pypi": lambda entry, folder: (fetch_wheel(entry, folder, config), entry.version),
            "npm": lambda entry, folder: (fetch_npm_tarball(entry, folder, config), entry.version),
            "git": lambda entry, folder: (fetch_git_archive(entry, folder, config), entry.version),
            "deb": lambda entry, folder: fetch_deb(entry, folder, config, apt),
            "deb-source": lambda entry, folder: fetch_deb_source(entry, folder, config, apt),
        }

    def fetch(self, entry: SourceEntry) -> Receipt | None:
        """Return the receipt of an entry's download, downloading it only if the cache lacks it.

        Args:
            entry: The source. Folders and data sets are read in place and have no download.

        Returns:
            The receipt, or None for a source that is read in place.

        Raises:
            FetchError: If the source cannot be had, or is not what the manifest pins.
        """
        if entry.kind not in self._downloads:
            return None
        folder = cache_folder(self._cache, entry)
        receipt = load_receipt(folder) or self._download(entry, folder)
        if entry.sha256 and entry.sha256 != receipt.sha256:
            raise FetchError(
                f"{entry.name} {receipt.version} has the hash {receipt.sha256[:12]}, pinned is {entry.sha256[:12]}; "
                f"remove {folder} to fetch it again"
            )
        return receipt

    def _download(self, entry: SourceEntry, folder: Path) -> Receipt:
        failure: FetchError | None = None
        self._cache.mkdir(parents=True, exist_ok=True)
        for _ in range(self._config.attempts):
            partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=self._cache))
            try:
                files, version = self._downloads[entry.kind](entry, partial)
                return store_receipt(partial, folder, version, files)
            except FetchError as error:
                failure = error
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        assert failure is not None
        raise failure


def remove_leftovers(cache: Path, config: FetchConfig) -> None:
    """Remove what killed builds left of their downloads.

    Args:
        cache: Other builds may be using it; what a download could still be writing is left alone.
        config: The limit of one command; a download runs at most three.
    """
    for leftover in cache.glob(f"{_PARTIAL}*"):
        with suppress(FileNotFoundError):
            if time.time() - leftover.stat().st_mtime > 3 * config.timeout_seconds:
                shutil.rmtree(leftover, ignore_errors=True)
