import asyncio
import statistics
import time
from pathlib import Path

import pytest
from e2e.editor import Editor
from e2e.installation import StartRawClient
from e2e.raw_client import ANSWER_SECONDS
from lsprotocol import types
from pygls.exceptions import JsonRpcRequestCancelled

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

LONG = Path(asyncio.__file__).with_name("base_events.py").read_text("utf-8")  # a prompt of the greatest length
SHORT = "def add(a, b):\n    return "  # whatever the model, there is a suggestion that leaves the syntax whole
REPEATS = 5
QUICK_SECONDS = 0.05


def begin(editor: Editor, uri: str, position: types.Position, msg_id: str) -> "asyncio.Future[object]":
    context = types.InlineCompletionContext(trigger_kind=types.InlineCompletionTriggerKind.Invoked)
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri=uri), position=position, context=context
    )
    return editor.client.protocol.send_request_async("textDocument/inlineCompletion", params, msg_id=msg_id)


def long_prefix(number: int) -> str:
    """Return real code, different for each number and too long a prompt to be answered before it is cancelled."""
    lines = LONG.splitlines(keepends=True)
    return "".join(lines[: 300 + 60 * number]) + "        self._"


async def test_a_cancelled_request_is_answered_at_once_and_the_next_one_as_usual(editor: Editor) -> None:
    delays = []
    for number in range(REPEATS):
        buffer = editor.open(long_prefix(number))
        answer = begin(editor, buffer.uri, buffer.position(buffer.end), f"cancelled-{number}")
        await asyncio.sleep(0.03)  # by now the model is at work
        assert not answer.done()
        started = time.perf_counter()
        editor.client.cancel_request(types.CancelParams(id=f"cancelled-{number}"))
        with pytest.raises(JsonRpcRequestCancelled):
            await asyncio.wait_for(answer, ANSWER_SECONDS)
        delays.append(time.perf_counter() - started)
    assert statistics.median(delays) < QUICK_SECONDS
    item = await editor.inline(editor.open(SHORT))
    assert item is not None
    assert item.insert_text == "a + b"


async def test_the_error_of_a_cancelled_request_has_the_code_of_the_protocol(start_raw_client: StartRawClient) -> None:
    client = await start_raw_client()
    await client.initialize()
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": SHORT}
    client.notify("textDocument/didOpen", {"textDocument": document})
    params = {
        "textDocument": {"uri": "file:///a.py"},
        "position": {"line": 1, "character": 11},
        "context": {"triggerKind": 1},
    }
    request_id, answer = client.begin("textDocument/inlineCompletion", params)  # waits for the model to load
    client.notify("$/cancelRequest", {"id": request_id})
    assert (await asyncio.wait_for(answer, ANSWER_SECONDS))["error"]["code"] == -32800
    assert (await client.request("textDocument/inlineCompletion", params))["result"]["items"]


async def test_cancelling_what_is_answered_or_was_never_asked_changes_nothing(editor: Editor) -> None:
    buffer = editor.open(SHORT)
    first = await asyncio.wait_for(begin(editor, buffer.uri, buffer.position(buffer.end), "answered"), ANSWER_SECONDS)
    editor.client.cancel_request(types.CancelParams(id="answered"))
    editor.client.cancel_request(types.CancelParams(id=123456))
    assert isinstance(first, types.InlineCompletionList)
    assert list(first.items) == [await editor.inline(buffer)]


async def test_the_newest_request_of_a_document_wins(editor: Editor) -> None:
    buffer = editor.open(f"{LONG}\n\n{SHORT}")
    older = begin(editor, buffer.uri, buffer.position(buffer.end), "older")
    buffer.type("a")
    newer = begin(editor, buffer.uri, buffer.position(buffer.end), "newer")
    outdated = await asyncio.wait_for(older, ANSWER_SECONDS)
    assert isinstance(outdated, types.InlineCompletionList)
    assert len(outdated.items) == 0
    result = await asyncio.wait_for(newer, ANSWER_SECONDS)
    assert isinstance(result, types.InlineCompletionList)
    assert result.items[0].range == buffer.range(buffer.end, buffer.end)


async def test_automatic_requests_faster_than_the_pause_in_typing_reach_the_model_once(editor: Editor) -> None:
    buffer = editor.open("def multiply(first, second):\n    return ")
    before = await editor.counts()
    answers = []
    for character in "first ":
        buffer.type(character)
        answers.append(asyncio.ensure_future(editor.inline(buffer, is_automatic=True)))
    items = await asyncio.gather(*answers)
    assert items[:-1] == [None] * 5
    assert items[-1] is not None
    assert items[-1].insert_text == "* second"
    assert (await editor.counts())["generated"] == before["generated"] + 1


async def test_requests_of_two_documents_are_both_answered(editor: Editor) -> None:
    one, two = editor.open(SHORT), editor.open("def subtract(a, b):\n    return ")
    items = await asyncio.gather(editor.inline(one), editor.inline(two))
    assert [item.insert_text for item in items if item is not None] == ["a + b", "a - b"]
