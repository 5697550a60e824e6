"""codet5p/search: find code by description."""

from collections.abc import Callable
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from codet5p.lsp_server.documents import Document
from codet5p.lsp_server.features.search import Hit, SearchAnswer, SearchQuery
from codet5p.lsp_server.handlers.positions import PositionEncoding, to_position
from codet5p.lsp_server.state import ServerState

__all__ = ["end_position", "read_limit", "search", "to_json"]


async def search(
    state: ServerState, params: Any, encoding: PositionEncoding, send_partial: Callable[[Any, dict[str, Any]], None]
) -> dict[str, Any]:
    """Return the hits for `query` as plain JSON, with the numbers of files indexed and pending.

    Args:
        state: The server.
        params: `query`, and if given `limit`, `language`, `path` and `partialResultToken`. With such a token what the
            words alone find is sent first; the answer takes its place.
        encoding: As negotiated.
        send_partial: Sends a value under a token.

    Returns:
        `hits`, `indexed` and `pending`.

    Raises:
        JsonRpcInvalidParams: If a parameter is missing or of the wrong type.
    """
    query, token = _read_query(params), getattr(params, "partialResultToken", None)
    if token is not None and state.search.encoder_name is not None:
        send_partial(token, to_json(await state.search.search(query, is_quick=True), encoding))
    return to_json(await state.search.search(query), encoding)


def to_json(answer: SearchAnswer, encoding: PositionEncoding) -> dict[str, Any]:
    """Return an answer as plain JSON."""
    return {
        "hits": [_to_json(hit, encoding) for hit in answer.hits],
        "indexed": answer.indexed,
        "pending": answer.pending,
    }


def read_limit(params: Any) -> int | None:
    """Return the `limit` of a request; None where it has none.

    Args:
        params: Of the request.

    Returns:
        The limit as given, however large.

    Raises:
        JsonRpcInvalidParams: If it is not a whole number.
    """
    limit = getattr(params, "limit", None)
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool)):
        raise JsonRpcInvalidParams("limit must be a whole number")
    return limit


def end_position(text: str, first_line: int, encoding: PositionEncoding) -> types.Position:
    """Return the position behind `text`, which begins at the start of `first_line`."""
    end = to_position(Document.of("", "", 0, text), len(text), encoding)
    return types.Position(line=first_line + end.line, character=end.character)


def _read_query(params: Any) -> SearchQuery:
    given = {name: getattr(params, name, None) for name in ("query", "language", "path")}
    text, limit = given.pop("query"), read_limit(params)
    if not isinstance(text, str):
        raise JsonRpcInvalidParams("query must be a string")
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
            raise JsonRpcInvalidParams(f"{name} must be a string")
    query = SearchQuery(text=text, language=given["language"], path=given["path"])
    return query if limit is None else SearchQuery(text=text, limit=limit, **given)


def _to_json(hit: Hit, encoding: PositionEncoding) -> dict[str, Any]:
    end = end_position(hit.text, hit.first_line, encoding)
    return {
        "uri": hit.file.as_uri(),
        "range": {
            "start": {"line": hit.first_line, "character": 0},
            "end": {"line": end.line, "character": end.character},
        },
        "name": hit.name,
        "kind": hit.kind,
        "language": hit.language,
        "score": hit.score,
        "snippet": hit.snippet.text,
        "snippetLine": hit.first_line + hit.snippet.first_line,
        "bestLines": list(hit.snippet.best),
    }
