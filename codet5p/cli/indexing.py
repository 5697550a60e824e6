"""Bringing a folder's index up to date in the shell, with a bar once it takes a moment."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from codet5p.lsp_server.index.embedding import Embedder
    from codet5p.lsp_server.index.store import IndexWriter

__all__ = ["BUSY", "bring_up_to_date", "released_encoder"]

BUSY = "an editor is writing the index of {root}; close it, or pause indexing there, and try again"

_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.1


def released_encoder() -> "Embedder | None":
    """Return the encoder that is installed with the package, loaded when it is first used; None if there is none."""
    from codet5p.core.artifact import released_artifact
    from codet5p.core.assembly import default_cache
    from codet5p.lsp_server.index.encoder import LazyEncoder, find_encoder

    place = find_encoder(released_artifact(), default_cache())
    return LazyEncoder(place, num_threads=0) if place is not None else None


def bring_up_to_date(
    root: Path,
    cache: Path | None,
    *,
    is_rebuild: bool = False,
    encoder: "Embedder | None" = None,
    embed_seconds: float | None = None,
) -> Path:
    """Update the index of `root` in this process and return its database.

    Where an editor's indexer is at work on it already, that one is waited for until it is done with what it knows of.

    Args:
        root: The folder.
        cache: Folder of indexes; the user's cache where None.
        is_rebuild: Read every file again.
        encoder: Embeds what has no vector yet; nothing is embedded where None.
        embed_seconds: When to leave the rest of that for another time; never where None.

    Returns:
        The database.

    Raises:
        SearchIndexError: If the index cannot be written, or is to be rebuilt while an editor writes it.
        EngineError: If the encoder fails.
    """
    from threading import Event

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from codet5p.core.errors import SearchIndexError
    from codet5p.lsp_server.index.config import IndexConfig
    from codet5p.lsp_server.index.indexer import update_index
    from codet5p.lsp_server.index.store import IndexWriter, default_index_folder, index_path

    database = index_path(cache or default_index_folder(), root)
    writer = IndexWriter.open(database, is_check_wanted=is_rebuild)
    if writer is None:
        if is_rebuild:
            raise SearchIndexError(BUSY.format(root=root))
        _wait_for_other(database, root)
        return database
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}"))
    console = Console(stderr=True)
    with writer, Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("indexing", total=None, visible=False, unit="files")

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total > 0)

        if is_rebuild:
            with writer.changing():
                writer.forget_files()
        update_index(writer, root, IndexConfig(), Event(), advance)
        if encoder is not None:
            bar.update(task, visible=False)
            _embed(writer, encoder, embed_seconds, bar)
    return database


def _embed(writer: "IndexWriter", encoder: "Embedder", seconds: float | None, bar: "Progress") -> None:
    from threading import Event, Timer

    from codet5p.lsp_server.index.embedding import embed_pending

    task = bar.add_task("embedding", total=None, visible=False, unit="pieces of code")
    stop = Event()
    timer = Timer(seconds, stop.set) if seconds is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        embed_pending(
            writer, encoder, stop, lambda done, total: bar.update(task, completed=done, total=total, visible=True)
        )
    finally:
        if timer is not None:
            timer.cancel()


def _wait_for_other(database: Path, root: Path) -> None:
    """Wait while another process writes the index, as long as it has files to do."""
    import sqlite3
    import time

    from codet5p.lsp_server.index.reader import IndexReader

    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            reader = IndexReader(database, root)
        except sqlite3.Error:
            time.sleep(_POLL_SECONDS)
            continue
        try:
            counts = reader.counts()
        finally:
            reader.close()
        if counts.files and not counts.pending:
            return
        time.sleep(_POLL_SECONDS)
