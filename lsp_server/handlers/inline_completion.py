"""textDocument/inlineCompletion: the rest of the line as ghost text."""

from lsprotocol import types

from codet5p.lsp_server.handlers.positions import PositionEncoding, to_offset, to_range
from codet5p.lsp_server.handlers.suggesting import accepted_command, query_of, suggest
from codet5p.lsp_server.state import ServerState

__all__ = ["inline_completion"]


async def inline_completion(
    state: ServerState, params: types.InlineCompletionParams, encoding: PositionEncoding
) -> types.InlineCompletionList:
    """Return items with their range always set (without one, editors differ in what they replace), or none.

    While typing there is one item at most; who asks gets several to choose from. Where the completion list is open, an
    item continues the selected entry: it starts with that entry's text and covers its range, or the editor would not
    show it.
    """
    document = state.documents.get(params.text_document.uri)
    if document is None:
        return types.InlineCompletionList(items=[])
    offset = to_offset(document, params.position, encoding)
    start, end, written = offset, offset, ""
    if (selected := params.context.selected_completion_info) is not None:
        start = to_offset(document, selected.range.start, encoding)
        end = to_offset(document, selected.range.end, encoding)
        written = selected.text
    text = document.text[:start] + written + document.text[end:]
    is_automatic = params.context.trigger_kind == types.InlineCompletionTriggerKind.Automatic
    query = query_of(document, text, start + len(written), is_automatic=is_automatic, may_be_block=True)
    suggestions = await suggest(state, document, query, several=not is_automatic)
    items = [
        types.InlineCompletionItem(
            insert_text=written + suggestion.text,
            range=to_range(document, start, end, encoding),
            command=accepted_command(document.uri, start + len(written) + len(suggestion.text)),
        )
        for suggestion in suggestions
    ]
    return types.InlineCompletionList(items=items)
