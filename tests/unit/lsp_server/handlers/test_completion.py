import time
from collections.abc import Callable

import pytest
from lsprotocol import types
from server_state import opened

from codet5p.lsp_server.documents import Document
from codet5p.lsp_server.handlers.completion import completion
from codet5p.lsp_server.handlers.positions import to_position, to_range
from codet5p.lsp_server.state import ServerState

States = Callable[..., ServerState]


async def ask(
    state: ServerState, text: str, context: types.CompletionContext | None = None
) -> tuple[Document, types.CompletionList]:
    document = opened(state, text)
    params = types.CompletionParams(
        text_document=types.TextDocumentIdentifier(uri=document.uri),
        position=to_position(document, text.index("▮"), "utf-16"),
        context=context,
    )
    return document, await completion(state, params, "utf-16")


async def test_the_item_replaces_the_word_at_the_cursor(state_with: States) -> None:
    document, answer = await ask(state_with("urn größe\n"), "'😀'; ret▮\n")
    (item,) = answer.items
    assert answer.is_incomplete
    assert item.label == "return größe"
    assert item.insert_text_format == types.InsertTextFormat.PlainText
    assert item.text_edit == types.TextEdit(range=to_range(document, 5, 8, "utf-16"), new_text="return größe")
    assert item.command is not None
    assert item.command.command == "codet5p.accepted"


async def test_the_item_never_comes_before_those_of_other_servers(state_with: States) -> None:
    _, answer = await ask(state_with("urn größe\n"), "'😀'; ret▮\n")
    (item,) = answer.items
    assert item.sort_text == "~"
    assert item.preselect is False
    assert item.filter_text == "return größe"
    assert item.commit_characters is None


async def test_a_list_that_opens_while_typing_waits_for_a_pause_and_sleeps_when_snoozed(state_with: States) -> None:
    state = state_with("values\n", "values\n")
    state.snooze(60)
    state.pace.typed(time.monotonic())
    assert (await ask(state, "x = ▮"))[1].items == []
    state.pace.typed(time.monotonic() - 5)
    assert len((await ask(state, "x = ▮"))[1].items) == 1


async def test_without_a_word_the_item_is_found_by_its_own_text(state_with: States) -> None:
    _, answer = await ask(state_with("values)\n"), "print(▮")
    (item,) = answer.items
    assert (item.label, item.filter_text) == ("values)", "values)")


async def test_a_long_line_is_shortened_in_the_list_only(state_with: States) -> None:
    _, answer = await ask(state_with("+".join(f"number_{n}" for n in range(20)) + "\n"), "x = ▮")
    (item,) = answer.items
    assert len(item.label) == 60
    assert item.label.endswith("…")
    assert isinstance(item.text_edit, types.TextEdit)
    assert len(item.text_edit.new_text) > 100


async def test_silence_is_an_empty_list_to_be_asked_for_again(state_with: States) -> None:
    _, answer = await ask(state_with("\n"), "x = 1▮")
    assert answer == types.CompletionList(is_incomplete=True, items=[])


@pytest.mark.parametrize("kind", list(types.CompletionTriggerKind))
async def test_every_trigger_is_answered(state_with: States, kind: types.CompletionTriggerKind) -> None:
    _, answer = await ask(state_with("values\n"), "x = ▮", types.CompletionContext(trigger_kind=kind))
    assert len(answer.items) == 1


async def test_a_document_that_is_not_open_has_no_completions(state_with: States) -> None:
    state = state_with()
    params = types.CompletionParams(
        text_document=types.TextDocumentIdentifier(uri="file:///unknown"), position=types.Position(0, 0)
    )
    assert (await completion(state, params, "utf-16")).items == []
