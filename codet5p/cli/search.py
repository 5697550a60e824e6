"""codet5p search: find code by description in the shell."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.text import Text

    from codet5p.lsp_server.features.search import Hit, SearchAnswer

__all__ = ["search"]


def search(
    query: Annotated[
        str, typer.Argument(help="Words, a description or a name; lang:go, path:src/ and kind:class filter.")
    ],
    path: Annotated[Path, typer.Option("--path", help="Folder to search.", exists=True, file_okay=False)] = Path(),
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="Hits, at most.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder for indexes; the user's cache if left out.")
    ] = None,
) -> None:
    """Find code by description. The index is made on the first call, and brought up to date on each."""
    import json
    import time

    from rich.console import Console

    from codet5p.cli.indexing import bring_up_to_date
    from codet5p.lsp_server.features.search import Searcher, SearchQuery
    from codet5p.lsp_server.index.config import RankingConfig

    root = path.resolve()
    place = bring_up_to_date(root, cache)
    searcher = Searcher([(root, place)], RankingConfig())
    started = time.perf_counter()
    answer = searcher.search(SearchQuery(text=query, limit=limit))
    milliseconds = round(1000 * (time.perf_counter() - started), 1)
    searcher.close()
    if as_json:
        typer.echo(json.dumps(_as_json(answer, milliseconds), ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    for hit in answer.hits:
        console.print(_heading(hit, path))
        console.print(_snippet(hit), end="\n\n")
    if not answer.hits:
        Console(stderr=True).print("nothing found; try other words or fewer filters")
    Console(stderr=True).print(f"[dim]{len(answer.hits)} hits in {answer.indexed} files, {milliseconds} ms")


def _as_json(answer: "SearchAnswer", milliseconds: float) -> dict[str, object]:
    """Return the answer as plain JSON; lines count from 1."""
    hits = [
        {
            "file": str(hit.file),
            "line": hit.first_line + 1,
            "end_line": hit.first_line + 1 + hit.text.count("\n"),
            "name": hit.name,
            "kind": hit.kind,
            "language": hit.language,
            "score": hit.score,
            "snippet": hit.snippet.text,
            "snippet_line": hit.first_line + hit.snippet.first_line + 1,
        }
        for hit in answer.hits
    ]
    return {"hits": hits, "indexed": answer.indexed, "pending": answer.pending, "milliseconds": milliseconds}


def _heading(hit: "Hit", given: Path) -> "Text":
    """Return `file:line kind name`; the place is a link where the terminal knows links, and one that editors open."""
    from rich.text import Text

    link = f"link {hit.file.as_uri()}#L{hit.first_line + 1}"
    place = f"{(given / hit.path).as_posix()}:{hit.first_line + 1}"
    return Text.assemble((place, f"cyan {link}"), "  ", (hit.kind, "dim"), " ", (hit.name, "bold"))


def _snippet(hit: "Hit") -> "Text":
    from rich.text import Text

    text = Text()
    for index, line in enumerate(hit.snippet.lines):
        number = hit.first_line + hit.snippet.first_line + index + 1
        is_best = index in hit.snippet.best
        text.append(f"{'>' if is_best else ' '}{number:>5} ", "yellow" if is_best else "dim")
        text.append(line.expandtabs(4), "bold" if is_best else "")
        text.append("\n" if index + 1 < len(hit.snippet.lines) else "")
    return text
