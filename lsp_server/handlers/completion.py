"""textDocument/completion: the same suggestion as an ordinary item, for editors without inline completion."""

import re
import time

from lsprotocol import types

from codet5p.lsp_server.handlers.positions import PositionEncoding, to_offset, to_range
from codet5p.lsp_server.handlers.suggesting import accepted_command, query_of, suggest
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
    # Editors that ask at every letter say `Invoked`, as they do for a person who wants the list.
    is_automatic = state.pace.is_typing(time.monotonic())
    query = query_of(document, document.text, offset, is_automatic=is_automatic)
    suggestions = await suggest(state, document, query)
    if not suggestions:
        return types.CompletionList(is_incomplete=True, items=[])
    suggestion = suggestions[0]
    line_start, _ = document.line_span(document.line_at(offset))
    match = _WORD_AT_END.search(document.text[line_start:offset])
    word = match[0] if match else ""
    line = (word + suggestion.text).strip()
    item = types.CompletionItem(
        label=line if len(line) <= _LABEL_CHARACTERS else line[: _LABEL_CHARACTERS - 1] + "…",
        kind=types.CompletionItemKind.Text,
        detail="codet5p",
        sort_text="~",  # behind every identifier
        filter_text=line,  # matches no better than the others' items; the bare word would come first as an exact match
        preselect=False,
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(
            range=to_range(document, offset - len(word), offset, encoding), new_text=word + suggestion.text
        ),
        command=accepted_command(document.uri, offset + len(suggestion.text)),
    )
    return types.CompletionList(is_incomplete=True, items=[item])
