"""A corpus build from manifest to files: fetch, filter in parallel, decide, write.

Whatever is finished is kept: downloads by their receipt, filtered archives by their fingerprint. After a kill, a full
disk or a lost connection, the same command goes on. The corpus itself appears in one step at the end.
"""

import errno
import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, replace
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Any

from codet5p.core.errors import DataError
from codet5p.training.corpus.assembly import select_documents, split_packages
from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.contamination import load_block_list, load_evaluation_index
from codet5p.training.corpus.manifest import SourceEntry, read_manifest
from codet5p.training.corpus.package_store import PackageOutcome, load_columns, load_outcome
from codet5p.training.corpus.packages import Rules, process_archive
from codet5p.training.corpus.progress import BuildProgress
from codet5p.training.corpus.sources.fetch import Fetcher
from codet5p.training.corpus.sources.receipt import FetchError, Receipt, cache_folder
from codet5p.training.corpus.storage import write_index
from codet5p.training.corpus.writing import FinishedArchive, write_corpus

__all__ = ["build_corpus", "fetch_all", "load_rules"]

FILTER_REVISION = 1
"""To be raised with every change of a filter, so that archives filtered before are filtered again."""

_Archive = tuple[str, str, str, str]


def build_corpus(config: CorpusConfig, out: Path, progress: BuildProgress) -> dict[str, Any]:
    """Build the corpus of `config` in `out` and return its figures by language.

    Args:
        config: The recipe.
        out: Folder of the corpus; intermediate files are kept in `out/.work` for the next build.
        progress: Shows how far each stage is.

    Returns:
        The content of `statistics.json`.

    Raises:
        DataError: If the manifest or the evaluation data cannot be read, nothing could be fetched, or the disk is full.
    """
    try:
        return _build(config, out, progress)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DataError(f"the disk of {out} is full; make room and run the same command again") from None
        raise


def _build(config: CorpusConfig, out: Path, progress: BuildProgress) -> dict[str, Any]:
    work = out / ".work"
    work.mkdir(parents=True, exist_ok=True)
    groups: dict[_Archive, list[SourceEntry]] = {}
    for entry in read_manifest(config.manifest):
        groups.setdefault(entry.archive, []).append(entry)
    outcomes: dict[_Archive, PackageOutcome] = {}
    receipts = fetch_all([entries[0] for entries in groups.values()], config, outcomes, progress)
    _filter_all(groups, receipts, config, work, outcomes, progress)
    archives = [
        FinishedArchive(name=f"{archive[0]}:{archive[1]}", folder=_folder(work, entries[0]), outcome=outcomes[archive])
        for archive, entries in groups.items()
        if not outcomes[archive].failure
    ]
    if not archives:
        raise DataError("no package could be used; see the failures with codet5p corpus report")
    figures = _assemble(archives, config, out, progress)
    _describe(groups, outcomes, config, out)
    return figures


