"""Any order of edits and requests: no edit is lost or doubled, and every request is answered once."""

# ruff: noqa: RUF001 - the letters of mathematics are the identifiers that take two UTF-16 units

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from lsprotocol import types
from server_state import loaded_with

from codet5p.lsp_server.handlers.acceptance import accepted
from codet5p.lsp_server.handlers.completion import completion
from codet5p.lsp_server.handlers.documents import did_change, did_close, did_open
from codet5p.lsp_server.handlers.inline_completion import inline_completion
from codet5p.lsp_server.settings import CompletionSettings, Settings
from codet5p.lsp_server.state import ServerState

_URIS = ("file:///a.py", "file:///b.js", "untitled:c")
_PIECES = st.sampled_from(
    [
        "x",
        "f(",
        ")",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "    ",
        "é",
        "名前",
        "😀",
        "𝑥 = 1",
        "def f(a):\n\t",
        "'",
        "\f\u2028",
        "{\n",
    ]
)
_TEXTS = st.lists(_PIECES, max_size=6).map("".join)
_ANSWERS = ["value(x)\n", "é😀 = 𝑥\n", "\n", "a))\n", "retur", "y = 1\n    z = 2\n", "'\n"]


class EditorMachine(RuleBasedStateMachine):
    """An editor that keeps its own texts and asks in between."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.texts: dict[str, str] = {}
        self.version = 0
        self.requests: list[asyncio.Task[Any]] = []
        self.num_answers = 0
        self.state: ServerState = self.loop.run_until_complete(self._begin())

    async def _begin(self) -> ServerState:
        folder = Path(self.folder.name)
        state = ServerState(artifact=folder / "artifact", cache=folder / "cache")
        state.apply(Settings(completion=CompletionSettings(delay_milliseconds=0, adaptive_delay=False, blocks="auto")))
        state.finish_loading(loaded_with(FakeEngine(*_ANSWERS * 200)))
        return state

    @rule(uri=st.sampled_from(_URIS), text=_TEXTS)
    def opens(self, uri: str, text: str) -> None:
        self.version += 1
        self.texts[uri] = text
        item = types.TextDocumentItem(uri=uri, language_id="python", version=self.version, text=text)
        did_open(self.state, types.DidOpenTextDocumentParams(text_document=item))

    @precondition(lambda self: self.texts)
    @rule(data=st.data(), text=_TEXTS)
    def edits(self, data: st.DataObject, text: str) -> None:
        uri = data.draw(st.sampled_from(sorted(self.texts)))
        old = self.texts[uri]
        start, end = sorted(data.draw(st.integers(0, len(old))) for _ in range(2))
        # The end of a line feed's pair is no place an editor's cursor can be.
        start, end = (offset - 1 if old[offset - 1 : offset + 1] == "\r\n" else offset for offset in (start, end))
        change = types.TextDocumentContentChangePartial(
            range=types.Range(start=position(old, start), end=position(old, end)), text=text
        )
        self._sends(uri, [change])
        self.texts[uri] = old[:start] + text + old[end:]

    @precondition(lambda self: self.texts)
    @rule(data=st.data(), text=_TEXTS)
    def replaces_everything(self, data: st.DataObject, text: str) -> None:
        uri = data.draw(st.sampled_from(sorted(self.texts)))
        self._sends(uri, [types.TextDocumentContentChangeWholeDocument(text=text)])
        self.texts[uri] = text

    @precondition(lambda self: self.texts)
    @rule(data=st.data())
    def closes(self, data: st.DataObject) -> None:
        uri = data.draw(st.sampled_from(sorted(self.texts)))
        del self.texts[uri]
        did_close(self.state, types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri)))

    @rule(data=st.data(), uri=st.sampled_from(_URIS), kind=st.sampled_from(types.InlineCompletionTriggerKind))
    def asks(self, data: st.DataObject, uri: str, kind: types.InlineCompletionTriggerKind) -> None:
        text = self.texts.get(uri, "")
        params = types.InlineCompletionParams(
            text_document=types.TextDocumentIdentifier(uri=uri),
            position=position(text, data.draw(st.integers(0, len(text)))),
            context=types.InlineCompletionContext(trigger_kind=kind),
        )
        self._starts(inline_completion(self.state, params, "utf-16"))

    @rule(data=st.data(), uri=st.sampled_from(_URIS))
    def asks_for_the_list(self, data: st.DataObject, uri: str) -> None:
        place = types.Position(line=data.draw(st.integers(0, 9)), character=data.draw(st.integers(0, 40)))
        params = types.CompletionParams(text_document=types.TextDocumentIdentifier(uri=uri), position=place)
        self._starts(completion(self.state, params, "utf-16"))

    @rule(data=st.data(), uri=st.sampled_from(_URIS))
    def accepts(self, data: st.DataObject, uri: str) -> None:
        self._starts(accepted(self.state, uri, data.draw(st.integers(0, 60))))

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def cancels(self, data: st.DataObject) -> None:
        self.requests[data.draw(st.integers(0, len(self.requests) - 1))].cancel()

    @rule()
    def waits(self) -> None:
        self.loop.run_until_complete(self._settle())

    @invariant()
    def has_the_editors_texts(self) -> None:
        assert {document.uri: document.text for document in self.state.documents} == self.texts

    def teardown(self) -> None:
        self.loop.run_until_complete(self._settle())
        if self.state.pending_chore is not None:
            self.state.pending_chore.cancel()
        self.state.scheduler.close()
        self.loop.close()
        self.folder.cleanup()

    def _sends(self, uri: str, changes: list[types.TextDocumentContentChangeEvent]) -> None:
        self.version += 1
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=self.version)
        params = types.DidChangeTextDocumentParams(text_document=document, content_changes=changes)
        did_change(self.state, params, "utf-16")

    def _starts(self, request: Any) -> None:
        async def start() -> asyncio.Task[Any]:
            return asyncio.create_task(request)

        self.requests.append(self.loop.run_until_complete(start()))

    async def _settle(self) -> None:
        if not self.requests:
            return
        done, waiting = await asyncio.wait(self.requests, timeout=60)
        assert not waiting
        for request in done:
            assert request.cancelled() or request.exception() is None
        self.requests.clear()


def position(text: str, offset: int) -> types.Position:
    """Return a position, counted apart from the server's code."""
    before = text[:offset].replace("\r\n", "\n\n").replace("\r", "\n")
    starts = [index + 1 for index, character in enumerate(before) if character == "\n"]
    lines = text[:offset].replace("\r\n", "\n").replace("\r", "\n").count("\n")
    line = text[starts[-1] if starts else 0 : offset]
    return types.Position(line=lines, character=len(line.encode("utf-16-le")) // 2)


EditorMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.mark.timeout(600)
class TestEditsAndRequests(EditorMachine.TestCase):  # type: ignore[misc, name-defined]
    """Run by hypothesis."""
