"""Search and workspace symbols, from a real workspace through the indexing process to the editor."""

import asyncio
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from e2e.conftest import StartEditor
from e2e.editor import Editor
from e2e.raw_client import ANSWER_SECONDS
from lsprotocol import types
from pygls.exceptions import JsonRpcException

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

_INDEXED_SECONDS = 120
"""The indexing process runs at low priority: on a busy machine it gets a small share."""
_RETRY = '''"""Sending."""


class Sender:
    """Sends requests."""

    def send_with_backoff(self, request):
        """Retry a request, waiting twice as long before each further attempt. 😀"""
        for attempt in range(5):
            if (answer := self.send(request)) is not None:
                return answer
            sleep(2**attempt)
        return None  # 𐐀 gave up'''


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "work space"
    (root / "node_modules").mkdir(parents=True)
    (root / "node_modules" / "lib.js").write_text("function retryRequestBackoff() {}\n", "utf-8")
    (root / "sender.py").write_text(_RETRY, "utf-8")
    (root / "parse.go").write_text(
        "package main\n\nfunc ParseHeader(line string) string {\n\treturn line\n}\n", "utf-8"
    )
    return root


async def ask(editor: Editor, query: Any, **more: Any) -> dict[str, Any]:
    answer = editor.client.protocol.send_request_async("codet5p/search", {"query": query, **more})
    result: dict[str, Any] = await asyncio.wait_for(answer, ANSWER_SECONDS)
    return result


async def ask_when_indexed(editor: Editor, query: str, expected_name: str | None = None, **more: Any) -> dict[str, Any]:
    """Ask until nothing is pending and, if a name is given, until the best hit bears it."""
    deadline = time.monotonic() + _INDEXED_SECONDS
    while True:
        answer = await ask(editor, query, **more)
        names = [hit["name"] for hit in answer["hits"]]
        if answer["pending"] == 0 and (expected_name is None or names[:1] == [expected_name]):
            return answer
        assert time.monotonic() < deadline, answer
        await asyncio.sleep(0.05)


async def test_a_description_finds_the_function_with_its_exact_range(
    start_editor: StartEditor, workspace: Path
) -> None:
    editor = await start_editor(folders=[workspace])
    answer = await ask_when_indexed(editor, "retry a request with exponential backoff")
    hit = answer["hits"][0]
    assert hit["uri"] == (workspace / "sender.py").as_uri()
    assert (hit["name"], hit["kind"], hit["language"]) == ("Sender.send_with_backoff", "method", "python")
    last = _RETRY.rsplit("\n", maxsplit=1)[-1]
    assert hit["range"] == {
        "start": {"line": 6, "character": 0},
        "end": {"line": 12, "character": len(last.encode("utf-16-le")) // 2},
    }
    lines = hit["snippet"].split("\n")
    assert any("Retry a request" in lines[index] for index in hit["bestLines"])
    assert hit["snippetLine"] == 6
    assert answer["indexed"] == 2  # what lies in node_modules is not ours
    status = await editor.status()
    assert (status["index"]["files"], status["index"]["pending"]) == (2, 0)
    assert status["index"]["chunks"] >= 3


async def test_a_saved_file_is_found_in_its_new_state_and_a_deleted_one_no_more(
    start_editor: StartEditor, workspace: Path
) -> None:
    editor = await start_editor(folders=[workspace])
    await ask_when_indexed(editor, "ParseHeader", "ParseHeader")
    (workspace / "parse.go").write_text("package main\n\nfunc SplitTrailer() {\n}\n", "utf-8")
    saved = types.TextDocumentIdentifier(uri=(workspace / "parse.go").as_uri())
    editor.client.text_document_did_save(types.DidSaveTextDocumentParams(text_document=saved))
    await ask_when_indexed(editor, "SplitTrailer", "SplitTrailer")
    (workspace / "parse.go").unlink()
    change = types.FileEvent(uri=saved.uri, type=types.FileChangeType.Deleted)
    editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes=[change]))
    deadline = time.monotonic() + _INDEXED_SECONDS
    while "SplitTrailer" in [hit["name"] for hit in (await ask(editor, "SplitTrailer"))["hits"]]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_code_like_that_at_the_cursor_is_found_in_the_document_as_typed(
    start_editor: StartEditor, workspace: Path
) -> None:
    editor = await start_editor(folders=[workspace])
    await ask_when_indexed(editor, "ParseHeader", "ParseHeader")
    uri = (workspace / "new.go").as_uri()
    typed = "package main\n\nfunc ParseTrailer(line string) string {\n\treturn line\n}\n"
    document = types.TextDocumentItem(uri=uri, language_id="go", version=1, text=typed)
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=document))
    answer = await similar(editor, {"textDocument": {"uri": uri}, "position": {"line": 3, "character": 1}, "limit": 5})
    assert answer["hits"][0]["name"] == "ParseHeader"
    assert set(answer["hits"][0]) == set((await ask(editor, "ParseHeader"))["hits"][0])
    stored = {"textDocument": {"uri": (workspace / "parse.go").as_uri()}, "position": {"line": 2, "character": 0}}
    assert "ParseHeader" not in [hit["name"] for hit in (await similar(editor, stored))["hits"]]
    with pytest.raises(JsonRpcException, match=r"textDocument\.uri and position are needed"):
        await similar(editor, {"position": {"line": 1, "character": 0}})


