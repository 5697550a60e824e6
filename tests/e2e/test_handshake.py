from pathlib import Path

import pytest
from e2e.editor import Editor
from e2e.installation import StartEditor, StartRawClient
from lsprotocol import types

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

SHAPES = (
    "class Círculo:\n    def __init__(self, rádio):\n        self.rádio = rádio\n\n    def área(self):\n        return "
)


async def test_what_the_server_offers_is_advertised(editor: Editor) -> None:
    capabilities = editor.capabilities
    assert capabilities.inline_completion_provider is not None
    assert capabilities.completion_provider is not None
    assert isinstance(capabilities.text_document_sync, types.TextDocumentSyncOptions)
    assert capabilities.text_document_sync.change == types.TextDocumentSyncKind.Incremental
    assert capabilities.execute_command_provider is not None
    assert "codet5p.accepted" in capabilities.execute_command_provider.commands
    assert capabilities.experimental is not None
    assert set(capabilities.experimental["codet5p"]) >= {"version", "docstring", "search"}


async def test_a_client_that_says_nothing_of_positions_gets_utf_16(editor: Editor) -> None:
    assert editor.capabilities.position_encoding == types.PositionEncodingKind.Utf16


async def test_a_client_that_counts_bytes_gets_ranges_in_bytes(start_editor: StartEditor) -> None:
    editor = await start_editor(encoding="utf-8")
    assert editor.capabilities.position_encoding == types.PositionEncodingKind.Utf8
    buffer = editor.open(SHAPES + "self.rá")
    items = (await editor.complete(buffer)).items
    assert len(items) == 1
    edit = items[0].text_edit
    assert isinstance(edit, types.TextEdit)
    assert edit.new_text.startswith("rá")
    assert edit.range.end.character - edit.range.start.character == len("rá".encode())
    assert edit.range == buffer.range(buffer.end - len("rá"), buffer.end)


async def test_loading_is_shown_as_progress_and_closed_at_its_end(start_editor: StartEditor, tmp_path: Path) -> None:
    capabilities = types.ClientCapabilities(window=types.WindowClientCapabilities(work_done_progress=True))
    editor = await start_editor(
        "--cache", tmp_path, capabilities=capabilities
    )  # a first start, with a model to prepare
    assert (await editor.settled())["state"] == "ready"
    kinds = [value.kind if hasattr(value, "kind") else value["kind"] for value in editor.progress]
    assert kinds[0] == "begin"
    assert kinds[-1] == "end"
    assert set(kinds[1:-1]) == {"report"}


async def test_a_client_without_progress_bars_is_sent_no_progress(editor: Editor) -> None:
    assert editor.progress == []


async def test_a_completion_asked_for_while_loading_waits_for_the_model(start_editor: StartEditor) -> None:
    editor = await start_editor()
    buffer = editor.open("def add(a, b):\n    return ")
    assert (await editor.status())["state"] == "loading"
    item = await editor.inline(buffer)
    assert item is not None
    assert item.insert_text == "a + b"


async def test_the_status_names_the_model_and_its_cost(editor: Editor) -> None:
    status = await editor.status()
    assert (status["state"], status["error"], status["model"]) == ("ready", None, "laptop")
    assert len(status["revision"]) == 12
    assert status["threads"] == 1
    assert 0 < status["memoryMb"] < 1000


async def test_an_editor_that_never_answers_the_server_gets_its_model_all_the_same(
    start_raw_client: StartRawClient,
) -> None:
    client = await start_raw_client()
    await client.initialize(
        {
            "window": {"workDoneProgress": True},
            "workspace": {"configuration": True, "didChangeWatchedFiles": {"dynamicRegistration": True}},
        }
    )
    await client.loaded()
    asked = {message["method"] for message in client.notifications if "id" in message}
    assert {"window/workDoneProgress/create", "workspace/configuration", "client/registerCapability"} <= asked
