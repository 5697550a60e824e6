"""A corpus build from manifest to files: fetch and filter side by side, decide, write.

Whatever is finished is kept: downloads by their receipt, filtered archives by their fingerprint. After a kill, a full
disk or a lost connection, the same command goes on. The corpus itself appears in one step at the end.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codet5p.core.errors import DataError
from codet5p.training.corpus.assembly import select_documents, split_packages
from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.filtering import ArchiveKey, document_folder, evaluation_hash, fetch_and_filter
from codet5p.training.corpus.manifest import SourceEntry, read_manifest
from codet5p.training.corpus.package_store import PackageOutcome, load_columns
from codet5p.training.corpus.progress import BuildProgress
from codet5p.training.corpus.storage import write_index
from codet5p.training.corpus.writing import FinishedArchive, write_corpus

__all__ = ["build_corpus"]


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
    groups: dict[ArchiveKey, list[SourceEntry]] = {}
    for entry in read_manifest(config.manifest):
        groups.setdefault(entry.archive, []).append(entry)
    outcomes = fetch_and_filter(groups, config, work, progress)
    archives = [
        FinishedArchive(
            name=f"{archive[0]}:{archive[1]}", folder=document_folder(work, entries[0]), outcome=outcomes[archive]
        )
        for archive, entries in groups.items()
        if not outcomes[archive].failure
    ]
    if not archives:
        raise DataError("no package could be used; see the failures with codet5p corpus report")
    figures = _assemble(archives, config, out, progress)
    _describe(groups, outcomes, config, out)
    return figures


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
    groups: dict[ArchiveKey, list[SourceEntry]],
    outcomes: Mapping[ArchiveKey, PackageOutcome],
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
            "evaluation_sha256": evaluation_hash(config.evaluation),
            "seed": config.seed,
            "packages": len(packages),
            "packages_used": sum(not outcome.failure for outcome in outcomes.values()),
        },
    )
