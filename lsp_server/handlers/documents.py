"""Document synchronisation: the editor's changes, applied to the store."""

import time

from lsprotocol import types

from codet5p.lsp_server.documents import Document
from codet5p.lsp_server.handlers.positions import PositionEncoding, to_offset
from codet5p.lsp_server.state import ServerState

__all__ = ["did_change", "did_close", "did_open"]


def did_open(state: ServerState, params: types.DidOpenTextDocumentParams) -> None:
    """Open a document."""
    item = params.text_document
    state.documents.put(Document.of(item.uri, str(item.language_id), item.version, item.text))


def did_change(state: ServerState, params: types.DidChangeTextDocumentParams, encoding: PositionEncoding) -> None:
    """Apply the changes in order; one of a document that is not open is ignored."""
    document = state.documents.get(params.text_document.uri)
    if document is None:
        return
    version = params.text_document.version
    for change in params.content_changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            start = to_offset(document, change.range.start, encoding)
            end = to_offset(document, change.range.end, encoding)
            document = document.replaced(min(start, end), max(start, end), change.text, version)
        else:
            document = Document.of(document.uri, document.language_id, version, change.text)
    state.documents.put(document)
    state.pace.typed(time.monotonic())


def did_close(state: ServerState, params: types.DidCloseTextDocumentParams) -> None:
    """Forget the document and what was prepared for it."""
    uri = params.text_document.uri
    state.documents.close(uri)
    if (assistant := state.loaded_assistant) is not None:
        state.scheduler.when_idle(lambda: assistant.completer.forget(uri))
