import asyncio
from collections.abc import Callable

import pytest
from fakes import FakeEngine
from lsprotocol import types
from server_state import URI, loaded_with

from codet5p.lsp_server.handlers.documents import did_change, did_close, did_open
from codet5p.lsp_server.handlers.inline_completion import inline_completion
from codet5p.lsp_server.state import ServerState


def open_text(state: ServerState, text: str, language_id: str = "python") -> None:
    item = types.TextDocumentItem(uri=URI, language_id=language_id, version=1, text=text)
    did_open(state, types.DidOpenTextDocumentParams(text_document=item))


def part(first: tuple[int, int], last: tuple[int, int], text: str) -> types.TextDocumentContentChangePartial:
    span = types.Range(start=types.Position(*first), end=types.Position(*last))
    return types.TextDocumentContentChangePartial(range=span, text=text)


def change(
    state: ServerState, *changes: types.TextDocumentContentChangeEvent, uri: str = URI, version: int = 2
) -> None:
    identifier = types.VersionedTextDocumentIdentifier(uri=uri, version=version)
    did_change(state, types.DidChangeTextDocumentParams(text_document=identifier, content_changes=changes), "utf-16")


def text_of(state: ServerState) -> str:
    document = state.documents.get(URI)
    assert document is not None
    return document.text


async def test_changes_apply_in_their_order(empty_state: ServerState) -> None:
    open_text(empty_state, "one\r\ntwo 😀 x\r\n")
    change(empty_state, part((1, 7), (1, 8), "Y"), part((0, 0), (0, 3), "1\n2"), part((2, 4), (2, 6), ""))
    assert text_of(empty_state) == "1\n2\r\ntwo  Y\r\n"
    assert empty_state.documents.get(URI).version == 2  # type: ignore[union-attr]


async def test_a_whole_text_replaces_all(empty_state: ServerState) -> None:
    open_text(empty_state, "one", "go")
    change(empty_state, types.TextDocumentContentChangeWholeDocument(text="two"), part((0, 3), (0, 3), "!"))
    assert text_of(empty_state) == "two!"
    assert empty_state.documents.get(URI).language_id == "go"  # type: ignore[union-attr]


@pytest.mark.parametrize(("first", "last"), [((0, 2), (0, 1)), ((7, 0), (0, 1)), ((0, 900), (0, 1))])
async def test_a_range_the_wrong_way_round_or_outside_is_understood(
    empty_state: ServerState, first: tuple[int, int], last: tuple[int, int]
) -> None:
    open_text(empty_state, "ab")
    change(empty_state, part(first, last, "X"))
    assert text_of(empty_state) == "aX"


async def test_a_change_of_a_document_that_is_not_open_is_ignored(empty_state: ServerState) -> None:
    change(empty_state, part((0, 0), (0, 0), "x"), uri="file:///unknown")
    assert len(empty_state.documents) == 0


async def test_a_snapshot_stays_what_it_was(empty_state: ServerState) -> None:
    open_text(empty_state, "ab")
    snapshot = empty_state.documents.get(URI)
    change(empty_state, part((0, 0), (0, 2), ""))
    assert snapshot is not None
    assert snapshot.text == "ab"


async def test_closing_forgets_the_text_and_its_prompt(state_with: Callable[..., ServerState]) -> None:
    state = state_with("values\n")
    open_text(state, "x = 1\ny = ")
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri=URI),
        position=types.Position(1, 4),
        context=types.InlineCompletionContext(trigger_kind=types.InlineCompletionTriggerKind.Invoked),
    )
    await inline_completion(state, params, "utf-16")
    assistant = state.loaded_assistant
    assert assistant is not None
    assert URI in assistant.completer._windows._windows
    did_close(state, types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=URI)))
    await asyncio.wrap_future(state.scheduler._executor.submit(lambda: None))
    assert state.documents.get(URI) is None
    assert assistant.completer._windows._windows == {}


async def test_closing_while_loading_is_fine(empty_state: ServerState) -> None:
    open_text(empty_state, "x")
    did_close(empty_state, types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=URI)))
    empty_state.finish_loading(loaded_with(FakeEngine()))
    assert len(empty_state.documents) == 0
