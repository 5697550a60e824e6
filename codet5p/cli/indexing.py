"""Bringing a folder's index up to date in the shell, with a bar once it takes a moment."""

from pathlib import Path

__all__ = ["bring_up_to_date"]

_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.1


def bring_up_to_date(root: Path, cache: Path | None, *, is_rebuild: bool = False) -> Path:
    """Update the index of `root` in this process and return its database.

    Where an editor's indexer is at work on it already, that one is waited for until it is done with what it knows of.

    Args:
        root: The folder.
        cache: Folder of indexes; the user's cache where None.
        is_rebuild: Read every file again.

    Returns:
        The database.

    Raises:
        SearchIndexError: If the index cannot be written.
    """
    from threading import Event

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from codet5p.lsp_server.index.config import IndexConfig
    from codet5p.lsp_server.index.indexer import update_index
    from codet5p.lsp_server.index.store import IndexWriter, default_index_folder, index_path

    database = index_path(cache or default_index_folder(), root)
    writer = IndexWriter.open(database, is_check_wanted=is_rebuild)
    if writer is None:
        _wait_for_other(database, root)
        return database
    columns = (TextColumn("indexing"), BarColumn(), MofNCompleteColumn(), TextColumn("files"))
    with writer, Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("indexing", total=None, visible=False)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total > 0)

        if is_rebuild:
            with writer.changing():
                writer.forget_files()
        update_index(writer, root, IndexConfig(), Event(), advance)
    return database


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
