"""The language server: which handler answers which method, and nothing else."""

import asyncio
import logging
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from codet5p import __version__
from codet5p.lsp_server.handlers import documents, indexing, lifecycle
from codet5p.lsp_server.handlers.acceptance import accepted
from codet5p.lsp_server.handlers.code_action import KIND, code_actions, resolve_code_action
from codet5p.lsp_server.handlers.completion import completion
from codet5p.lsp_server.handlers.docstring import docstring
from codet5p.lsp_server.handlers.hover import hover
from codet5p.lsp_server.handlers.inline_completion import inline_completion
from codet5p.lsp_server.handlers.positions import PositionEncoding
from codet5p.lsp_server.handlers.search import search
from codet5p.lsp_server.handlers.similar import similar
from codet5p.lsp_server.handlers.snoozing import (
    RESUME_COMPLETION_COMMAND,
    SNOOZE_COMPLETION_COMMAND,
    resume_completion,
    snooze_completion,
)
from codet5p.lsp_server.handlers.status import status
from codet5p.lsp_server.handlers.suggesting import ACCEPTED_COMMAND
from codet5p.lsp_server.handlers.workspace_symbol import workspace_symbol
from codet5p.lsp_server.protocol import AssistantProtocol, lenient_converter
from codet5p.lsp_server.state import ServerState

__all__ = ["AssistantServer", "create_server"]

_LOGGER = logging.getLogger(__name__)


