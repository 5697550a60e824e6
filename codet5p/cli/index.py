"""codet5p index: make, inspect and tidy the search index of a folder."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["index"]


def index(
    path: Annotated[Path, typer.Option("--path", help="Folder to index.", exists=True, file_okay=False)] = Path(),
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Read every file again.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Only say what there is.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Drop what no file needs any more, and free the space.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder for indexes; the user's cache if left out.")
    ] = None,
) -> None:
    """Bring the search index of a folder up to date, and say what it holds."""
    import json

    from codet5p.cli.indexing import bring_up_to_date
    from codet5p.core.errors import ConfigError
    from codet5p.lsp_server.index.store import default_index_folder, index_path

    if status and (rebuild or prune):
        raise ConfigError("--status only looks; leave out --rebuild and --prune")
    root = path.resolve()
    if not status:
        bring_up_to_date(root, cache, is_rebuild=rebuild)
    database = index_path(cache or default_index_folder(), root)
    removed = _prune(database, root) if prune else 0
    facts = _describe(database, root)
    if as_json:
        typer.echo(json.dumps({"root": str(root), "database": str(database), **facts}))
    elif not facts["exists"]:
        typer.echo(f"{root} is not indexed; run codet5p index")
    else:
        typer.echo(f"{facts['files']} files, {facts['chunks']} pieces of code, {facts['pending']} files pending")
        typer.echo(f"{database}: {facts['megabytes']} MB" + (f", {removed} vectors dropped" if prune else ""))


def _prune(database: Path, root: Path) -> int:
    from codet5p.core.errors import SearchIndexError
    from codet5p.lsp_server.index.store import IndexWriter

    writer = IndexWriter.open(database)
    if writer is None:
        raise SearchIndexError(f"an editor is writing the index of {root}; close it and try again")
    with writer:
        with writer.changing():
            removed = writer.prune_vectors(None)
        writer.compact()
    return removed


def _describe(database: Path, root: Path) -> dict[str, object]:
    import sqlite3

    from codet5p.core.errors import SearchIndexError
    from codet5p.lsp_server.index.reader import IndexReader

    if not database.exists():
        return {"exists": False, "files": 0, "chunks": 0, "pending": 0, "megabytes": 0.0}
    try:
        reader = IndexReader(database, root)
        counts = reader.counts()
        reader.close()
    except sqlite3.Error as error:
        raise SearchIndexError(f"{database} cannot be read ({error}); run codet5p index --rebuild") from None
    size = sum(part.stat().st_size for part in database.parent.glob(f"{database.name}*"))
    return {
        "exists": True,
        "files": counts.files,
        "chunks": counts.chunks,
        "pending": counts.pending,
        "megabytes": round(size / 1e6, 1),
    }
