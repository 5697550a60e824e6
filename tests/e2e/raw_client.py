"""A JSON-RPC peer that sends whatever a test wants, well-formed or not, and reads what comes back."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["ANSWER_SECONDS", "RawClient"]

ANSWER_SECONDS = 30.0  # until a missing answer counts as a hang; far above every real time, for busy machines
_POLL_SECONDS = 0.02


class RawClient:
    """One server process, spoken to in bytes over its stdin and stdout."""

    def __init__(self, process: asyncio.subprocess.Process, reader: asyncio.Task[None]) -> None:
        self.process = process
        self.notifications: list[dict[str, Any]] = []
        self._reader = reader
        self._waiting: dict[int | str, asyncio.Future[dict[str, Any]]] = {}
        self._last_id = 0

    @classmethod
    async def start(cls, command: Sequence[str], *, cwd: Path, env: dict[str, str]) -> "RawClient":
        """Start `command`; its stderr goes to `server.log` in `cwd`."""
        with (cwd / "server.log").open("ab") as log:
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=pipe, stderr=log, cwd=cwd, env=env
            )
        begun = asyncio.Event()

        async def read() -> None:
            await begun.wait()
            await client._read()

        client = cls(process, asyncio.create_task(read()))
        begun.set()
        return client

    async def initialize(self, capabilities: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Shake hands and return the result of `initialize`; `more` are further params."""
        params = {"processId": None, "rootUri": None, "capabilities": capabilities or {}, **more}
        answer = await self.request("initialize", params)
        self.notify("initialized", {})
        result: dict[str, Any] = answer["result"]
        return result

    async def loaded(self) -> None:
        """Wait until the server has its model."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while (status := (await self.request("codet5p/status"))["result"])["state"] != "ready":
            assert status["state"] == "loading"
            assert time.monotonic() < deadline, "the server is still loading"
            await asyncio.sleep(_POLL_SECONDS)

    def begin(self, method: str, *params: Any) -> tuple[int, asyncio.Future[dict[str, Any]]]:
        """Send a request, without params if none are given; return its id and the future of its whole response."""
        self._last_id += 1
        self._waiting[self._last_id] = future = asyncio.get_running_loop().create_future()
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method}
        self.send(message | {"params": params[0]} if params else message)
        return self._last_id, future

    async def request(self, method: str, *params: Any) -> dict[str, Any]:
        """Send a request and return its whole response: with `result`, or with `error`."""
        return await asyncio.wait_for(self.begin(method, *params)[1], ANSWER_SECONDS)

    def notify(self, method: str, *params: Any) -> None:
        """Send a notification, without params if none are given."""
        message = {"jsonrpc": "2.0", "method": method}
        self.send(message | {"params": params[0]} if params else message)

    def send(self, message: Any) -> None:
        """Send any value as JSON, correctly framed."""
        self.send_body(json.dumps(message).encode())

    def send_body(self, body: bytes) -> None:
        """Send bytes that need not be JSON, correctly framed."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def exit_code(self) -> int:
        """Return the status the process ends with; wait for that."""
        code = await asyncio.wait_for(self.process.wait(), ANSWER_SECONDS)
        await self._reader
        return code

    async def close(self) -> None:
        """Close the server's stdin and end the process if that does not."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), ANSWER_SECONDS)
        except TimeoutError:
            self.process.kill()
            raise
        finally:
            await self._reader

    async def _read(self) -> None:
        assert self.process.stdout is not None
        stdout = self.process.stdout
        while header := await stdout.readline():
            length = int(header.split(b":")[1])
            while (await stdout.readline()).strip():
                pass
            self._receive(json.loads(await stdout.readexactly(length)))

    def _receive(self, message: dict[str, Any]) -> None:
        if "method" in message:
            self.notifications.append(message)
        elif (future := self._waiting.pop(message["id"], None)) is not None and not future.done():
            future.set_result(message)
