import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes import FakeEngine
from lsprotocol import types
from server_state import URI, loaded_with, opened

from codet5p.core.errors import ArtifactError, EngineError
from codet5p.lsp_server.documents import Document
from codet5p.lsp_server.handlers.inline_completion import inline_completion
from codet5p.lsp_server.handlers.positions import to_offset, to_position, to_range
from codet5p.lsp_server.handlers.snoozing import resume_completion, snooze_completion
from codet5p.lsp_server.settings import CompletionSettings, Settings
from codet5p.lsp_server.state import ServerState

States = Callable[..., ServerState]
INVOKED = types.InlineCompletionTriggerKind.Invoked
AUTOMATIC = types.InlineCompletionTriggerKind.Automatic


def request_at(
    document: Document,
    offset: int,
    kind: types.InlineCompletionTriggerKind = INVOKED,
    selected: types.SelectedCompletionInfo | None = None,
) -> types.InlineCompletionParams:
    return types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri=document.uri),
        position=to_position(document, offset, "utf-16"),
        context=types.InlineCompletionContext(trigger_kind=kind, selected_completion_info=selected),
    )


async def ask(
    state: ServerState, text: str, kind: types.InlineCompletionTriggerKind = INVOKED, language_id: str = "python"
) -> list[types.InlineCompletionItem]:
    document = opened(state, text, language_id)
    answer = await inline_completion(state, request_at(document, text.index("▮"), kind), "utf-16")
    return list(answer.items)


async def test_one_item_inserts_the_rest_of_the_line_at_the_cursor(state_with: States) -> None:
    state = state_with("urn größe\n")
    (item,) = await ask(state, "x = '😀'\r\nx = '😀'; ret▮\r\n")
    assert item.insert_text == "urn größe"
    cursor = types.Position(line=1, character=13)  # the emoji counts as two
    assert item.range == types.Range(start=cursor, end=cursor)
    assert item.command is not None
    assert item.command.command == "codet5p.accepted"


async def test_silence_is_an_empty_list(state_with: States) -> None:
    assert await ask(state_with("\n"), "x = 1▮") == []


async def test_a_document_that_is_not_open_has_no_completions(state_with: States) -> None:
    document = Document.of("file:///unknown", "python", 1, "x = ")
    answer = await inline_completion(state_with(), request_at(document, 4), "utf-16")
    assert answer.items == []


async def test_an_item_continues_the_selected_entry_of_the_completion_list(state_with: States) -> None:
    state = state_with("(values)\n")
    document = opened(state, "x = so▮rt\n")
    selected = types.SelectedCompletionInfo(range=to_range(document, 4, 8, "utf-16"), text="sorted")
    answer = await inline_completion(state, request_at(document, 6, selected=selected), "utf-16")
    (item,) = answer.items
    assert item.insert_text == "sorted(values)"
    assert item.range == to_range(document, 4, 8, "utf-16")
    engine = state.loaded_assistant.completer._engine  # type: ignore[union-attr]
    assert isinstance(engine, FakeEngine)
    assert engine.prompt_text() == "x = sorted"


async def test_typing_waits_for_a_pause_and_the_last_key_is_answered(state_with: States) -> None:
    state = state_with("rted(values)\n")
    document = opened(state, "x = so")
    early = [
        asyncio.create_task(inline_completion(state, request_at(document, n, AUTOMATIC), "utf-16")) for n in (4, 5)
    ]
    await asyncio.sleep(0)
    late = await inline_completion(state, request_at(document, 6, AUTOMATIC), "utf-16")
    assert [item.insert_text for item in late.items] == ["rted(values)"]
    assert [(await task).items for task in early] == [[], []]


