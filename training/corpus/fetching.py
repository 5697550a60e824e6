"""Downloads in threads, each reported when it ends; a failure is a result and stops nothing."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue

from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.progress import BuildProgress, Stage
from codet5p.training.corpus.sources.fetch import Fetcher, remove_leftovers
from codet5p.training.corpus.sources.receipt import FetchError, Receipt, cache_folder

__all__ = ["Download", "fetch_all", "fetching", "packed_bytes", "received"]

Download = tuple[SourceEntry, Future[Receipt | None]]


@contextmanager
def fetching(entries: Sequence[SourceEntry], config: CorpusConfig, done: Callable[[Download], None]) -> Iterator[None]:
    """Fetch every entry while the body runs; leaving the body gives up what has not begun.

    Args:
        entries: One of each archive.
        config: The cache and the limits.
        done: Called with each download that ended, in the thread that made it.

    Yields:
        Nothing; the downloads are under way.
    """
    remove_leftovers(config.cache, config.fetch)
    fetcher = Fetcher(config.cache, config.fetch)
    pool = ThreadPoolExecutor(config.fetch.workers)
    try:
        for entry in entries:
            pool.submit(fetcher.fetch, entry).add_done_callback(partial(_report, entry, done))
        yield
    finally:
        pool.shutdown(cancel_futures=True)


def _report(entry: SourceEntry, done: Callable[[Download], None], future: Future[Receipt | None]) -> None:
    if not future.cancelled():
        done((entry, future))


def received(download: Download, config: CorpusConfig, stage: Stage) -> Receipt | None:
    """Return the receipt of a download that ended, None for a source that is read in place, and count it on `stage`.

    Args:
        download: What `fetching` reported.
        config: The cache.
        stage: Where the download is counted, or named with the reason if it failed.

    Returns:
        The receipt.

    Raises:
        FetchError: If the source could not be had.
    """
    entry, future = download
    try:
        receipt = future.result()
    except FetchError as error:
        stage.fail(entry.package, str(error))
        raise
    stage.advance(packed_bytes(entry, receipt, config))
    return receipt


def packed_bytes(entry: SourceEntry, receipt: Receipt | None, config: CorpusConfig) -> int:
    """Return the size of a download; 0 for a source that is read in place."""
    folder = cache_folder(config.cache, entry)
    return sum((folder / name).stat().st_size for name in receipt.files) if receipt else 0


def fetch_all(
    entries: Sequence[SourceEntry], config: CorpusConfig, progress: BuildProgress
) -> dict[SourceEntry, Receipt | None]:
    """Return the receipts of all entries that could be fetched; the others are named on the display.

    Args:
        entries: One of each archive.
        config: The cache and the limits.
        progress: Shows the downloads.

    Returns:
        Receipts; None for a source that is read in place.
    """
    ended: SimpleQueue[Download] = SimpleQueue()
    receipts: dict[SourceEntry, Receipt | None] = {}
    with progress.stage("fetch", len(entries)) as stage, fetching(entries, config, ended.put):
        for _ in entries:
            download = ended.get()
            try:
                receipts[download[0]] = received(download, config, stage)
            except FetchError:
                continue
    return receipts
