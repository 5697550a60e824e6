"""From a cursor in an open document to a suggestion: what inline and ordinary completion share."""

import asyncio
import time

from lsprotocol import types

from codet5p.core.errors import CodeT5pError
from codet5p.lsp_server.documents import Document
from codet5p.lsp_server.features.completion import CompletionQuery, Suggestion
from codet5p.lsp_server.state import Assistant, ServerState

__all__ = ["ACCEPTED_COMMAND", "accepted_command", "suggest"]

ACCEPTED_COMMAND = "codet5p.accepted"
_PAUSE_BEFORE_CHORES_SECONDS = 0.15


async def suggest(
    state: ServerState, document: Document, query: CompletionQuery, *, is_automatic: bool
) -> Suggestion | None:
    """Return the suggestion for `query`, or None where there is none to show.

    Args:
        state: The server.
        document: The snapshot that the request is about.
        query: Its text and cursor, possibly with an item of the completion list filled in.
        is_automatic: Whether typing asked, which then waits for a pause; an explicit request does not.

    Returns:
        A suggestion with text in it; None if the settings, the cursor, the model or a newer request say no.
    """
    completion = state.settings.completion
    if not completion.enable or document.language_id in completion.disabled_languages:
        return None
    started = time.perf_counter()
    if (assistant := await state.assistant()) is None or not assistant.completer.is_worth_asking(query):
        return None
    suggestion = assistant.completer.cached(query)
    if suggestion is None:
        delay = completion.delay_milliseconds / 1000 if is_automatic else 0.0
        try:
            suggestion = await state.scheduler.run(
                document.uri, lambda stop: assistant.completer.complete(query, stop), delay_seconds=delay
            )
        except CodeT5pError as error:
            state.last_error = str(error)
            return None
    _prepare_when_idle(state, assistant, query)
    if suggestion is None or state.documents.get(document.uri) is not document:
        return None
    state.statistics.record_latency(time.perf_counter() - started)
    state.statistics.count("from cache" if suggestion.is_cached else "generated")
    state.statistics.count("shown" if suggestion.text else "silent")
    return suggestion if suggestion.text else None


def accepted_command(uri: str, end: int) -> types.Command:
    """Return the command by which the editor says that a suggestion was accepted, which then ends at offset `end`."""
    return types.Command(title="Count an accepted suggestion", command=ACCEPTED_COMMAND, arguments=[uri, end])


def _prepare_when_idle(state: ServerState, assistant: Assistant, query: CompletionQuery) -> None:
    """Have the next prompt processed once the user pauses, since the worker cannot interrupt that."""
    if state.pending_chore is not None:
        state.pending_chore.cancel()
    state.pending_chore = asyncio.get_running_loop().call_later(
        _PAUSE_BEFORE_CHORES_SECONDS,
        lambda: state.scheduler.when_idle(lambda: assistant.completer.prepare_next(query)),
    )