async def test_a_suggestion_for_a_text_that_has_changed_is_not_shown(state_with: States) -> None:
    state = state_with(None)
    document = opened(state, "x = ")
    engine = state.loaded_assistant.completer._engine  # type: ignore[union-attr]
    asked = asyncio.create_task(inline_completion(state, request_at(document, 4), "utf-16"))
    assert await asyncio.to_thread(engine.has_begun.wait, 10)  # type: ignore[attr-defined]
    state.documents.put(document.replaced(4, 4, "y", 2))
    for stop in state.scheduler._newest.values():
        stop.set()
    assert (await asked).items == []


async def test_a_cancelled_request_stops_the_engine(state_with: States) -> None:
    state = state_with(None, "values\n")
    document = opened(state, "x = ")
    engine = state.loaded_assistant.completer._engine  # type: ignore[union-attr]
    asked = asyncio.create_task(inline_completion(state, request_at(document, 4), "utf-16"))
    assert await asyncio.to_thread(engine.has_begun.wait, 10)  # type: ignore[attr-defined]
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    answer = await inline_completion(state, request_at(document, 4), "utf-16")
    assert [item.insert_text for item in answer.items] == ["values"]


@pytest.mark.parametrize(
    "settings", [CompletionSettings(enable=False), CompletionSettings(disabled_languages=("go", "python"))]
)
async def test_where_the_settings_say_no_the_model_is_not_asked(
    state_with: States, settings: CompletionSettings
) -> None:
    state = state_with("values\n")
    state.apply(replace(Settings(), completion=settings))
    assert await ask(state, "x = ▮") == []


async def test_another_language_is_not_disabled(state_with: States) -> None:
    state = state_with("values\n")
    state.apply(Settings(completion=CompletionSettings(disabled_languages=("go",))))
    assert len(await ask(state, "x = ▮")) == 1


async def test_files_that_look_like_secrets_are_never_read(state_with: States) -> None:
    state = state_with("values\n", "values\n")
    for uri in ("file:///w/.env", "file:///w/id_rsa"):
        document = Document.of(uri, "dotenv", 1, "TOKEN=")
        state.documents.put(document)
        assert (await inline_completion(state, request_at(document, 6), "utf-16")).items == []
    state.apply(Settings(completion=CompletionSettings(excluded_files=("a.py",))))
    assert await ask(state, "x = ▮") == []
    assert state.loaded_assistant.completer._engine.requests == []  # type: ignore[union-attr, attr-defined]


async def test_snoozed_it_answers_only_who_asks_until_it_is_woken(state_with: States) -> None:
    state = state_with(*["values\n"] * 4)
    snooze_completion(state, 5)
    assert 295 < state.snoozed_seconds <= 300
    assert await ask(state, "x = ▮", AUTOMATIC) == []
    assert len(await ask(state, "x = ▮", INVOKED)) == 1
    resume_completion(state)
    assert len(await ask(state, "y = ▮", AUTOMATIC)) == 1


@pytest.mark.parametrize("minutes", [None, "long", -1, 0, True])
async def test_a_snooze_without_a_proper_length_is_a_quarter_of_an_hour(
    empty_state: ServerState, minutes: object
) -> None:
    snooze_completion(empty_state, minutes)
    assert 890 < empty_state.snoozed_seconds <= 900


