"""workspace/symbol: definitions by their name, from the search index."""

from lsprotocol import types

from codet5p.lsp_server.features.search import SymbolHit
from codet5p.lsp_server.state import ServerState

__all__ = ["workspace_symbol"]

_KINDS = {
    "function": types.SymbolKind.Function,
    "method": types.SymbolKind.Method,
    "class": types.SymbolKind.Class,
    "block": types.SymbolKind.Variable,
}


async def workspace_symbol(state: ServerState, params: types.WorkspaceSymbolParams) -> list[types.SymbolInformation]:
    """Return the definitions whose name holds the letters of the query in their order; all sorts for an empty one."""
    return [_to_symbol(hit) for hit in await state.search.symbols(params.query)]


def _to_symbol(hit: SymbolHit) -> types.SymbolInformation:
    symbol = hit.symbol
    container, _, name = symbol.name.rpartition(".")
    # Whole lines, so that no character has to be counted.
    start = types.Position(line=symbol.first_line, character=0)
    end = types.Position(line=symbol.first_line + symbol.num_lines, character=0)
    return types.SymbolInformation(
        name=name,
        kind=_KINDS[symbol.kind],
        container_name=container or None,
        location=types.Location(uri=hit.file.as_uri(), range=types.Range(start=start, end=end)),
    )
