import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from lsprotocol import types
from server_state import URI, opened

from codet5p.core.errors import EngineError
from codet5p.lsp_server.features.completion import CompletionQuery
from codet5p.lsp_server.handlers.acceptance import accepted
from codet5p.lsp_server.handlers.inline_completion import inline_completion
from codet5p.lsp_server.state import ServerState

States = Callable[..., ServerState]


async def test_the_next_line_is_known_once_a_suggestion_was_accepted(state_with: States) -> None:
    state = state_with("return value\n")
    document = opened(state, "def f(value):\ny = 2\n")

    await accepted(state, URI, 13)

    assert state.statistics.counts["accepted"] == 1
    assert state.loaded_assistant is not None
    text = document.text[:13] + "\n    " + document.text[13:]  # what Enter makes of it
    known = state.loaded_assistant.completer.cached(CompletionQuery(uri=URI, text=text, offset=18))
    assert known is not None
    assert known.text == "return value"


@pytest.mark.parametrize(
    "arguments", [(), (URI,), ("file:///unknown", 3), (URI, "3"), (URI, -1), (URI, 10_000), (None, None), ([], {})]
)
async def test_arguments_of_other_senders_only_count(state_with: States, arguments: tuple[Any, ...]) -> None:
    state = state_with()  # an engine without answers: asking it would fail
    opened(state, "x = 1\n")

    await accepted(state, *arguments)

    assert state.statistics.counts["accepted"] == 1


async def test_nothing_is_prepared_before_text_on_the_same_line(state_with: States) -> None:
    state = state_with()
    opened(state, "call(a)\n")

    await accepted(state, URI, 6)

    assert state.statistics.counts["accepted"] == 1


async def test_a_failing_engine_is_kept_for_the_status(state_with: States) -> None:
    state = state_with(EngineError("the engine failed"))
    opened(state, "x = 1\n")

    await accepted(state, URI, 5)

    assert state.last_error == "the engine failed"


async def test_who_goes_on_before_the_next_line_is_ready_waits_for_it_and_starts_nothing(state_with: States) -> None:
    state = state_with("return x\n")
    document = opened(state, "def f(x):\n    y = 1")
    accepting = asyncio.create_task(accepted(state, URI, len(document.text)))
    await asyncio.sleep(0)
    document = opened(state, "def f(x):\n    y = 1\n    ")
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri=URI),
        position=types.Position(line=2, character=4),
        context=types.InlineCompletionContext(trigger_kind=types.InlineCompletionTriggerKind.Automatic),
    )
    answer = await inline_completion(state, params, "utf-16")
    assert [item.insert_text for item in answer.items] == ["return x"]
    await accepting
    engine = state.loaded_assistant.completer._engine  # type: ignore[union-attr]
    assert len(engine.requests) == 1  # type: ignore[attr-defined]
