"""Start and configuration: loading the model beside the conversation, and the user's settings."""

import asyncio
import contextlib
import logging
import time
from threading import Thread
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from codet5p.core.assembly import assembly_bytes
from codet5p.core.errors import CodeT5pError, EngineError
from codet5p.lsp_server.engine.loading import LoadedEngine, load_engine
from codet5p.lsp_server.settings import read_settings
from codet5p.lsp_server.state import ServerState

__all__ = ["apply_settings", "load_with_progress", "pull_settings"]

_LOGGER = logging.getLogger(__name__)
_PROGRESS_TOKEN = "codet5p/loading"  # noqa: S105 - a progress token
_REPORT_SECONDS = 0.1
_PROGRESS_ANSWER_SECONDS = 1.0


def apply_settings(server: LanguageServer, state: ServerState, given: object) -> None:
    """Use the settings the editor sent; say once what is wrong with them."""
    settings, problems = read_settings(given)
    state.apply(settings)
    for problem in problems:
        if problem not in state.reported_problems:
            state.reported_problems.add(problem)
            message = types.ShowMessageParams(type=types.MessageType.Warning, message=f"codet5p: {problem}")
            server.window_show_message(message)


async def pull_settings(server: LanguageServer, state: ServerState) -> None:
    """Ask the editor for its settings, if it can be asked."""
    workspace = server.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return
    with contextlib.suppress(JsonRpcException):  # an editor that announces the request and refuses it
        items = [types.ConfigurationItem(section="codet5p")]
        answer = await server.workspace_configuration_async(types.ConfigurationParams(items=items))
        if answer and answer[0] is not None:  # null is no opinion: the settings of the handshake stay
            apply_settings(server, state, answer[0])


async def load_with_progress(server: LanguageServer, state: ServerState) -> None:
    """Load the model on a thread of its own, showing how far it is; report a failure once and stay up.

    Loading waits for no answer of the editor: one that never gives it would never get a completion.
    """
    state.begin_loading()
    progress = _LoadingProgress(server)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[LoadedEngine | CodeT5pError] = loop.create_future()

    def advance(count: int, total: int) -> None:
        loop.call_soon_threadsafe(progress.advance, count, total)

    def load() -> None:
        # Should loading fail in a way nobody foresaw, the thread leaves its traceback and requests stop waiting.
        outcome: LoadedEngine | CodeT5pError = EngineError("cannot load the model; see codet5p doctor")
        try:
            total = assembly_bytes(state.artifact)
            outcome = load_engine(
                state.artifact,
                state.cache,
                num_threads=state.num_threads,
                advance=lambda count: advance(count, total),
            )
        except CodeT5pError as error:
            outcome = error
        finally:
            with contextlib.suppress(RuntimeError):  # the loop was closed: the editor has left
                loop.call_soon_threadsafe(done.set_result, outcome)

    beginning = asyncio.create_task(progress.begin())
    # A daemon thread, so that leaving during the first start does not wait for it.
    Thread(target=load, name="codet5p-loading", daemon=True).start()
    outcome = await done
    state.finish_loading(outcome)
    await asyncio.wait({beginning}, timeout=_PROGRESS_ANSWER_SECONDS)
    beginning.cancel()
    progress.end("failed" if isinstance(outcome, CodeT5pError) else "ready")
    if isinstance(outcome, CodeT5pError):
        _LOGGER.error("%s", outcome)
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Error, message=f"codet5p: {outcome}"))


class _LoadingProgress:
    """The editor's progress bar for loading; silent where the editor has none."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._has_begun = False
        self._bytes = 0
        self._reported_at = 0.0

    async def begin(self) -> None:
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress:
            return
        with contextlib.suppress(JsonRpcException):  # an editor that announces progress and refuses it
            await self._server.work_done_progress.create_async(_PROGRESS_TOKEN)
            value: Any = types.WorkDoneProgressBegin(title="codet5p", message="loading the model", percentage=0)
            self._server.work_done_progress.begin(_PROGRESS_TOKEN, value)
            self._has_begun = True

    def advance(self, count: int, total: int) -> None:
        self._bytes += count
        now = time.monotonic()
        if not self._has_begun or now - self._reported_at < _REPORT_SECONDS:
            return
        self._reported_at = now
        share = min(self._bytes / max(total, 1), 1.0)
        report = types.WorkDoneProgressReport(message="preparing the model (first start)", percentage=int(100 * share))
        self._server.work_done_progress.report(_PROGRESS_TOKEN, report)

    def end(self, message: str) -> None:
        if self._has_begun:
            self._server.work_done_progress.end(_PROGRESS_TOKEN, types.WorkDoneProgressEnd(message=message))