async def similar(editor: Editor, params: dict[str, Any]) -> dict[str, Any]:
    answer = editor.client.protocol.send_request_async("codet5p/similar", params)
    result: dict[str, Any] = await asyncio.wait_for(answer, ANSWER_SECONDS)
    return result


async def test_workspace_symbols_answer_names_typed_in_part(start_editor: StartEditor, workspace: Path) -> None:
    editor = await start_editor(folders=[workspace])
    await ask_when_indexed(editor, "Sender")
    found = await editor.client.workspace_symbol_async(types.WorkspaceSymbolParams(query="sndbackoff"))
    assert found is not None
    assert [(symbol.name, symbol.kind) for symbol in found] == [("send_with_backoff", types.SymbolKind.Method)]
    symbol = found[0]
    assert isinstance(symbol, types.SymbolInformation)
    assert symbol.container_name == "Sender"
    assert symbol.location.range.start == types.Position(line=6, character=0)


async def test_an_editor_without_folders_gets_an_empty_answer_and_no_second_process(start_editor: StartEditor) -> None:
    editor = await start_editor()
    assert await ask(editor, "anything") == {"hits": [], "indexed": 0, "pending": 0}
    assert _indexers() == []


async def test_bad_parameters_get_an_error_that_names_them(start_editor: StartEditor, workspace: Path) -> None:
    editor = await start_editor(folders=[workspace])
    for parameters, reason in (
        ({"query": 3}, "query must be a string"),
        ({"limit": 3}, "query must be a string"),
        ({"query": "x", "limit": "3"}, "limit must be a whole number"),
        ({"query": "x", "path": 3}, "path must be a string"),
    ):
        with pytest.raises(JsonRpcException, match=reason):
            await asyncio.wait_for(
                editor.client.protocol.send_request_async("codet5p/search", parameters), ANSWER_SECONDS
            )


async def test_the_indexing_process_is_replaced_when_it_dies(start_editor: StartEditor, workspace: Path) -> None:
    editor = await start_editor(folders=[workspace])
    await ask_when_indexed(editor, "ParseHeader", "ParseHeader")
    (process,) = _indexers()
    assert process.nice() > 0
    process.kill()
    (workspace / "late.py").write_text("def arrived_late():\n    return 1\n", "utf-8")
    await ask_when_indexed(editor, "arrived late", "arrived_late")
    (replacement,) = _indexers()
    assert replacement.pid != process.pid


async def test_what_the_words_find_is_sent_before_the_answer(start_editor: StartEditor, workspace: Path) -> None:
    editor = await start_editor(folders=[workspace])
    await ask_when_indexed(editor, "retry with backoff", "Sender.send_with_backoff")
    deadline = time.monotonic() + _INDEXED_SECONDS
    while (await editor.status())["index"]["encoder"] is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    editor.progress.clear()
    answer = await ask(editor, "retry with backoff", partialResultToken="first")
    (first,) = (value for value in editor.progress if "hits" in value)
    assert first["hits"][0]["name"] == answer["hits"][0]["name"] == "Sender.send_with_backoff"
    assert set(first) == set(answer)


async def test_a_paused_window_leaves_indexing_to_another_and_sees_what_that_one_finds(
    start_editor: StartEditor, workspace: Path
) -> None:
    paused = await start_editor(folders=[workspace])
    await ask_when_indexed(paused, "ParseHeader", "ParseHeader")
    await run_command(paused, "codet5p.pauseIndexing")
    (workspace / "late.py").write_text("def arrived_late():\n    return 1\n", "utf-8")
    saved = types.TextDocumentIdentifier(uri=(workspace / "late.py").as_uri())
    paused.client.text_document_did_save(types.DidSaveTextDocumentParams(text_document=saved))
    await asyncio.sleep(0.5)
    assert "arrived_late" not in [hit["name"] for hit in (await ask(paused, "arrived late"))["hits"]]
    other = await start_editor(folders=[workspace])
    await ask_when_indexed(other, "arrived late", "arrived_late")
    await ask_when_indexed(paused, "arrived late", "arrived_late")
    await run_command(paused, "codet5p.resumeIndexing")


async def run_command(editor: Editor, name: str) -> None:
    await editor.client.workspace_execute_command_async(types.ExecuteCommandParams(command=name))


def _indexers() -> list[psutil.Process]:
    """Return the indexing processes below this one."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if any("index.worker" in part for part in child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


async def test_a_server_given_a_cache_writes_its_index_there_too(
    start_editor: StartEditor, workspace: Path, tmp_path: Path
) -> None:
    editor = await start_editor("--cache", tmp_path / "cache", folders=[workspace])
    await ask_when_indexed(editor, "retry with backoff", "Sender.send_with_backoff")
    assert len(list((tmp_path / "cache" / "index").glob("*.sqlite"))) == 1
