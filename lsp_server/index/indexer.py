"""Bringing an index up to date with its workspace: only what changed in content is read into it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event
from typing import NamedTuple

from codet5p.lsp_server.index.chunker import Chunk, chunk_file, indexed_language
from codet5p.lsp_server.index.config import IndexConfig
from codet5p.lsp_server.index.roles import role_of
from codet5p.lsp_server.index.store import IndexWriter, KnownFile
from codet5p.lsp_server.index.walk import FileContent, FoundFile, find_file, read_content, walk_workspace

__all__ = ["Changes", "Progress", "update_index"]

_RACE_NS = 2_000_000_000

Progress = Callable[[int, int], None]
"""Called with files done and files to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What one update did, in files.

    Attributes:
        indexed: Read into the index.
        removed: Taken out of it.
        skipped: Changed, but unreadable or not text.
        remaining: Left for the next update, because this one was stopped.
    """

    indexed: int
    removed: int
    skipped: int
    remaining: int


class _Read(NamedTuple):
    file: FoundFile
    content: FileContent | None
    chunks: list[Chunk]
    is_unchanged: bool


def update_index(
    writer: IndexWriter,
    root: Path,
    config: IndexConfig,
    stop: Event,
    progress: Progress = lambda _done, _total: None,
    *,
    paths: frozenset[str] | None = None,
) -> Changes:
    """Bring the index up to date with the files of a workspace, or with those of `paths`.

    A file whose size and modification time are as before is not read, unless it was read so soon after it was modified
    that the clock may hide a second change.

    Args:
        writer: The index.
        root: The workspace.
        config: What to take in.
        stop: Set to end soon; what was done is kept.
        progress: Told how far it is.
        paths: The only files to look at, relative to the workspace; all where None.

    Returns:
        What was done.

    Raises:
        SearchIndexError: If the index cannot be written.
    """
    known, found = _look_around(writer, root, config, paths)
    removed = [path for path in known if path not in found]
    changed = [file for file in found.values() if _may_have_changed(file, known.get(file.path))]
    with writer.changing():
        for path in removed:
            writer.remove(path)
        writer.set_pending(len(changed))
    num_indexed = num_done = num_skipped = 0
    progress(0, len(changed))
    for batch in _batches(_read_all(root, changed, known, config, stop), config.files_per_transaction):
        with writer.changing():
            for read in batch:
                _write(writer, read)
            num_done += len(batch)
            writer.set_pending(len(changed) - num_done)
        num_indexed += sum(read.content is not None and not read.is_unchanged for read in batch)
        num_skipped += sum(read.content is None for read in batch)
        progress(num_done, len(changed))
    return Changes(indexed=num_indexed, removed=len(removed), skipped=num_skipped, remaining=len(changed) - num_done)


def _look_around(
    writer: IndexWriter, root: Path, config: IndexConfig, paths: frozenset[str] | None
) -> tuple[dict[str, KnownFile], dict[str, FoundFile]]:
    """Return the files as the index knows them and as they are."""
    known = writer.known_files()
    if paths is None:
        return known, {file.path: file for file in walk_workspace(root, config)}
    found = {path: file for path in paths if (file := find_file(root, path, config)) is not None}
    return {path: file for path, file in known.items() if path in paths}, found


def _may_have_changed(file: FoundFile, known: KnownFile | None) -> bool:
    if known is None or (known.size, known.modified_ns) != (file.size, file.modified_ns):
        return True
    return known.read_ns - known.modified_ns < _RACE_NS


def _read_all(
    root: Path, files: Iterable[FoundFile], known: dict[str, KnownFile], config: IndexConfig, stop: Event
) -> Iterator[_Read]:
    for file in files:
        if stop.is_set():
            return
        content = read_content(root, file.path, config)
        before = known.get(file.path)
        is_unchanged = content is not None and before is not None and before.digest == content.digest
        chunks = [] if content is None or is_unchanged else chunk_file(content.text, file.path, config)
        yield _Read(file, content, chunks, is_unchanged)


def _write(writer: IndexWriter, read: _Read) -> None:
    language = indexed_language(read.file.path)
    assert language is not None, "the walk yields only code"
    if read.is_unchanged:
        writer.touch(read.file)
        return
    # What cannot be read is remembered without chunks, so that it is not tried again before it changes.
    text, digest = read.content or ("", b"")
    role = role_of(read.file.path, text)
    writer.put(read.file, language=language, role=role, digest=digest, chunks=read.chunks)


def _batches(reads: Iterator[_Read], size: int) -> Iterator[list[_Read]]:
    while batch := list(islice(reads, size)):
        yield batch
