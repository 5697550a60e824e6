"""An editor as the server sees one: documents with edits, and pygls's typed client underneath."""

import asyncio
import itertools
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from cattrs import Converter
from e2e.raw_client import ANSWER_SECONDS
from lsprotocol import types
from pygls.lsp.client import LanguageClient
from pygls.protocol import JsonRPCResponseMessage, default_converter

__all__ = ["Buffer", "Editor", "Encoding"]

Encoding = Literal["utf-8", "utf-16"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_POLL_SECONDS = 0.02
_numbers = itertools.count(1)


class Buffer:
    """A document as the editor holds it; each change is sent to the server as the protocol says."""

    def __init__(
        self, client: LanguageClient, encoding: Encoding, text: str, language_id: str, name: str | None = None
    ) -> None:
        self.uri = f"file:///workspace/{name or f'file{next(_numbers)}'}"
        self._client = client
        self._encoding = encoding
        self._language_id = language_id
        self._version = 0
        self.open(text)

    @property
    def end(self) -> int:
        """Offset of the end of the text."""
        return len(self.text)

    def position(self, offset: int) -> types.Position:
        """Return the position of an offset in Python characters, in the units of the negotiated encoding."""
        ends = [match.end() for match in _LINE_END.finditer(self.text) if match.end() <= offset]
        before = self.text[ends[-1] if ends else 0 : offset]
        units = len(before.encode()) if self._encoding == "utf-8" else len(before.encode("utf-16-le")) // 2
        return types.Position(line=len(ends), character=units)

    def range(self, start: int, end: int) -> types.Range:
        """Return the range between two offsets."""
        return types.Range(start=self.position(start), end=self.position(end))

    def edit(self, start: int, end: int, new_text: str) -> None:
        """Replace the text between two offsets, sending only the difference."""
        self.edit_together([(start, end, new_text)])

    def edit_together(self, edits: Sequence[tuple[int, int, str]]) -> None:
        """Replace several spans one after the other, each counted in the text that the one before left; one message."""
        changes: list[types.TextDocumentContentChangeEvent] = []
        for start, end, new_text in edits:
            changes.append(types.TextDocumentContentChangePartial(range=self.range(start, end), text=new_text))
            self.text = self.text[:start] + new_text + self.text[end:]
        self._send(changes)

    def type(self, text: str) -> None:
        """Insert text at the end."""
        self.edit(self.end, self.end, text)

    def send_whole(self, text: str) -> None:
        """Replace everything, sending all of it."""
        self.text = text
        self._send([types.TextDocumentContentChangeWholeDocument(text=text)])

    def open(self, text: str) -> None:
        """Open the document, again if it was closed."""
        self.text = text
        self._version += 1
        item = types.TextDocumentItem(uri=self.uri, language_id=self._language_id, version=self._version, text=text)
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def close(self) -> None:
        """Close the document."""
        params = types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=self.uri))
        self._client.text_document_did_close(params)

    def _send(self, changes: list[types.TextDocumentContentChangeEvent]) -> None:
        self._version += 1
        document = types.VersionedTextDocumentIdentifier(uri=self.uri, version=self._version)
        params = types.DidChangeTextDocumentParams(text_document=document, content_changes=changes)
        self._client.text_document_did_change(params)


