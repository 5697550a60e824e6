"""The workspace's folders and files on their way into the index, and the editor's progress bar for it."""

import contextlib
import itertools
from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from codet5p.lsp_server.index.background import IndexEvent
from codet5p.lsp_server.index.chunker import INDEXED_EXTENSIONS
from codet5p.lsp_server.state import ServerState

__all__ = [
    "PAUSE_INDEXING_COMMAND",
    "RESUME_INDEXING_COMMAND",
    "IndexingProgress",
    "begin_indexing",
    "did_change_files",
    "register_watcher",
]

PAUSE_INDEXING_COMMAND = "codet5p.pauseIndexing"
RESUME_INDEXING_COMMAND = "codet5p.resumeIndexing"
_MIN_TO_SHOW = {"indexing": 100, "embedding": 500}
"""Files to read, or pieces of code to embed, that are worth a bar."""
_LABELS = {
    "indexing": "indexing {done} of {total} files",
    "embedding": "embedding {done} of {total} pieces of code",
}
_numbers = itertools.count(1)


def begin_indexing(server: LanguageServer, state: ServerState, progress: "IndexingProgress") -> None:
    """Index the folders that the editor has open, in the place of those it had open before."""
    roots = [path for uri in server.workspace.folders if (path := _to_path(uri)) is not None]
    if not roots and server.workspace.root_path:
        roots = [Path(server.workspace.root_path)]
    if roots or state.search.has_begun:
        state.search.begin(roots, progress.show)


def did_change_files(state: ServerState, uris: Iterable[str]) -> None:
    """Have the index look at files that were saved, created, changed or deleted."""
    state.search.files_changed([path for uri in uris if (path := _to_path(uri)) is not None])


async def register_watcher(server: LanguageServer) -> None:
    """Ask the editor to announce changed files, if it can: it watches them anyway, and knows what to leave out."""
    workspace = server.client_capabilities.workspace
    if workspace is None or workspace.did_change_watched_files is None:
        return
    if not workspace.did_change_watched_files.dynamic_registration:
        return
    endings = ",".join(extension.removeprefix(".") for extension in INDEXED_EXTENSIONS)
    patterns = (f"**/*.{{{endings}}}", "**/{.gitignore,.codet5pignore}")
    options = types.DidChangeWatchedFilesRegistrationOptions(
        watchers=[types.FileSystemWatcher(glob_pattern=pattern) for pattern in patterns]
    )
    registration = types.Registration(
        id="codet5p/files", method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES, register_options=options
    )
    with contextlib.suppress(JsonRpcException):  # an editor that announces the request and refuses it
        await server.client_register_capability_async(types.RegistrationParams(registrations=[registration]))


class IndexingProgress:
    """The editor's progress bar for indexing, which can be cancelled there; failures become a message."""

    def __init__(self, server: LanguageServer, state: ServerState) -> None:
        self._server = server
        self._state = state
        self._token: str | None = None
        self._reported_problems: set[str] = set()

    async def show(self, event: IndexEvent) -> None:
        """Show what the indexing process says; a few files are not worth a bar."""
        if event.state in _MIN_TO_SHOW and not self._state.search.is_paused:
            if self._token is None and event.total - event.done >= _MIN_TO_SHOW[event.state]:
                await self._begin()
            self._advance(event)
        else:
            self._end()
        if event.state == "failed" and event.message not in self._reported_problems:
            self._reported_problems.add(event.message)
            message = types.ShowMessageParams(type=types.MessageType.Warning, message=f"codet5p: {event.message}")
            self._server.window_show_message(message)

    def cancelled(self, token: types.ProgressToken) -> None:
        """Pause indexing if it is its bar that the user cancelled."""
        if token == self._token:
            self.pause()

    def pause(self) -> None:
        """Pause indexing, and take its bar away: it would stand still for as long as the pause lasts."""
        self._state.search.pause()
        self._end()

    async def _begin(self) -> None:
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress:
            return
        token = f"codet5p/indexing/{next(_numbers)}"
        self._token = token
        try:
            await self._server.work_done_progress.create_async(token)
        except JsonRpcException:
            self._token = None
            return
        value = types.WorkDoneProgressBegin(title="codet5p", message="indexing", percentage=0, cancellable=True)
        self._server.work_done_progress.begin(token, value)

    def _advance(self, event: IndexEvent) -> None:
        if self._token is None:
            return
        value = types.WorkDoneProgressReport(
            message=_LABELS[event.state].format(done=event.done, total=event.total),
            percentage=100 * event.done // max(event.total, 1),
            cancellable=True,
        )
        self._server.work_done_progress.report(self._token, value)

    def _end(self) -> None:
        if self._token is not None:
            word = "paused" if self._state.search.is_paused else "indexed"
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd(message=word))
            self._token = None


def _to_path(uri: str) -> Path | None:
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None
