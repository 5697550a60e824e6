"""textDocument/completion: the same suggestion as an ordinary item, for editors without inline completion."""

import re

from lsprotocol import types

from codet5p.lsp_server.features.completion import CompletionQuery
from codet5p.lsp_server.handlers.positions import PositionEncoding, to_offset, to_range
from codet5p.lsp_server.handlers.suggesting import accepted_command, suggest
from codet5p.lsp_server.state import ServerState

__all__ = ["completion"]

_WORD_AT_END = re.compile(r"\w*$")
_LABEL_CHARACTERS = 60


async def completion(
    state: ServerState, params: types.CompletionParams, encoding: PositionEncoding
) -> types.CompletionList:
    """Return one item that replaces the word at the cursor, sorted behind the items of other servers.

    The list is incomplete on purpose: after the next key the suggestion may be another.
    """
    document = state.documents.get(params.text_document.uri)
    if document is None:
        return types.CompletionList(is_incomplete=False, items=[])
    offset = to_offset(document, params.position, encoding)
    query = CompletionQuery(uri=document.uri, text=document.text, offset=offset)
    kind = params.context.trigger_kind if params.context is not None else types.CompletionTriggerKind.Invoked
    is_automatic = kind != types.CompletionTriggerKind.Invoked
    suggestion = await suggest(state, document, query, is_automatic=is_automatic)
    if suggestion is None:
        return types.CompletionList(is_incomplete=True, items=[])
    line_start, _ = document.line_span(document.line_at(offset))
    match = _WORD_AT_END.search(document.text[line_start:offset])
    word = match[0] if match else ""
    line = (word + suggestion.text).strip()
    item = types.CompletionItem(
        label=line if len(line) <= _LABEL_CHARACTERS else line[: _LABEL_CHARACTERS - 1] + "…",
        kind=types.CompletionItemKind.Text,
        detail="codet5p",
        sort_text="~",
        filter_text=word or line,
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(
            range=to_range(document, offset - len(word), offset, encoding), new_text=word + suggestion.text
        ),
        command=accepted_command(document.uri, offset + len(suggestion.text)),
    )
    return types.CompletionList(is_incomplete=True, items=[item])