class Editor:
    """A client that opens documents, asks for completions and keeps what the server says to the user."""

    def __init__(self, configuration: Any = None) -> None:
        """Create an editor that is not connected yet; `configuration` answers the server's question for settings."""
        self.client = LanguageClient("codet5p-tests", "1", converter_factory=_converter)
        self.configuration = configuration
        self.messages: list[types.ShowMessageParams] = []
        self.progress: list[Any] = []
        self.capabilities = types.ServerCapabilities()
        self._encoding: Encoding = "utf-16"

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)
        def _show(params: types.ShowMessageParams) -> None:
            self.messages.append(params)

        @self.client.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
        def _create_progress(_: types.WorkDoneProgressCreateParams) -> None:
            self.progress.clear()

        @self.client.feature(types.PROGRESS)
        def _progress(params: types.ProgressParams) -> None:
            self.progress.append(params.value)

        @self.client.feature(types.WORKSPACE_CONFIGURATION)
        def _configuration(_: types.ConfigurationParams) -> list[Any]:
            return [self.configuration]

    async def start(self, command: Sequence[str], *, cwd: Path, env: dict[str, str]) -> None:
        """Start the server as a subprocess."""
        await self.client.start_io(*command, cwd=cwd, env=env)

    async def connect(self, port: int) -> None:
        """Connect to a server that listens on a port of the loopback, as soon as it does."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                await self.client.start_tcp("127.0.0.1", port)
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "the server does not listen"
                await asyncio.sleep(_POLL_SECONDS)
            else:
                return

    async def initialize(
        self,
        capabilities: types.ClientCapabilities | None = None,
        options: Any = None,
        encoding: Encoding = "utf-16",
        folders: Sequence[Path] = (),
    ) -> None:
        """Shake hands; the editor offers only `encoding` for positions unless it is the protocol's default."""
        capabilities = capabilities or types.ClientCapabilities()
        if encoding != "utf-16":
            capabilities.general = types.GeneralClientCapabilities(
                position_encodings=[types.PositionEncodingKind(encoding)]
            )
        params = types.InitializeParams(
            capabilities=capabilities,
            initialization_options=options,
            process_id=None,
            workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name=folder.name) for folder in folders]
            or None,
        )
        result = await asyncio.wait_for(self.client.initialize_async(params), ANSWER_SECONDS)
        self.capabilities = result.capabilities
        self._encoding = encoding
        self.client.initialized(types.InitializedParams())

    async def status(self) -> dict[str, Any]:
        """Return the answer to `codet5p/status`."""
        answer = self.client.protocol.send_request_async("codet5p/status", {})
        status: dict[str, Any] = await asyncio.wait_for(answer, ANSWER_SECONDS)
        return status

    async def counts(self) -> dict[str, int]:
        """Return the server's counters; one not listed is 0."""
        return {"generated": 0, "from cache": 0, "accepted": 0, **(await self.status())["counts"]}

    async def settled(self) -> dict[str, Any]:
        """Wait until the model is loaded, or cannot be; return the status."""
        deadline = time.monotonic() + 2 * ANSWER_SECONDS
        while (status := await self.status())["state"] == "loading":
            assert time.monotonic() < deadline, "the server is still loading"
            await asyncio.sleep(_POLL_SECONDS)
        return status

    def open(self, text: str, language_id: str = "python", name: str | None = None) -> Buffer:
        """Open a document under this name, or one of its own."""
        return Buffer(self.client, self._encoding, text, language_id, name)

    async def inline(
        self,
        buffer: Buffer,
        offset: int | None = None,
        *,
        is_automatic: bool = False,
        selected: types.SelectedCompletionInfo | None = None,
    ) -> types.InlineCompletionItem | None:
        """Return the best ghost text at an offset, the end of the document if none is given, or None without any."""
        items = await self.choice(buffer, offset, is_automatic=is_automatic, selected=selected)
        return items[0] if items else None

    async def choice(
        self,
        buffer: Buffer,
        offset: int | None = None,
        *,
        is_automatic: bool = False,
        selected: types.SelectedCompletionInfo | None = None,
    ) -> Sequence[types.InlineCompletionItem]:
        """Return all ghost texts at an offset, the end of the document if none is given."""
        kinds = types.InlineCompletionTriggerKind
        params = types.InlineCompletionParams(
            text_document=types.TextDocumentIdentifier(uri=buffer.uri),
            position=buffer.position(buffer.end if offset is None else offset),
            context=types.InlineCompletionContext(
                trigger_kind=kinds.Automatic if is_automatic else kinds.Invoked, selected_completion_info=selected
            ),
        )
        answer = self.client.text_document_inline_completion_async(params)
        result = await asyncio.wait_for(answer, ANSWER_SECONDS)
        assert isinstance(result, types.InlineCompletionList)
        assert len(result.items) <= (1 if is_automatic else 3)
        return result.items

    async def complete(self, buffer: Buffer, offset: int | None = None) -> types.CompletionList:
        """Return the completion list at an offset, the end of the document if none is given."""
        params = types.CompletionParams(
            text_document=types.TextDocumentIdentifier(uri=buffer.uri),
            position=buffer.position(buffer.end if offset is None else offset),
        )
        result = await asyncio.wait_for(self.client.text_document_completion_async(params), ANSWER_SECONDS)
        assert isinstance(result, types.CompletionList)
        return result

    async def close(self) -> int | None:
        """Shut the server down; return its exit status, or None if it is not this editor's subprocess."""
        await asyncio.wait_for(self.client.shutdown_async(None), ANSWER_SECONDS)
        self.client.exit(None)
        await asyncio.wait_for(self.client.stop(), ANSWER_SECONDS)
        process = self.client._server
        return process.returncode if process is not None else None


def _converter() -> Converter:
    """Return pygls's converter, with results of methods that the protocol does not know as plain JSON."""
    converter: Converter = default_converter()
    converter.register_structure_hook(JsonRPCResponseMessage, lambda message, kind: kind(**message))
    return converter
