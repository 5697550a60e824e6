"""The demonstration: an LSP client that opens files, puts the cursor somewhere and shows what the server says."""

import asyncio
import contextlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient
from rich.console import Console
from rich.text import Text

from codet5p import __version__
from codet5p.core.config import load_toml
from codet5p.core.errors import EngineError

__all__ = ["Scene", "demonstrate", "example_workspace"]

_CONTEXT_LINES = 5
_START_SECONDS = 120.0
_ANSWER_SECONDS = 30.0
_POLL_SECONDS = 0.1
_HITS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A cursor in a file, and the reason to look there.

    Attributes:
        file: Path in the workspace.
        line: Line that is being written, counted from 1; its text is cleared but for the indentation.
        typed: What the user has typed of it already.
        title: What is shown here.
    """

    file: str
    line: int
    title: str
    typed: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Script:
    scenes: tuple[Scene, ...]
    queries: tuple[str, ...] = ()


def example_workspace() -> Path:
    """Return the example workspace that is installed with the package."""
    import codet5p.examples

    return Path(codet5p.examples.__path__[0])


async def demonstrate(workspace: Path, server_arguments: list[str]) -> None:
    """Play every scene of `workspace`/demo.toml against a server of its own and print what it says.

    Args:
        workspace: Folder with the files and the script.
        server_arguments: Further arguments of `codet5p serve`.

    Raises:
        EngineError: If the server cannot load its model, or ends on its own.
    """
    script = load_toml(workspace / "demo.toml", _Script)
    console = Console(highlight=False)
    client = LanguageClient("codet5p-demo", __version__)

    @client.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]  # pygls leaves it untyped
    def _shown(_: types.ShowMessageParams) -> None:
        """Leave it to the status, which says the same."""

    started = time.perf_counter()
    # Safe path: the folder it is started in may hold a module named like one that the server imports.
    await client.start_io(sys.executable, "-P", "-m", "codet5p", "serve", *server_arguments)
    try:
        with console.status("starting the server; the first start prepares the model"):
            await _start(client, workspace)
        console.print(f"[dim]server ready after {time.perf_counter() - started:.1f} s\n")
        for scene in script.scenes:
            await _play(client, workspace, scene, console)
        for query in script.queries:
            await _search(client, query, console)
        _print_status(await client.protocol.send_request_async("codet5p/status", {}), console)
    except (RuntimeError, JsonRpcException):
        if client.stopped:
            raise EngineError("the server ended before it answered; see codet5p doctor") from None
        raise
    finally:
        if not client.stopped:
            with contextlib.suppress(TimeoutError):  # a server that is that slow is stopped below
                await asyncio.wait_for(client.shutdown_async(None), _ANSWER_SECONDS)
            client.exit(None)
        await client.stop()  # type: ignore[no-untyped-call]


async def _start(client: LanguageClient, workspace: Path) -> None:
    await client.initialize_async(
        types.InitializeParams(capabilities=types.ClientCapabilities(), root_uri=workspace.as_uri(), process_id=None)
    )
    client.initialized(types.InitializedParams())
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        status = await client.protocol.send_request_async("codet5p/status", {})
        if status.error:
            raise EngineError(status.error)
        if status.state == "ready":
            return
        await asyncio.sleep(_POLL_SECONDS)
    raise EngineError(f"the server was not ready after {_START_SECONDS:.0f} s; see codet5p doctor")


async def _play(client: LanguageClient, workspace: Path, scene: Scene, console: Console) -> None:
    path = workspace / scene.file
    lines = path.read_text("utf-8").splitlines()
    original = lines[scene.line - 1]
    indentation = original[: len(original) - len(original.lstrip())]
    lines[scene.line - 1] = indentation + scene.typed
    text = "\n".join(lines[: scene.line]) + "\n"  # what follows is not written yet
    language = {".py": "python", ".js": "javascript", ".go": "go"}.get(path.suffix, "plaintext")
    item = types.TextDocumentItem(uri=path.as_uri(), language_id=language, version=1, text=text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    answer, milliseconds = await _ask(client, path.as_uri(), scene.line - 1, len(lines[scene.line - 1]))
    _, again = await _ask(client, path.as_uri(), scene.line - 1, len(lines[scene.line - 1]))
    client.text_document_did_close(
        types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=path.as_uri()))
    )
    console.print(f"[bold]{scene.title}[/]  [dim]{scene.file}:{scene.line}")
    for line in lines[max(scene.line - _CONTEXT_LINES, 0) : scene.line - 1]:
        console.print(Text("    " + line))
    console.print(
        Text.assemble(
            "    " + lines[scene.line - 1],
            (answer or "(silence)", "italic bright_black"),
            (f"   {milliseconds:.0f} ms, asked again {again:.1f} ms", "cyan"),
        )
    )
    console.print()


async def _search(client: LanguageClient, query: str, console: Console) -> None:
    """Print the best hits for `query`, once the workspace is indexed."""
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        started = time.perf_counter()
        answer = await client.protocol.send_request_async("codet5p/search", {"query": query, "limit": _HITS})
        milliseconds = 1000 * (time.perf_counter() - started)
        if not answer.pending or time.monotonic() > deadline:
            break
        await asyncio.sleep(_POLL_SECONDS)
    console.print(f"[bold]Find code by description[/]  [dim]{query}[/]   [cyan]{milliseconds:.0f} ms")
    for hit in answer.hits:
        file = Path(unquote(urlparse(hit.uri).path)).name
        console.print(Text.assemble("    ", (hit.name, "bold"), f"  {hit.kind}, {file}:{hit.range.start.line + 1}"))
    console.print()


async def _ask(client: LanguageClient, uri: str, line: int, character: int) -> tuple[str, float]:
    """Return the suggestion at a cursor and the milliseconds from request to answer."""
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri=uri),
        position=types.Position(line=line, character=character),
        context=types.InlineCompletionContext(trigger_kind=types.InlineCompletionTriggerKind.Invoked),
    )
    started = time.perf_counter()
    try:
        result = await asyncio.wait_for(client.text_document_inline_completion_async(params), _ANSWER_SECONDS)
    except TimeoutError:
        raise EngineError(
            f"no suggestion came within {_ANSWER_SECONDS:.0f} s; try again when this computer is less busy"
        ) from None
    milliseconds = 1000 * (time.perf_counter() - started)
    items = result.items if isinstance(result, types.InlineCompletionList) else result or []
    return (str(items[0].insert_text) if items else ""), milliseconds


def _print_status(status: Any, console: Console) -> None:
    console.print(
        f"[dim]model {status.model} {status.revision}, {status.threads} threads, {status.memoryMb} MB resident; "
        "everything ran on this computer"
    )
