import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from codet5p import __version__
from codet5p.lsp_server.protocol import lenient_converter
from codet5p.lsp_server.server import AssistantServer, create_server

URI = "file:///a.py"
PLACE = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}


class RecordingWriter:
    """Keeps what the server sends, decoded."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self.messages.append(json.loads(data))

    def close(self) -> None:
        pass


@pytest.fixture
def writer() -> RecordingWriter:
    return RecordingWriter()


@pytest.fixture
async def server(tmp_path: Path, writer: RecordingWriter) -> AssistantServer:
    server = create_server(artifact=tmp_path, cache=tmp_path)
    server.protocol.set_writer(writer, include_headers=False)
    return server


def receive(server: AssistantServer, method: str, params: Any, message_id: int | None = 1) -> None:
    """Have the server read and handle a message as if it had come from the editor."""
    data = {"jsonrpc": "2.0", "method": method, "params": params}
    if message_id is not None:
        data["id"] = message_id
    server.protocol.handle_message(server.protocol.structure_message(data))


def initialize(server: AssistantServer) -> None:
    receive(server, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})


@pytest.mark.parametrize(
    ("method", "params", "reason"),
    [
        ("textDocument/inlineCompletion", {}, "textDocument"),
        ("textDocument/inlineCompletion", {**PLACE, "context": 5}, ""),
        ("textDocument/inlineCompletion", {**PLACE, "context": {"triggerKind": 1}, "position": {"line": "x"}}, ""),
        ("textDocument/completion", {"textDocument": {"uri": URI}}, "position"),
        ("textDocument/completion", {**PLACE, "position": {"line": -1, "character": 0}}, "range"),
        ("textDocument/completion", [1, 2], ""),
    ],
)
async def test_a_request_that_cannot_be_read_is_answered_with_an_error(
    server: AssistantServer, writer: RecordingWriter, method: str, params: Any, reason: str
) -> None:
    with pytest.raises(JsonRpcException):
        receive(server, method, params, message_id=7)
    (message,) = writer.messages
    assert message["id"] == 7
    assert message["error"]["code"] == types.ErrorCodes.InvalidParams.value
    text = message["error"]["message"]
    assert text.startswith(f"invalid params for {method}: ")
    assert reason in text
    assert "\n" not in text


async def test_a_notification_that_cannot_be_read_is_not_answered(
    server: AssistantServer, writer: RecordingWriter
) -> None:
    with pytest.raises(JsonRpcException):
        receive(server, "textDocument/didOpen", {"textDocument": 3}, message_id=None)
    assert writer.messages == []


async def test_initialize_says_what_the_server_offers(server: AssistantServer, writer: RecordingWriter) -> None:
    initialize(server)
    (message,) = writer.messages
    capabilities = message["result"]["capabilities"]
    assert capabilities["experimental"]["codet5p"]["version"] == __version__
    assert capabilities["inlineCompletionProvider"] == {}
    assert "completionProvider" in capabilities
    assert capabilities["textDocumentSync"]["change"] == types.TextDocumentSyncKind.Incremental.value
    assert "codet5p.accepted" in capabilities["executeCommandProvider"]["commands"]


async def test_the_documents_are_ours_alone(server: AssistantServer) -> None:
    initialize(server)
    item = {"uri": URI, "languageId": "python", "version": 1, "text": "x\n"}
    receive(server, "textDocument/didOpen", {"textDocument": item}, message_id=None)
    document = server.state.documents.get(URI)
    assert document is not None
    assert document.text == "x\n"
    assert dict(server.workspace.text_documents) == {}


async def test_after_shutdown_a_request_is_refused_and_not_ignored(
    server: AssistantServer, writer: RecordingWriter
) -> None:
    initialize(server)
    receive(server, "shutdown", None, message_id=2)
    assert server.has_been_shut_down
    receive(server, "textDocument/completion", PLACE, message_id=3)
    assert [message["id"] for message in writer.messages] == [1, 2, 3]
    assert writer.messages[-1]["error"]["code"] == types.ErrorCodes.InvalidRequest.value


async def test_bad_settings_of_the_handshake_are_shown_once(server: AssistantServer, writer: RecordingWriter) -> None:
    options = {"completion": {"maxNewTokens": "many"}}
    params = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options}
    receive(server, "initialize", params)
    for _ in range(2):
        receive(server, "workspace/didChangeConfiguration", {"settings": {"codet5p": options}}, message_id=None)
        await asyncio.sleep(0.01)
    shown = [message["params"] for message in writer.messages if message.get("method") == "window/showMessage"]
    text = "codet5p: codet5p.completion.maxNewTokens must be of type int, got 'many'; the default 24 is used"
    assert shown == [{"type": types.MessageType.Warning.value, "message": text}]


@pytest.mark.parametrize(
    ("given", "expected"), [(0, 1), (1, 1), (2, 2), (3, 1), ("2", 1), (None, 1), (2.5, 1), ({}, 1)]
)
def test_any_kind_of_trigger_is_understood(given: Any, expected: int) -> None:
    params = {**PLACE, "context": {"triggerKind": given}}
    read = lenient_converter().structure(params, types.InlineCompletionParams)
    assert read.context.trigger_kind == types.InlineCompletionTriggerKind(expected)


def test_a_range_may_be_a_list_of_two_positions() -> None:
    first, last = {"line": 1, "character": 2}, {"line": 3, "character": 4}
    context = {"triggerKind": 1, "selectedCompletionInfo": {"range": [first, last], "text": "x"}}
    read = lenient_converter().structure({**PLACE, "context": context}, types.InlineCompletionParams)
    expected = types.Range(start=types.Position(1, 2), end=types.Position(3, 4))
    assert read.context.selected_completion_info.range == expected
    assert lenient_converter().structure({"start": first, "end": last}, types.Range) == expected


@pytest.mark.parametrize("given", [[], [{"line": 1, "character": 2}], [1, 2], {"start": 1}, "x"])
def test_other_lists_are_no_ranges(given: Any) -> None:
    with pytest.raises(Exception, match=r".+"):
        lenient_converter().structure(given, types.Range)
