"""textDocument/codeAction: update a docstring that disagrees with its signature, or insert a missing one."""

from typing import Any

from lsprotocol import types

from codet5p.lsp_server.handlers.docstring import Target, can_write, find_target, to_edit, updated, written
from codet5p.lsp_server.handlers.positions import PositionEncoding
from codet5p.lsp_server.state import ServerState

__all__ = ["KIND", "code_actions", "resolve_code_action"]

KIND = types.CodeActionKind.RefactorRewrite


async def code_actions(
    state: ServerState, params: types.CodeActionParams, encoding: PositionEncoding, *, can_resolve: bool
) -> list[types.CodeAction]:
    """Return the action that fits the function whose signature or documentation the selection begins in.

    Args:
        state: The server.
        params: Document, selection, and the kinds of action wanted.
        encoding: Of positions, as negotiated.
        can_resolve: Whether the editor asks for an action's edit once it is chosen; a new text is only written then.

    Returns:
        One action or none.
    """
    if params.context.only is not None and not any(_covers(str(kind), KIND.value) for kind in params.context.only):
        return []
    uri = params.text_document.uri
    target = await find_target(state, uri, params.range.start, encoding)
    if target is None or not _is_at_head(target):
        return []
    if (update := await updated(target)) is not None:
        edit = types.WorkspaceEdit(changes={uri: [to_edit(target.document, update, encoding)]})
        return [types.CodeAction(title="Update docstring", kind=KIND, edit=edit)]
    if not can_resolve or not can_write(state, target):
        return []
    position = {"line": params.range.start.line, "character": params.range.start.character}
    data = {"uri": uri, "version": target.document.version, "position": position}
    return [types.CodeAction(title="Insert docstring", kind=KIND, data=data)]


async def resolve_code_action(
    state: ServerState, action: types.CodeAction, encoding: PositionEncoding
) -> types.CodeAction:
    """Return the action with its edit; without one if the document has changed or the model has nothing to say."""
    data: Any = action.data
    document = state.documents.get(data["uri"])
    if document is None or document.version != data["version"]:
        return action
    target = await find_target(state, data["uri"], types.Position(**data["position"]), encoding)
    update = await written(state, target, state.settings.docstring.style) if target is not None else None
    if target is not None and update is not None:
        action.edit = types.WorkspaceEdit(changes={data["uri"]: [to_edit(target.document, update, encoding)]})
    return action


def _covers(wanted: str, kind: str) -> bool:
    return not wanted or kind == wanted or kind.startswith(f"{wanted}.")


def _is_at_head(target: Target) -> bool:
    """Tell whether the cursor is outside the body, or in the docstring in it: a light bulb anywhere else disturbs."""
    span = target.function.documentation_span
    in_text = span is not None and span.start <= target.offset <= span.end
    return in_text or target.offset <= target.function.body.start
