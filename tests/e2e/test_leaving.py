import asyncio
import socket
import time
from pathlib import Path

import pytest
from e2e.editor import Editor
from e2e.installation import Installation, StartRawClient
from e2e.raw_client import ANSWER_SECONDS, RawClient

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

LONG = Path(asyncio.__file__).with_name("base_events.py").read_text("utf-8")
SHUTDOWN_SECONDS = 1.0


async def begin_long_request(client: RawClient) -> "asyncio.Future[object]":
    """Ask for a completion behind a prompt of the greatest length and wait until the model is at work on it."""
    await client.initialize()
    await client.loaded()
    text = LONG + "\n    self._"
    document = {"uri": "file:///long.py", "languageId": "python", "version": 1, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": document})
    position = {"line": text.count("\n"), "character": len("    self._")}
    params = {"textDocument": {"uri": document["uri"]}, "position": position, "context": {"triggerKind": 1}}
    answer = client.begin("textDocument/inlineCompletion", params)[1]
    await asyncio.sleep(0.05)
    assert not answer.done()
    return answer


async def test_shutdown_in_the_middle_of_a_request_takes_less_than_a_second(start_raw_client: StartRawClient) -> None:
    client = await start_raw_client()
    answer = await begin_long_request(client)
    started = time.monotonic()
    assert (await client.request("shutdown"))["result"] is None
    client.notify("exit")
    assert await client.exit_code() == 0
    assert time.monotonic() - started < SHUTDOWN_SECONDS
    assert answer.done()  # no request is left without an answer


async def test_shutdown_while_the_model_is_loading_takes_less_than_a_second(start_raw_client: StartRawClient) -> None:
    client = await start_raw_client()
    await client.initialize()
    started = time.monotonic()
    assert (await client.request("shutdown"))["result"] is None
    client.notify("exit")
    assert await client.exit_code() == 0
    assert time.monotonic() - started < SHUTDOWN_SECONDS


async def test_exit_without_shutdown_is_a_failure(start_raw_client: StartRawClient) -> None:
    client = await start_raw_client()
    await client.initialize()
    client.notify("exit")
    assert await client.exit_code() == 1


async def test_the_server_ends_when_the_editor_is_gone(start_raw_client: StartRawClient) -> None:
    client = await start_raw_client()
    await begin_long_request(client)
    assert client.process.stdin is not None
    client.process.stdin.close()
    started = time.monotonic()
    assert await client.exit_code() == 1
    assert time.monotonic() - started < SHUTDOWN_SECONDS


async def test_the_server_ends_when_nobody_ever_spoke_to_it(start_raw_client: StartRawClient) -> None:
    client = await start_raw_client()
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert await client.exit_code() == 1


async def test_the_whole_conversation_works_over_tcp(installation: Installation, serve: list[str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *serve, "--tcp", str(port), cwd=installation.cwd, env=installation.env
    )
    editor = Editor()
    try:
        await editor.connect(port)
        await editor.initialize()
        item = await editor.inline(editor.open("def add(a, b):\n    return "))
        assert item is not None
        assert item.insert_text == "a + b"
        await editor.close()
        assert await asyncio.wait_for(process.wait(), ANSWER_SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
