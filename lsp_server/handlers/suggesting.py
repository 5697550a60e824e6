"""From a cursor in an open document to a suggestion: what inline and ordinary completion share."""

import asyncio
import time

from lsprotocol import types

from codet5p.core.errors import CodeT5pError
from codet5p.lsp_server.documents import Document
from codet5p.lsp_server.features.completion import CompletionQuery, Suggestion
from codet5p.lsp_server.features.exclusion import is_excluded
from codet5p.lsp_server.features.syntax import grammar_of_document
from codet5p.lsp_server.state import Assistant, ServerState

__all__ = ["ACCEPTED_COMMAND", "accepted_command", "query_of", "suggest"]

ACCEPTED_COMMAND = "codet5p.accepted"
_PAUSE_BEFORE_CHORES_SECONDS = 0.15


async def suggest(state: ServerState, document: Document, query: CompletionQuery) -> Suggestion | None:
    """Return the suggestion for `query`, or None where there is none to show.

    Args:
        state: The server.
        document: The snapshot that the request is about.
        query: Its text and cursor, possibly with an item of the completion list filled in. If typing asks, it waits
            for a pause; an explicit request does not.

    Returns:
        A suggestion with text in it; None if the settings, the cursor, the model or a newer request say no.
    """
    if not _is_wanted(state, document, query):
        return None
    started = time.perf_counter()
    if (assistant := await state.assistant()) is None or not assistant.completer.is_worth_asking(query):
        return None
    suggestion = assistant.completer.cached(query)
    if suggestion is None:
        delay = _delay(state, query)
        try:
            suggestion = await state.scheduler.run(
                document.uri, lambda stop: assistant.completer.complete(query, stop), delay_seconds=delay
            )
        except CodeT5pError as error:
            state.last_error = str(error)
            return None
        if suggestion is not None and suggestion.text:
            state.pace.answered(time.perf_counter() - started - delay)
    _prepare_when_idle(state, assistant, query)
    if suggestion is None or state.documents.get(document.uri) is not document:
        return None
    state.statistics.record_latency(time.perf_counter() - started)
    state.statistics.count("from cache" if suggestion.is_cached else "generated")
    state.statistics.count("shown" if suggestion.text else "silent")
    return suggestion if suggestion.text else None


def query_of(document: Document, text: str, offset: int, *, is_automatic: bool) -> CompletionQuery:
    """Return the query for a cursor.

    Args:
        document: The document.
        text: Its content, possibly with an item of the completion list filled in.
        offset: The cursor, in Python characters of `text`.
        is_automatic: Whether typing asks.

    Returns:
        The query, with the grammar of the document's language.
    """
    return CompletionQuery(
        uri=document.uri,
        text=text,
        offset=offset,
        grammar=grammar_of_document(document.language_id, document.uri),
        is_automatic=is_automatic,
    )


def accepted_command(uri: str, end: int) -> types.Command:
    """Return the command by which the editor says that a suggestion was accepted, which then ends at offset `end`."""
    return types.Command(title="Count an accepted suggestion", command=ACCEPTED_COMMAND, arguments=[uri, end])


def _is_wanted(state: ServerState, document: Document, query: CompletionQuery) -> bool:
    completion = state.settings.completion
    if not completion.enable or document.language_id in completion.disabled_languages:
        return False
    if query.is_automatic and state.snoozed_seconds > 0:
        return False
    return not is_excluded(document.uri, completion.excluded_files)


def _delay(state: ServerState, query: CompletionQuery) -> float:
    """Return how long to wait for a newer request, in seconds."""
    completion = state.settings.completion
    if not query.is_automatic:
        return 0.0
    least = completion.delay_milliseconds / 1000
    return state.pace.pause(least) if completion.adaptive_delay else least


def _prepare_when_idle(state: ServerState, assistant: Assistant, query: CompletionQuery) -> None:
    """Have the next prompt processed once the user pauses, since the worker cannot interrupt that."""
    if state.pending_chore is not None:
        state.pending_chore.cancel()
    state.pending_chore = asyncio.get_running_loop().call_later(
        _PAUSE_BEFORE_CHORES_SECONDS,
        lambda: state.scheduler.when_idle(lambda: assistant.completer.prepare_next(query)),
    )