def fetch_all(
    entries: Sequence[SourceEntry],
    config: CorpusConfig,
    outcomes: dict[_Archive, PackageOutcome],
    progress: BuildProgress,
) -> dict[_Archive, Receipt | None]:
    """Fetch every entry; a failure becomes an outcome and stops nothing."""
    for leftover in config.cache.glob(".partial-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fetcher = Fetcher(config.cache, config.fetch)
    receipts: dict[_Archive, Receipt | None] = {}
    with progress.stage("fetch", len(entries)) as stage, ThreadPoolExecutor(config.fetch.workers) as pool:
        futures = {pool.submit(fetcher.fetch, entry): entry for entry in entries}
        for future in as_completed(futures):
            entry = futures[future]
            try:
                receipt = receipts[entry.archive] = future.result()
                folder = cache_folder(config.cache, entry)
                stage.advance(sum((folder / name).stat().st_size for name in receipt.files) if receipt else 0)
            except FetchError as error:
                outcomes[entry.archive] = PackageOutcome(fingerprint="", failure=str(error))
                stage.fail(entry.package, str(error))
    return receipts


def _fingerprint(entries: Iterable[SourceEntry], receipt: Receipt | None, config: CorpusConfig, rules: str) -> str:
    parts = [
        [asdict(replace(entry, sha256="")) for entry in entries],
        asdict(receipt) if receipt else None,
        asdict(config.filters),
        asdict(config.deduplication),
        rules,
        FILTER_REVISION,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _folder(work: Path, entry: SourceEntry) -> Path:
    name = cache_folder(work, entry)
    suffix = hashlib.sha256(entry.location.encode()).hexdigest()[:8] if entry.location else ""
    return name.with_name(name.name + suffix)


def _filter_all(
    groups: dict[_Archive, list[SourceEntry]],
    receipts: dict[_Archive, Receipt | None],
    config: CorpusConfig,
    work: Path,
    outcomes: dict[_Archive, PackageOutcome],
    progress: BuildProgress,
) -> None:
    """Filter every fetched archive that is not finished yet, the largest first."""
    rules = _evaluation_hash(config.evaluation)
    prints = {key: _fingerprint(groups[key], receipt, config, rules) for key, receipt in receipts.items()}
    with progress.stage("filter", len(receipts)) as stage:
        todo: list[_Archive] = []
        for key in receipts:
            known = load_outcome(_folder(work, groups[key][0]))
            if known is not None and known.fingerprint == prints[key]:
                outcomes[key] = known
                stage.advance(0)
            else:
                todo.append(key)
        todo.sort(key=lambda key: -_packed_bytes(groups[key][0], receipts[key], config))
        jobs = {key: (groups[key], receipts[key], _folder(work, groups[key][0]), prints[key]) for key in todo}
        for key, outcome in _run_jobs(jobs, config):
            outcomes[key] = outcome
            if outcome.failure:
                stage.fail(groups[key][0].package, outcome.failure)
            else:
                stage.advance(_packed_bytes(groups[key][0], receipts[key], config))


_Job = tuple[list[SourceEntry], Receipt | None, Path, str]


def _run_jobs(jobs: dict[_Archive, _Job], config: CorpusConfig) -> Iterator[tuple[_Archive, PackageOutcome]]:
    """Yield the outcome of every job; one that kills its process is named and the others are run again."""
    if config.workers == 0:
        rules = load_rules(config)
        for key, job in jobs.items():
            yield key, process_archive(job[0], job[1], job[2], rules, job[3])
        return
    pending = dict(jobs)
    yield from _run_pool(pending, list(pending), config)
    for key in list(pending):
        yield from _run_pool(pending, [key], config)
        if pending.pop(key, None) is not None:
            yield key, PackageOutcome(fingerprint="", failure="the filter process died on this archive")


def _run_pool(
    pending: dict[_Archive, _Job], keys: Sequence[_Archive], config: CorpusConfig
) -> Iterator[tuple[_Archive, PackageOutcome]]:
    """Run the jobs of `keys` in one pool; those that were finished leave `pending`."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(config.workers, len(keys) or 1), context, _start_worker, (config,)) as pool:
        futures: dict[Future[PackageOutcome], _Archive] = {pool.submit(_process, pending[key]): key for key in keys}
        for future in as_completed(futures):
            try:
                outcome = future.result()
            except BrokenProcessPool:
                continue
            del pending[futures[future]]
            yield futures[future], outcome


_worker_rules: list[Rules] = []
"""What the jobs of a worker process share: a process pool has no other place for it."""


def _start_worker(config: CorpusConfig) -> None:
    """Load what the jobs share, and make the process end with the build, even if the build is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_exit_with, args=(parent.sentinel,), daemon=True).start()
    _worker_rules.append(load_rules(config))


def _exit_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def load_rules(config: CorpusConfig) -> Rules:
    """Return what decides about files, with the evaluation data read."""
    return Rules(
        config=config,
        evaluation=load_evaluation_index(config.evaluation, config.filters.contamination_ngram),
        blocked=load_block_list(config.evaluation),
    )


def _process(job: _Job) -> PackageOutcome:
    entries, receipt, folder, fingerprint = job
    return process_archive(entries, receipt, folder, _worker_rules[0], fingerprint)


def _packed_bytes(entry: SourceEntry, receipt: Receipt | None, config: CorpusConfig) -> int:
    folder = cache_folder(config.cache, entry)
    return sum((folder / name).stat().st_size for name in receipt.files) if receipt else 0


def _evaluation_hash(folder: Path | None) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()) if folder is not None and folder.is_dir() else ():
        if path.suffix in {".gz", ".txt"}:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _assemble(
    archives: Sequence[FinishedArchive], config: CorpusConfig, out: Path, progress: BuildProgress
) -> dict[str, Any]:
    """Write the corpus beside its place and move it there when it is complete."""
    with progress.stage("deduplicate", 1) as stage:
        selection = select_documents([archive.folder for archive in archives], config)
        stage.advance(0)
    groups = {str(p): archive.name for archive in archives for p in set(load_columns(archive.folder).package)}
    splits = split_packages(selection.bytes, groups, config.storage, config.seed)
    partial = out / ".work" / "corpus.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with progress.stage("write", sum(mask.size for mask in selection.keep)) as stage:
        figures = write_corpus(
            archives, selection, splits, partial, config.storage, advance=lambda count: stage.advance(0, count)
        )
    for name in ("code", "pairs"):
        shutil.rmtree(out / name, ignore_errors=True)
    for path in sorted(partial.iterdir()):
        path.replace(out / path.name)
    partial.rmdir()
    return figures


def _describe(
    groups: dict[_Archive, list[SourceEntry]],
    outcomes: dict[_Archive, PackageOutcome],
    config: CorpusConfig,
    out: Path,
) -> None:
    """Write what became of every package, and the index that closes the build."""
    packages = [
        {
            "kind": archive[0],
            "name": archive[1],
            "pinned_version": archive[2],
            "version": outcomes[archive].version,
            "sha256": outcomes[archive].sha256,
            "licence": outcomes[archive].licence,
            "stated_licence": outcomes[archive].stated_licence,
            "documents": outcomes[archive].documents,
            "addresses": outcomes[archive].addresses,
            "failure": outcomes[archive].failure,
        }
        for archive in groups
    ]
    (out / "packages.json").write_text(json.dumps(packages, indent=1) + "\n", "utf-8")
    manifest_hash = hashlib.sha256(config.manifest.read_bytes()).hexdigest()
    write_index(
        out,
        {
            "manifest_sha256": manifest_hash,
            "evaluation_sha256": _evaluation_hash(config.evaluation),
            "seed": config.seed,
            "packages": len(packages),
            "packages_used": sum(not outcome.failure for outcome in outcomes.values()),
        },
    )
