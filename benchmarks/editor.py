"""A scripted editor: the real server as a child process, driven over stdio like an editor drives it."""

import asyncio
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
from lsprotocol import types
from pygls.lsp.client import LanguageClient

__all__ = ["Editor"]

_POLL_SECONDS = 0.01


class Editor:
    """Opens one document, edits it and asks for completions."""

    def __init__(self, *server_arguments: str) -> None:
        self._arguments = server_arguments
        self._client = LanguageClient("codet5p-benchmark", "1")
        self._version = 0
        self._uri = ""
        self._accepting: asyncio.Future[Any] | None = None
        self.last_seconds = 0.0

    async def __aenter__(self) -> Self:
        self.started = time.perf_counter()
        await self._client.start_io(sys.executable, "-m", "codet5p", "serve", *self._arguments)
        await self._client.initialize_async(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(),
                # Times are those of the server's work: the pause that it waits for while someone types is left out.
                initialization_options={"completion": {"delayMilliseconds": 0, "adaptiveDelay": False}},
            )
        )
        self._client.initialized(types.InitializedParams())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.shutdown_async(None)
        self._client.exit(None)
        await self._client.stop()

    @property
    def process(self) -> psutil.Process:
        """The server's process."""
        return psutil.Process(self._client._server.pid)  # noqa: SLF001 - pygls keeps its child to itself

    async def ready(self) -> None:
        """Wait until the model is loaded."""
        while (await self.status()).state == "loading":
            await asyncio.sleep(_POLL_SECONDS)

    async def status(self) -> Any:
        """Return the server's status."""
        return await self._client.protocol.send_request_async("codet5p/status", {})

    def open(self, path: Path, text: str, language: str = "python") -> None:
        """Open a document with `text`, as if it were `path`."""
        self._uri, self._version = path.as_uri(), 1
        item = types.TextDocumentItem(uri=self._uri, language_id=language, version=1, text=text)
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def close(self) -> None:
        """Close the document."""
        document = types.TextDocumentIdentifier(uri=self._uri)
        self._client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=document))

    def insert(self, line: int, character: int, text: str) -> None:
        """Type `text` at a position."""
        self._version += 1
        position = types.Position(line=line, character=character)
        change = types.TextDocumentContentChangePartial(range=types.Range(start=position, end=position), text=text)
        document = types.VersionedTextDocumentIdentifier(uri=self._uri, version=self._version)
        self._client.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=document, content_changes=[change])
        )

    def insert_at(self, before: str, text: str) -> None:
        """Type `text` behind `before`, which is all that stands left of it."""
        self.insert(*_position(before), text)

    async def complete_at(self, before: str) -> tuple[str, float]:
        """Return the suggestion behind `before`, all that stands left of the cursor, and the seconds it took."""
        suggestion, self.last_seconds = await self.complete(*_position(before))
        return suggestion, self.last_seconds

    async def accept(self, end: int) -> None:
        """Tell the server that a suggestion which ends at offset `end` was accepted; it may still be at work then."""
        params = types.ExecuteCommandParams(command="codet5p.accepted", arguments=[self._uri, end])
        self._accepting = asyncio.ensure_future(self._client.workspace_execute_command_async(params))

    def memory_bytes(self) -> int:
        """Return the resident memory of the server and the processes that it started."""
        return sum(process.memory_info().rss for process in self._processes())

    def cpu_seconds(self) -> float:
        """Return the processor time of the server and the processes that it started."""
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    async def complete(self, line: int, character: int) -> tuple[str, float]:
        """Return the suggestion at a position and the seconds from request to answer."""
        params = types.InlineCompletionParams(
            text_document=types.TextDocumentIdentifier(uri=self._uri),
            position=types.Position(line=line, character=character),
            context=types.InlineCompletionContext(trigger_kind=types.InlineCompletionTriggerKind.Automatic),
        )
        started = time.perf_counter()
        result = await self._client.text_document_inline_completion_async(params)
        seconds = time.perf_counter() - started
        items = result.items if isinstance(result, types.InlineCompletionList) else result or []
        return (str(items[0].insert_text) if items else ""), seconds


def _position(before: str) -> tuple[int, int]:
    """Return line and UTF-16 character of the end of `before`, whose lines end in line feeds."""
    return before.count("\n"), len(before.rpartition("\n")[2].encode("utf-16-le")) // 2
