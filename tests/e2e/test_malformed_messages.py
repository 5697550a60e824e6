"""Whatever a client sends, each request gets exactly one answer and the server stays usable."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from e2e.installation import Installation, StartRawClient
from e2e.raw_client import ANSWER_SECONDS, RawClient

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

URI = "file:///add.py"
TEXT = "def add(a, b):\n    return "
DOCUMENT = {"uri": URI}
END = {"line": 1, "character": 11}
EXPLICIT = {"triggerKind": 1}
INLINE = "textDocument/inlineCompletion"

INVALID_PARAMS = -32602
METHOD_NOT_FOUND = -32601


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(installation: Installation, serve: list[str]) -> AsyncIterator[RawClient]:
    client = await RawClient.start(serve, cwd=installation.cwd, env=installation.env)
    await client.initialize(initializationOptions={"completion": {"timeLimitMilliseconds": 30_000}})
    document = DOCUMENT | {"languageId": "python", "version": 1, "text": TEXT}
    client.notify("textDocument/didOpen", {"textDocument": document})
    yield client
    assert await completion_of(client) == "a + b"  # after all that
    await client.close()


async def completion_of(client: RawClient, position: Any = END, context: Any = EXPLICIT) -> str | None:
    params = {"textDocument": DOCUMENT, "position": position, "context": context}
    items = (await client.request(INLINE, params))["result"]["items"]
    return items[0]["insertText"] if items else None


async def test_trigger_kind_0_of_older_clients_is_an_explicit_request(client: RawClient) -> None:
    assert await completion_of(client, context={"triggerKind": 0}) == "a + b"


@pytest.mark.parametrize("kind", [None, "automatic", 17, {}])
async def test_an_unknown_trigger_kind_is_an_explicit_request(client: RawClient, kind: Any) -> None:
    assert await completion_of(client, context={"triggerKind": kind}) == "a + b"


async def test_a_range_as_a_list_of_two_positions_is_understood(client: RawClient) -> None:
    selected = {"range": [END, END], "text": "a"}
    context = {"triggerKind": 2, "selectedCompletionInfo": selected}
    assert await completion_of(client, context=context) == "a + b"


async def test_fields_of_a_newer_protocol_are_ignored(client: RawClient) -> None:
    params = {"textDocument": DOCUMENT | {"version": 1}, "position": END, "context": EXPLICIT, "formattingOptions": {}}
    assert (await client.request(INLINE, params))["result"]["items"]


@pytest.mark.parametrize(
    "params",
    [
        {"textDocument": DOCUMENT, "position": END},
        {"textDocument": DOCUMENT, "context": EXPLICIT},
        {"position": END, "context": EXPLICIT},
        {"textDocument": DOCUMENT, "position": END, "context": 1},
        {"textDocument": DOCUMENT, "position": END, "context": None},
        {"textDocument": DOCUMENT, "position": "1:11", "context": EXPLICIT},
        {"textDocument": DOCUMENT, "position": {"line": "one", "character": {}}, "context": EXPLICIT},
        {"textDocument": DOCUMENT, "position": {"line": None, "character": None}, "context": EXPLICIT},
        {"textDocument": URI, "position": END, "context": EXPLICIT},
        {"textDocument": DOCUMENT, "position": END, "context": {"triggerKind": 1, "selectedCompletionInfo": [1]}},
        [],
        [DOCUMENT, END, EXPLICIT],
        "params",
        7,
        None,
        {},
    ],
    ids=repr,
)
async def test_params_that_cannot_be_read_are_answered_with_an_error(client: RawClient, params: Any) -> None:
    answer = await client.request(INLINE, params)
    assert answer["error"]["code"] == INVALID_PARAMS
    assert answer["error"]["message"].startswith(f"invalid params for {INLINE}: ")
    assert "\n" not in answer["error"]["message"]


async def test_a_request_without_params_is_answered_with_an_error(client: RawClient) -> None:
    assert (await client.request(INLINE))["error"]["code"] == INVALID_PARAMS


@pytest.mark.parametrize("params", [(), (None,), ({},), ([],)], ids=["none", "null", "empty object", "empty list"])
async def test_the_status_needs_no_params_of_any_form(client: RawClient, params: tuple[Any, ...]) -> None:
    assert (await client.request("codet5p/status", *params))["result"]["documents"] == 1


@pytest.mark.parametrize(
    "position",
    [
        {"line": 1, "character": 10_000},
        {"line": 99_999, "character": 0},
        {"line": 2**31 - 1, "character": 2**31 - 1},
    ],
    ids=repr,
)
async def test_a_position_beyond_the_text_means_its_end(client: RawClient, position: dict[str, int]) -> None:
    params = {"textDocument": DOCUMENT, "position": position, "context": EXPLICIT}
    item = (await client.request(INLINE, params))["result"]["items"][0]
    assert item["insertText"] == "a + b"
    assert item["range"] == {"start": END, "end": END}


@pytest.mark.parametrize("position", [{"line": -1, "character": 0}, {"line": 0, "character": -5}], ids=repr)
async def test_a_negative_position_is_answered_with_an_error(client: RawClient, position: dict[str, int]) -> None:
    params = {"textDocument": DOCUMENT, "position": position, "context": EXPLICIT}
    assert (await client.request(INLINE, params))["error"]["code"] == INVALID_PARAMS


async def test_a_document_that_is_not_open_has_no_completions(client: RawClient) -> None:
    params = {"textDocument": {"uri": "file:///other.py"}, "position": END, "context": EXPLICIT}
    assert (await client.request(INLINE, params))["result"]["items"] == []


async def test_an_unknown_method_is_answered_with_an_error(client: RawClient) -> None:
    for params in ((), (None,), ({},), ([1, 2],)):
        assert (await client.request("textDocument/unheardOf", *params))["error"]["code"] == METHOD_NOT_FOUND


async def test_an_unknown_command_is_answered_with_an_error(client: RawClient) -> None:
    assert (await client.request("workspace/executeCommand", {"command": "rm"}))["error"]["code"] == INVALID_PARAMS


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/didOpen", {"textDocument": {"uri": URI}}),
        ("textDocument/didChange", {"textDocument": DOCUMENT, "contentChanges": 3}),
        ("textDocument/didChange", {"textDocument": DOCUMENT | {"version": 2}, "contentChanges": [{"range": [1, 2]}]}),
        ("textDocument/didChange", {"textDocument": {"uri": "file:///x", "version": 2}, "contentChanges": []}),
        ("textDocument/didClose", {"textDocument": {"uri": "file:///never-opened"}}),
        ("textDocument/didShowCompletion", None),
        ("workspace/didChangeConfiguration", {"settings": "fast, please"}),
        ("workspace/didChangeConfiguration", None),
        ("$/cancelRequest", {}),
        ("$/cancelRequest", {"id": [1]}),
        ("$/unheardOf", [1]),
    ],
    ids=repr,
)
async def test_a_notification_that_cannot_be_read_is_survived(client: RawClient, method: str, params: Any) -> None:
    client.notify(method, params)
    assert await completion_of(client) == "a + b"


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc": "2.0", "id": 1000, "method": ',
        b"no JSON at all",
        b'"\xff\xfe"',
        b"[]",
        b"null",
        b"12",
        b"{}",
        b'{"jsonrpc": "2.0"}',
        b'{"jsonrpc": "1.0", "id": 1000, "method": "codet5p/status", "params": {}}',
        b'{"jsonrpc": "2.0", "id": 1000, "result": null}',
        b'{"jsonrpc": "2.0", "id": null, "method": "codet5p/status", "params": {}}',
        b"[" * 5000,
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_a_body_that_is_no_message_is_survived(client: RawClient, body: bytes) -> None:
    client.send_body(body)
    assert await completion_of(client) == "a + b"


async def test_no_malformed_message_pops_up_in_front_of_the_user(client: RawClient) -> None:
    client.notifications.clear()
    await client.request(INLINE, {"textDocument": DOCUMENT})
    client.notify("textDocument/didChange", {})
    client.send_body(b"{")
    await completion_of(client)
    assert client.notifications == []


async def test_requests_before_the_handshake_are_answered(start_raw_client: StartRawClient) -> None:
    client = await start_raw_client()
    params = {"textDocument": DOCUMENT, "position": END, "context": EXPLICIT}
    assert "error" in await client.request(INLINE, params)
    await client.initialize()
    document = DOCUMENT | {"languageId": "python", "version": 1, "text": TEXT}
    client.notify("textDocument/didOpen", {"textDocument": document})
    assert await completion_of(client) == "a + b"


async def test_requests_after_shutdown_are_answered_with_an_error(start_raw_client: StartRawClient) -> None:
    client = await start_raw_client()
    await client.initialize()
    assert (await client.request("shutdown"))["result"] is None
    answer = await client.request("codet5p/status", {})
    assert answer["error"]["code"] == -32600
    client.notify("exit")
    assert await asyncio.wait_for(client.exit_code(), ANSWER_SECONDS) == 0
