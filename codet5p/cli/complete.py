"""codet5p complete: one completion in the shell."""

from typing import Annotated

import typer

from codet5p.cli.places import ArtifactOption, CacheOption, ThreadsOption, artifact_or_released, cache_or_default

__all__ = ["complete"]


def complete(
    place: Annotated[str, typer.Argument(metavar="FILE:LINE:COLUMN", help="Cursor; line and column count from 1.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a script.")] = False,
    artifact: ArtifactOption = None,
    cache: CacheOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Print the rest of the line at a cursor."""
    import json
    import time
    from threading import Event

    from codet5p.cli.cursor import read_cursor
    from codet5p.cli.engine_loading import load_engine_with_bar
    from codet5p.lsp_server.features.completion import CompletionQuery
    from codet5p.lsp_server.features.syntax import grammar_of_document
    from codet5p.lsp_server.state import completer_for

    cursor = read_cursor(place)
    loaded = load_engine_with_bar(artifact_or_released(artifact), cache_or_default(cache), num_threads=threads)
    completer = completer_for(loaded)
    started = time.perf_counter()
    uri = cursor.path.absolute().as_uri()
    query = CompletionQuery(uri=uri, text=cursor.text, offset=cursor.offset, grammar=grammar_of_document("", uri))
    suggestion = completer.complete(query, Event())
    milliseconds = round(1000 * (time.perf_counter() - started), 1)
    text = suggestion.text if suggestion is not None else ""
    if not as_json:
        typer.echo(text)
        return
    result = {
        "file": str(cursor.path),
        "line": cursor.line,
        "column": cursor.column,
        "completion": text,
        "score": round(suggestion.score, 4) if suggestion is not None else None,
        "milliseconds": milliseconds,
        "model": loaded.manifest.name,
        "revision": loaded.manifest.revision,
    }
    typer.echo(json.dumps(result, ensure_ascii=False))
