"""codet5p/similar: find the code that is most like the function at a position."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pygls.exceptions import JsonRpcInvalidParams
from pygls.uris import to_fs_path

from codet5p.lsp_server.features.search import SimilarQuery
from codet5p.lsp_server.handlers.positions import PositionEncoding
from codet5p.lsp_server.handlers.search import read_limit, to_json
from codet5p.lsp_server.state import ServerState

__all__ = ["similar"]


async def similar(state: ServerState, params: Any, encoding: PositionEncoding) -> dict[str, Any]:
    """Return the code most like that at a position, which is not among the hits itself.

    Args:
        state: The server.
        params: `textDocument`, `position` and perhaps `limit`. A document that is not open is taken as it was indexed.
        encoding: As negotiated.

    Returns:
        As `codet5p/search`: `hits`, `indexed` and `pending`. There are no hits where the position belongs to no code,
        or the document to no folder of the workspace.

    Raises:
        JsonRpcInvalidParams: If a parameter is missing or of the wrong type.
    """
    try:
        uri, line = str(params.textDocument.uri), int(params.position.line)
    except (AttributeError, TypeError, ValueError) as error:
        raise JsonRpcInvalidParams(f"textDocument.uri and position are needed: {error}") from error
    limit = read_limit(params)
    path = to_fs_path(uri) if uri.startswith("file:") else None
    document = state.documents.get(uri)
    query = SimilarQuery(file=Path(path or ""), line=line, text=document.text if document is not None else None)
    return to_json(await state.search.similar(query if limit is None else replace(query, limit=limit)), encoding)
