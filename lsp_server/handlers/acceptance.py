"""The command that an editor runs after a suggestion was accepted: it is counted, and the next line is prepared."""

import asyncio
from typing import Any

from codet5p.core.errors import CodeT5pError
from codet5p.lsp_server.features.next_line import NextLine, query_after_line
from codet5p.lsp_server.features.syntax import grammar_of_document
from codet5p.lsp_server.state import ServerState

__all__ = ["accepted"]


async def accepted(state: ServerState, uri: Any = None, end: Any = None) -> None:
    """Count the acceptance and complete the line that will come next, so that it is there when the user asks.

    Args:
        state: The server.
        uri: The document, as the command's argument said it; other types come from other senders and only count.
        end: Offset behind the accepted text.
    """
    state.statistics.count("accepted")
    assistant = state.loaded_assistant
    document = state.documents.get(uri) if isinstance(uri, str) else None
    if assistant is None or document is None or not isinstance(end, int) or not 0 <= end <= len(document.text):
        return
    grammar = grammar_of_document(document.language_id, document.uri)
    query = query_after_line(document.uri, document.text, end, grammar)
    if query is None or assistant.completer.cached(query) is not None:
        return
    job = state.scheduler.run(document.uri, lambda stop: assistant.completer.complete(query, stop))
    state.next_line = NextLine(query=query, running=asyncio.ensure_future(job))
    try:
        await state.next_line.running
    except CodeT5pError as error:
        state.last_error = str(error)