class AssistantServer(LanguageServer):
    """A pygls server that writes its own failures to the log, not into the user's face."""

    def __init__(self, state: ServerState) -> None:
        super().__init__(
            "codet5p", __version__, protocol_cls=AssistantProtocol, converter_factory=lenient_converter, max_workers=2
        )
        self.state = state
        self.indexing_progress = indexing.IndexingProgress(self, state)

    @property
    def position_encoding(self) -> PositionEncoding:
        """The encoding negotiated with the editor."""
        return self.workspace.position_encoding or types.PositionEncodingKind.Utf16

    @property
    def resolves_actions(self) -> bool:
        """Whether the editor asks for the edit of a code action once it is chosen."""
        document = self.client_capabilities.text_document
        action = document.code_action if document is not None else None
        support = action.resolve_support if action is not None else None
        return support is not None and "edit" in support.properties

    @property
    def has_been_shut_down(self) -> bool:
        """Whether the editor asked to shut down, after which leaving is no failure."""
        return bool(self.protocol._shutdown)  # noqa: SLF001 - pygls offers no other way

    def send_partial(self, token: Any, value: Any) -> None:
        """Send what is known so far of an answer under the token of its request."""
        self.progress(types.ProgressParams(token=token, value=value))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log `error`; the default would pop up a message for each malformed request of a client."""
        _LOGGER.error("%s: %s", getattr(source, "__name__", source), error)


def create_server(
    *, artifact: Path, cache: Path, num_threads: int | None = None, index_folder: Path | None = None
) -> AssistantServer:
    """Return a server that will load `artifact` once an editor has connected.

    Args:
        artifact: Folder of the artifact.
        cache: Folder for assembled models.
        num_threads: Threads of one computation; measured where None.
        index_folder: Folder for the indexes of all workspaces; in the user's cache where None.

    Returns:
        The server; call `start_io` or `start_tcp`.
    """
    state = ServerState(artifact=artifact, cache=cache, num_threads=num_threads, index_folder=index_folder)
    server = AssistantServer(state)
    _add_lifecycle(server)
    _add_documents(server)
    _add_completion(server)
    _add_search(server)
    _add_docstrings(server)
    return server


def _add_lifecycle(server: AssistantServer) -> None:
    state = server.state

    @server.feature(types.INITIALIZE)
    def _initialize(params: types.InitializeParams) -> None:
        lifecycle.apply_settings(server, state, params.initialization_options)

    @server.feature(types.INITIALIZED)
    async def _initialized(_: types.InitializedParams) -> None:
        state.begin_loading()
        indexing.begin_indexing(server, state, server.indexing_progress)
        await asyncio.gather(
            lifecycle.load_with_progress(server, state),
            lifecycle.pull_settings(server, state),
            indexing.register_watcher(server),
        )

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def _configuration(params: types.DidChangeConfigurationParams) -> None:
        if params.settings:
            lifecycle.apply_settings(server, state, params.settings)
        else:
            await lifecycle.pull_settings(server, state)

    @server.feature(types.SHUTDOWN)
    def _shutdown(*_: Any) -> None:
        state.scheduler.close()
        state.search.close()

    @server.feature("codet5p/status")
    async def _status(_: Any) -> dict[str, Any]:
        return await status(state)


def _add_documents(server: AssistantServer) -> None:
    state = server.state

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def _open(params: types.DidOpenTextDocumentParams) -> None:
        documents.did_open(state, params)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def _change(params: types.DidChangeTextDocumentParams) -> None:
        documents.did_change(state, params, server.position_encoding)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def _close(params: types.DidCloseTextDocumentParams) -> None:
        documents.did_close(state, params)


def _add_completion(server: AssistantServer) -> None:
    state = server.state

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    async def _inline(params: types.InlineCompletionParams) -> types.InlineCompletionList:
        return await inline_completion(state, params, server.position_encoding)

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions())
    async def _completion(params: types.CompletionParams) -> types.CompletionList:
        return await completion(state, params, server.position_encoding)

    @server.command(ACCEPTED_COMMAND)
    async def _accepted(*arguments: Any) -> None:
        await accepted(state, *arguments[:2])

    @server.command(SNOOZE_COMPLETION_COMMAND)
    def _snooze(*arguments: Any) -> None:
        snooze_completion(state, *arguments[:1])

    @server.command(RESUME_COMPLETION_COMMAND)
    def _wake(*_: Any) -> None:
        resume_completion(state)

    @server.feature("textDocument/didShowCompletion")
    def _shown(_: Any) -> None:
        state.statistics.count("displayed")

    @server.feature("textDocument/didPartiallyAcceptCompletion")
    def _partially_accepted(_: Any) -> None:
        state.statistics.count("partially accepted")


def _add_search(server: AssistantServer) -> None:
    state = server.state
    progress = server.indexing_progress

    @server.feature("codet5p/search")
    async def _search(params: Any) -> dict[str, Any]:
        return await search(state, params, server.position_encoding, server.send_partial)

    @server.feature("codet5p/similar")
    async def _similar(params: Any) -> dict[str, Any]:
        return await similar(state, params, server.position_encoding)

    @server.feature(types.WORKSPACE_SYMBOL)
    async def _symbol(params: types.WorkspaceSymbolParams) -> list[types.SymbolInformation]:
        return await workspace_symbol(state, params)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def _folders(_: types.DidChangeWorkspaceFoldersParams) -> None:
        indexing.begin_indexing(server, state, progress)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def _watched(params: types.DidChangeWatchedFilesParams) -> None:
        indexing.did_change_files(state, (change.uri for change in params.changes))

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def _saved(params: types.DidSaveTextDocumentParams) -> None:
        indexing.did_change_files(state, [params.text_document.uri])

    @server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def _cancelled(params: types.WorkDoneProgressCancelParams) -> None:
        progress.cancelled(params.token)

    @server.command(indexing.PAUSE_INDEXING_COMMAND)
    def _pause(*_: Any) -> None:
        progress.pause()

    @server.command(indexing.RESUME_INDEXING_COMMAND)
    def _resume(*_: Any) -> None:
        state.search.resume()


def _add_docstrings(server: AssistantServer) -> None:
    state = server.state

    @server.feature("codet5p/docstring")
    async def _docstring(params: Any) -> dict[str, Any] | None:
        return await docstring(state, params, server.position_encoding)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def _hover(params: types.HoverParams) -> types.Hover | None:
        return await hover(state, params, server.position_encoding)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[KIND], resolve_provider=True)
    )
    async def _code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        return await code_actions(state, params, server.position_encoding, can_resolve=server.resolves_actions)

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def _resolve(params: types.CodeAction) -> types.CodeAction:
        return await resolve_code_action(state, params, server.position_encoding)
