"""From a cursor in an open document to a suggestion: what inline and ordinary completion share."""

import asyncio
import time
from threading import Event

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


async def suggest(
    state: ServerState, document: Document, query: CompletionQuery, *, several: bool = False
) -> tuple[Suggestion, ...]:
    """Return the suggestions for `query`, the best first; none where there is none to show.

    Args:
        state: The server.
        document: The snapshot that the request is about.
        query: Its text and cursor, possibly with an item of the completion list filled in. If typing asks, it waits
            for a pause; an explicit request does not.
        several: Whether the user wants a choice, for which the model works longer.

    Returns:
        Suggestions with text in them; none if the settings, the cursor, the model or a newer request say no.
    """
    if not _is_wanted(state, document, query):
        return ()
    started = time.perf_counter()
    if (assistant := await state.assistant()) is None or not assistant.completer.is_worth_asking(query):
        return ()
    if state.next_line is not None and state.next_line.is_for(query):
        await asyncio.wait({state.next_line.running})  # asking again would only start it anew
    suggestions = assistant.completer.recalled(query) if several else _known(assistant, query)
    is_known = suggestions is not None
    if suggestions is None:
        delay = _delay(state, query)
        try:
            suggestions = await state.scheduler.run(
                document.uri, lambda stop: _asked(assistant, query, stop, several=several), delay_seconds=delay
            )
        except CodeT5pError as error:
            state.last_error = str(error)
            state.statistics.count("failed")
            return ()
        if suggestions is not None:
            state.last_error = None  # a model that failed and was loaded anew works again
        if suggestions and not several and suggestions[0].text:
            state.pace.answered(time.perf_counter() - started - delay)
    _prepare_when_idle(state, assistant, query)
    if suggestions is None or state.documents.get(document.uri) is not document:
        return ()
    shown = tuple(suggestion for suggestion in suggestions if suggestion.text)
    state.statistics.record_latency(time.perf_counter() - started)
    is_known = is_known or any(suggestion.is_cached for suggestion in suggestions if not several)
    state.statistics.count("from cache" if is_known else "generated")
    state.statistics.count("shown" if shown else "silent")
    return shown


def _known(assistant: Assistant, query: CompletionQuery) -> tuple[Suggestion, ...] | None:
    known = assistant.completer.cached(query)
    return None if known is None else (known,)


def _asked(
    assistant: Assistant, query: CompletionQuery, stop: Event, *, several: bool
) -> tuple[Suggestion, ...] | None:
    """Ask the model, on its thread."""
    if several:
        return assistant.completer.candidates(query, stop)
    suggestion = assistant.completer.complete(query, stop)
    return None if suggestion is None else (suggestion,)


def query_of(
    document: Document, text: str, offset: int, *, is_automatic: bool, may_be_block: bool = False
) -> CompletionQuery:
    """Return the query for a cursor.

    Args:
        document: The document.
        text: Its content, possibly with an item of the completion list filled in.
        offset: The cursor, in Python characters of `text`.
        is_automatic: Whether typing asks.
        may_be_block: Whether the editor can show more than a line.

    Returns:
        The query, with the grammar of the document's language.
    """
    return CompletionQuery(
        uri=document.uri,
        text=text,
        offset=offset,
        grammar=grammar_of_document(document.language_id, document.uri),
        is_automatic=is_automatic,
        may_be_block=may_be_block,
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