async def test_the_pace_of_typing_sets_the_delay(state_with: States, monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_with(*["values\n"] * 5)
    delays = []
    run = state.scheduler.run

    async def recorded(key: str, job: Any, *, delay_seconds: float = 0.0) -> Any:
        delays.append(delay_seconds)
        return await run(key, job)

    monkeypatch.setattr(state.scheduler, "run", recorded)
    await ask(state, "x = ▮", AUTOMATIC)
    await ask(state, "y = ▮", INVOKED)
    state.apply(Settings(completion=CompletionSettings(adaptive_delay=False, delay_milliseconds=70)))
    await ask(state, "z = ▮", AUTOMATIC)
    assert delays == [pytest.approx(0.2), 0.0, pytest.approx(0.07)]


async def test_who_asks_gets_a_choice_and_typing_gets_one(state_with: States) -> None:
    state = state_with("values\n", "other\n", "values\n", "more\n")
    items = await ask(state, "x = ▮", INVOKED)
    assert [item.insert_text for item in items] == ["values", "other"]
    assert all(item.range == items[0].range for item in items)
    assert [item.insert_text for item in await ask(state, "y = ▮", AUTOMATIC)] == ["more"]


async def test_a_block_is_shown_to_who_asks_for_it(state_with: States) -> None:
    state = state_with("y = 1\n", "y = 1\n    return y\nx")
    state.apply(Settings(completion=CompletionSettings(max_candidates=1)))
    (item,) = await ask(state, "def f():\n    ▮\n", INVOKED)
    assert item.insert_text == "y = 1\n    return y"
    assert item.command is not None
    assert item.command.arguments == [URI, len("def f():\n    y = 1\n    return y")]


async def test_a_request_that_came_while_loading_is_answered_after_it(empty_state: ServerState) -> None:
    document = opened(empty_state, "x = ")
    asked = asyncio.create_task(inline_completion(empty_state, request_at(document, 4), "utf-16"))
    await asyncio.sleep(0.01)
    assert not asked.done()
    empty_state.finish_loading(loaded_with(FakeEngine("values\n")))
    assert [item.insert_text for item in (await asked).items] == ["values"]


async def test_without_a_model_there_are_no_completions(empty_state: ServerState) -> None:
    empty_state.finish_loading(ArtifactError("no artifact"))
    assert await ask(empty_state, "x = ▮") == []


async def test_a_failure_of_the_engine_goes_into_the_status(state_with: States) -> None:
    state = state_with(EngineError("broken; see codet5p doctor"))
    assert await ask(state, "x = ▮") == []
    assert state.last_error == "broken; see codet5p doctor"
    assert state.statistics.counts["failed"] == 1


async def test_an_engine_that_works_again_is_no_error_any_more(state_with: States) -> None:
    state = state_with(EngineError("broken; see codet5p doctor"), "values\n")
    await ask(state, "x = ▮", AUTOMATIC)
    assert len(await ask(state, "x = ▮", AUTOMATIC)) == 1
    assert state.last_error is None


async def test_what_was_shown_is_counted(state_with: States) -> None:
    state = state_with("values\n", "\n")
    await ask(state, "x = ▮", AUTOMATIC)
    await ask(state, "x = va▮", AUTOMATIC)
    await ask(state, "y = 1▮", AUTOMATIC)
    counts = dict(state.statistics.counts)
    assert counts == {"generated": 2, "from cache": 1, "shown": 2, "silent": 1}
    assert state.statistics.latency_ms()["p50"] is not None
    assert URI in {document.uri for document in state.documents}


async def test_the_next_prompt_is_prepared_after_a_pause(state_with: States) -> None:
    state = state_with("= 1\n", "= 2\n")
    text = "".join(f"value_{number} = self.value\n" for number in range(3))
    await ask(state, text + "x▮")
    grown = text + "y = 1\n" * 12
    await ask(state, grown + "x▮")
    engine = state.loaded_assistant.completer._engine  # type: ignore[union-attr]
    assert engine.prepared == []  # type: ignore[attr-defined]
    await asyncio.sleep(0.2)
    await asyncio.wrap_future(state.scheduler._executor.submit(lambda: None))
    assert [engine.tokenizer.decode(ids) for ids in engine.prepared] == [grown.rstrip()]  # type: ignore[attr-defined]


async def test_offsets_follow_the_negotiated_encoding(state_with: States) -> None:
    state = state_with("values\n")
    document = opened(state, "'😀' + ")
    params = request_at(document, 0)
    params.position = types.Position(line=0, character=9)  # four bytes the emoji
    answer = await inline_completion(state, params, "utf-8")
    assert to_offset(document, params.position, "utf-8") == len(document.text)
    assert answer.items[0].range == types.Range(start=params.position, end=params.position)
