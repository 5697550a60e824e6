"""codet5p search: find code by description in the shell."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.text import Text

    from codet5p.lsp_server.features.search import Hit, SearchAnswer, SimilarQuery

__all__ = ["search"]

_EMBED_SECONDS = 3.0


def search(  # noqa: PLR0913 - one option each
    query: Annotated[
        str, typer.Argument(help="Words, a description or a name; lang:go, path:src/ and kind:class filter.")
    ] = "",
    *,
    similar: Annotated[
        str | None, typer.Option("--similar", metavar="FILE:LINE", help="Find code like that at a line instead.")
    ] = None,
    path: Annotated[Path, typer.Option("--path", help="Folder to search.", exists=True, file_okay=False)] = Path(),
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="Hits, at most.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
    is_opened: Annotated[bool, typer.Option("--open", help="Show the hits as a page in the browser.")] = False,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder for indexes; the user's cache if left out.")
    ] = None,
) -> None:
    """Find code by description. The index is made on the first call, and brought up to date on each.

    What the encoder did not get to in a few seconds is found by its words alone; `codet5p index` takes the time.
    """
    import json
    import time

    from codet5p.cli.indexing import bring_up_to_date, released_encoder
    from codet5p.core.errors import ConfigError
    from codet5p.lsp_server.features.search import Searcher, SearchQuery
    from codet5p.lsp_server.index.config import RankingConfig

    if bool(query) == (similar is not None):
        raise ConfigError("say what to find: words, or --similar FILE:LINE")
    root = path.resolve()
    wanted = _read_place(similar, root, limit) if similar is not None else SearchQuery(text=query, limit=limit)
    encoder = released_encoder()
    place = bring_up_to_date(root, cache, encoder=encoder, embed_seconds=_EMBED_SECONDS)
    searcher = Searcher([(root, place)], RankingConfig(), encoder)
    started = time.perf_counter()
    answer = searcher.search(wanted) if isinstance(wanted, SearchQuery) else searcher.similar(wanted)
    milliseconds = round(1000 * (time.perf_counter() - started), 1)
    searcher.close()
    if as_json:
        typer.echo(json.dumps(_as_json(answer, milliseconds), ensure_ascii=False))
    else:
        _show(answer, path, milliseconds)
    if is_opened:
        _open_report(query or f"like {similar}", answer, place.parent)


def _show(answer: "SearchAnswer", given: Path, milliseconds: float) -> None:
    """Print the hits, through a pager where they do not fit on the screen."""
    import contextlib

    from rich.console import Console

    from codet5p.cli.search_report import sizes_of

    console = Console(highlight=False, soft_wrap=True)
    num_lines = sum(len(hit.snippet.lines) + 2 for hit in answer.hits)
    is_long = console.is_terminal and num_lines > console.height
    with console.pager(styles=True, links=True) if is_long else contextlib.nullcontext():
        for hit in answer.hits:
            console.print(_heading(hit, given))
            console.print(_snippet(hit), end="\n\n")
    if not answer.hits:
        Console(stderr=True).print("nothing found; try other words or fewer filters")
    Console(stderr=True).print(f"[dim]{sizes_of(answer)}, {milliseconds} ms")


def _open_report(question: str, answer: "SearchAnswer", folder: Path) -> None:
    """Write the hits as a page beside the index, which is private to the user, and show it in the browser."""
    import webbrowser

    from codet5p.cli.search_report import report_of

    report = folder / "search.html"
    report.write_text(report_of(question, answer), "utf-8")
    report.chmod(0o600)
    if not webbrowser.open(report.as_uri()):
        typer.echo(f"no browser was found; the report is {report}", err=True)


def _read_place(place: str, root: Path, limit: int) -> "SimilarQuery":
    """Return the question for the like of a line, given as FILE:LINE."""
    from codet5p.core.errors import DataError
    from codet5p.lsp_server.features.search import SimilarQuery

    name, _, line = place.rpartition(":")
    file = Path(name).resolve()
    if not name or not line.isdecimal() or int(line) < 1:
        raise DataError(f"{place!r} is no place; write FILE:LINE, such as app.py:10")
    if not file.is_relative_to(root):
        raise DataError(f"{file} does not lie in {root}; name its folder with --path")
    return SimilarQuery(file=file, line=int(line) - 1, limit=limit)


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
