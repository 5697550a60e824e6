"""codet5p index: make, inspect and tidy the search index of a folder."""

from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["index"]


def index(  # noqa: PLR0913, PLR0917 - one option each
    path: Annotated[Path, typer.Option("--path", help="Folder to index.", exists=True, file_okay=False)] = Path(),
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Read every file again.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Only say what there is.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Drop what no file needs any more, and free the space.")
    ] = False,
    keywords: Annotated[
        bool, typer.Option("--keywords", help="Leave out the vectors, which take most of the time.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder for indexes; the user's cache if left out.")
    ] = None,
) -> None:
    """Bring the search index of a folder up to date, and say what it holds."""
    import json

    from codet5p.cli.indexing import bring_up_to_date, released_encoder
    from codet5p.cli.search_report import counted
    from codet5p.core.errors import ConfigError
    from codet5p.lsp_server.index.embedding import vector_model
    from codet5p.lsp_server.index.store import default_index_folder, index_path

    if status and (rebuild or prune):
        raise ConfigError("--status only looks; leave out --rebuild and --prune")
    root = path.resolve()
    encoder = released_encoder()
    model = vector_model(encoder) if encoder is not None else None
    if not status:
        bring_up_to_date(root, cache, is_rebuild=rebuild, encoder=None if keywords else encoder)
    database = index_path(cache or default_index_folder(), root)
    removed = _prune(database, root, model) if prune else 0
    facts = _describe(database, root, model)
    if as_json:
        typer.echo(json.dumps({"root": str(root), "database": str(database), **facts}))
    elif not facts["exists"]:
        typer.echo(f"{root} is not indexed; run codet5p index")
    else:
        files, pending = (counted(int(facts[name]), "file") for name in ("files", "pending"))
        typer.echo(f"{files}, {facts['chunks']} pieces of code, {pending} pending")
        if model is None:
            typer.echo("no encoder is installed: search goes by keywords and rules alone")
        else:
            typer.echo(f"{facts['vectors']} vectors of {model}, {facts['unembedded']} pieces of code without")
        typer.echo(f"{database}: {facts['megabytes']} MB" + (f", {removed} vectors dropped" if prune else ""))


def _prune(database: Path, root: Path, model: str | None) -> int:
    from codet5p.cli.indexing import BUSY
    from codet5p.core.errors import SearchIndexError
    from codet5p.lsp_server.index.store import IndexWriter

    writer = IndexWriter.open(database)
    if writer is None:
        raise SearchIndexError(BUSY.format(root=root))
    with writer:
        with writer.changing():
            removed = writer.prune_vectors(model)
        writer.compact()
    return removed


def _describe(database: Path, root: Path, model: str | None) -> dict[str, Any]:
    import sqlite3

    from codet5p.core.errors import SearchIndexError
    from codet5p.lsp_server.index.reader import IndexReader

    if not database.exists():
        nothing = dict.fromkeys(("files", "chunks", "pending", "vectors", "unembedded"), 0)
        return {"exists": False, **nothing, "megabytes": 0.0}
    try:
        reader = IndexReader(database, root)
        counts = reader.counts(model)
        reader.close()
    except sqlite3.Error as error:
        raise SearchIndexError(f"{database} cannot be read ({error}); run codet5p index --rebuild") from None
    size = sum(part.stat().st_size for part in database.parent.glob(f"{database.name}*"))
    return {
        "exists": True,
        "files": counts.files,
        "chunks": counts.chunks,
        "pending": counts.pending,
        "vectors": counts.vectors,
        "unembedded": counts.unembedded,
        "megabytes": round(size / 1e6, 1),
    }
