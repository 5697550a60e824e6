"""Processes that filter archives, the largest waiting one first.

An archive may kill its process: by a parser's crash, or by more memory than there is. All that ran beside it are
suspects; they are tried once more, one at a time and when nothing else waits, and the one that does it again is named.
"""

import heapq
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.contamination import load_block_list, load_evaluation_index
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.package_store import PackageOutcome
from codet5p.training.corpus.packages import Rules, process_archive
from codet5p.training.corpus.sources.receipt import Receipt
from codet5p.training.corpus.worker_process import end_with_parent

__all__ = ["FilterJob", "FilterPool", "Filtered", "load_rules"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterJob:
    """An archive to be filtered."""

    entries: tuple[SourceEntry, ...]
    """The manifest's entries that share the archive."""
    receipt: Receipt | None
    """None for a source that is read in place."""
    folder: Path
    """Where the documents go."""
    fingerprint: str
    bytes: int
    """Size of the download; the largest is filtered first, so that none is left alone at the end."""


Filtered = tuple[FilterJob, Future[PackageOutcome]]


class FilterPool:
    """Filters jobs in `config.workers` processes, or at once in this one if there are none.

    All methods are called in one thread: `submit` for every job, then `settle` for each that `done` reported.
    """

    def __init__(self, config: CorpusConfig, done: Callable[[Filtered], None]) -> None:
        self._config = config
        self._done = done
        self._pool: ProcessPoolExecutor | None = None
        self._order = count()
        self._waiting: list[tuple[int, int, FilterJob]] = []
        self._suspects: list[FilterJob] = []
        self._alone: FilterJob | None = None
        self._running = 0

    def submit(self, job: FilterJob) -> None:
        """Filter `job` as soon as a process is free."""
        heapq.heappush(self._waiting, (-job.bytes, next(self._order), job))
        self._fill()

    def settle(self, filtered: Filtered) -> PackageOutcome | None:
        """Return the outcome of a job that ended, or None if it will be tried once more.

        Args:
            filtered: What `done` was called with.

        Returns:
            The outcome; that of a job which killed its process twice says so.
        """
        job, future = filtered
        self._running -= 1
        was_alone = self._alone is job
        if was_alone:
            self._alone = None
        outcome: PackageOutcome | None = None
        try:
            outcome = future.result()
        except BrokenProcessPool:
            if was_alone:
                outcome = PackageOutcome(fingerprint="", failure="the filter process died on this archive")
            else:
                self._suspects.append(job)
        self._fill()
        return outcome

    def _fill(self) -> None:
        """Keep every process at work, with one more job at hand."""
        while self._waiting and self._alone is None and self._running <= self._config.workers:
            if not self._start(self._waiting[0][-1]):
                return
            heapq.heappop(self._waiting)
        if self._suspects and not self._running and self._start(self._suspects[-1]):
            self._alone = self._suspects.pop()

    def _start(self, job: FilterJob) -> bool:
        """Begin `job`; False if a process died and not all jobs that it took with it are settled."""
        if self._config.workers == 0:
            future: Future[PackageOutcome] = Future()
            future.set_result(_process(job, self._rules))
        else:
            try:
                future = self._processes().submit(_process_in_worker, job)
            except BrokenProcessPool:
                if self._running:
                    return False
                self._pool = None
                return self._start(job)
        self._running += 1
        future.add_done_callback(partial(self._report, job))
        return True

    def _report(self, job: FilterJob, future: Future[PackageOutcome]) -> None:
        if not future.cancelled():
            self._done((job, future))

    @cached_property
    def _rules(self) -> Rules:
        return load_rules(self._config)

    def _processes(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._config.workers, context, _start_worker, (self._config,))
        return self._pool

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


_worker_rules: list[Rules] = []
"""What the jobs of a worker process share: a process pool has no other place for it."""


def _start_worker(config: CorpusConfig) -> None:
    end_with_parent()
    _worker_rules.append(load_rules(config))


def load_rules(config: CorpusConfig) -> Rules:
    """Return what decides about files, with the evaluation data read."""
    return Rules(
        config=config,
        evaluation=load_evaluation_index(config.evaluation, config.filters.contamination_ngram),
        blocked=load_block_list(config.evaluation),
    )


def _process_in_worker(job: FilterJob) -> PackageOutcome:
    return _process(job, _worker_rules[0])


def _process(job: FilterJob, rules: Rules) -> PackageOutcome:
    return process_archive(job.entries, job.receipt, job.folder, rules, job.fingerprint)
