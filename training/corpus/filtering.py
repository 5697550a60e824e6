"""Fetching and filtering side by side: what is there is filtered while the next archive is on its way."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue

from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.fetching import Download, fetching, packed_bytes, received
from codet5p.training.corpus.filter_pool import Filtered, FilterJob, FilterPool
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.package_store import PackageOutcome, load_outcome
from codet5p.training.corpus.progress import BuildProgress, Stage
from codet5p.training.corpus.sources.receipt import FetchError, Receipt, cache_folder

__all__ = ["FILTER_REVISION", "ArchiveKey", "document_folder", "evaluation_hash", "fetch_and_filter"]

FILTER_REVISION = 2
"""To be raised with every change of a filter, so that archives filtered before are filtered again."""

ArchiveKey = tuple[str, str, str, str]
"""What identifies an archive; see `SourceEntry.archive`."""


def fetch_and_filter(
    groups: Mapping[ArchiveKey, Sequence[SourceEntry]], config: CorpusConfig, work: Path, progress: BuildProgress
) -> dict[ArchiveKey, PackageOutcome]:
    """Return what became of every archive; one that was filtered before, from the same input, is not filtered again.

    Args:
        groups: The manifest's entries by archive.
        config: The recipe.
        work: Folder of the filtered archives.
        progress: Shows both stages.

    Returns:
        Outcomes; their order depends on the network, their content does not.

    Raises:
        OSError: If the disk is full.
    """
    with progress.stages({"fetch": len(groups), "filter": len(groups)}) as stages:
        return _SideBySide(groups, config, work, stages).run()


class _SideBySide:
    """Threads and processes report what they ended; everything is decided in the thread that waits for it."""

    def __init__(
        self,
        groups: Mapping[ArchiveKey, Sequence[SourceEntry]],
        config: CorpusConfig,
        work: Path,
        stages: Mapping[str, Stage],
    ) -> None:
        self._groups = groups
        self._config = config
        self._work = work
        self._fetch, self._filter = stages["fetch"], stages["filter"]
        self._events: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._pool = FilterPool(config, lambda filtered: self._events.put(lambda: self._filtered(filtered)))
        self._outcomes: dict[ArchiveKey, PackageOutcome] = {}

    def run(self) -> dict[ArchiveKey, PackageOutcome]:
        """Return the outcomes of all archives."""
        entries = [group[0] for group in self._groups.values()]
        with (
            self._pool,
            fetching(entries, self._config, lambda download: self._events.put(lambda: self._fetched(download))),
        ):
            while len(self._outcomes) < len(self._groups):
                self._events.get()()
        return self._outcomes

    def _fetched(self, download: Download) -> None:
        entry = download[0]
        try:
            receipt = received(download, self._config, self._fetch)
        except FetchError as error:
            self._outcomes[entry.archive] = PackageOutcome(fingerprint="", failure=str(error))
            self._filter.expect_less()
            return
        job = self._job(entry.archive, receipt)
        known = load_outcome(job.folder)
        if known is not None and known.fingerprint == job.fingerprint:
            self._outcomes[entry.archive] = known
            self._filter.advance(0)
        else:
            self._pool.submit(job)

    def _filtered(self, filtered: Filtered) -> None:
        outcome = self._pool.settle(filtered)
        if outcome is None:
            return
        first = filtered[0].entries[0]
        self._outcomes[first.archive] = outcome
        if outcome.failure:
            self._filter.fail(first.package, outcome.failure)
        else:
            self._filter.advance(filtered[0].bytes)

    def _job(self, key: ArchiveKey, receipt: Receipt | None) -> FilterJob:
        entries = tuple(self._groups[key])
        return FilterJob(
            entries=entries,
            receipt=receipt,
            folder=document_folder(self._work, entries[0]),
            fingerprint=_fingerprint(entries, receipt, self._config, self._evaluation),
            bytes=packed_bytes(entries[0], receipt, self._config),
        )

    @cached_property
    def _evaluation(self) -> str:
        return evaluation_hash(self._config.evaluation)


def _fingerprint(entries: Iterable[SourceEntry], receipt: Receipt | None, config: CorpusConfig, evaluation: str) -> str:
    parts = [
        [asdict(replace(entry, sha256="")) for entry in entries],
        asdict(receipt) if receipt else None,
        asdict(config.filters),
        asdict(config.deduplication),
        evaluation,
        FILTER_REVISION,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def document_folder(work: Path, entry: SourceEntry) -> Path:
    """Return the folder of `work` that holds the filtered documents of the archive of `entry`."""
    name = cache_folder(work, entry)
    suffix = hashlib.sha256(entry.location.encode()).hexdigest()[:8] if entry.location else ""
    return name.with_name(name.name + suffix)


def evaluation_hash(folder: Path | None) -> str:
    """Return the hash of the evaluation data and the block list in `folder`."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()) if folder is not None and folder.is_dir() else ():
        if path.suffix in {".gz", ".txt"}:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
