"""textDocument/codeAction: update a docstring that disagrees with its signature, or insert a missing one."""

from typing import Any

from lsprotocol import types

from codet5p.lsp_server.features.docstring.insert import can_insert
from codet5p.lsp_server.features.docstring.update import Update
from codet5p.lsp_server.handlers.docstring import Target, find_target, to_edit, updated, written
from codet5p.lsp_server.handlers.positions import PositionEncoding
from codet5p.lsp_server.handlers.preparing import prepare_when_idle
from codet5p.lsp_server.state import ServerState

__all__ = ["KIND", "code_actions", "resolve_code_action"]

KIND = types.CodeActionKind.RefactorRewrite
_INSERT = "Insert docstring"


async def code_actions(
    state: ServerState, params: types.CodeActionParams, encoding: PositionEncoding, *, can_resolve: bool
) -> list[types.CodeAction]:
    """Return the action that fits the function whose signature or documentation the selection begins in.

    Args:
        state: The server.
        params: Document, selection, and the kinds of action wanted.
        encoding: Of positions, as negotiated.
        can_resolve: Whether the editor asks for an action's edit once it is chosen, so that the model writes only then;
            without that, a new text says what the name does.

    Returns:
        One action or none.
    """
    uri, only = params.text_document.uri, params.context.only
    is_wanted = only is None or any(_covers(str(kind), KIND.value) for kind in only)
    target = await find_target(state, uri, params.range.start, encoding) if is_wanted else None
    if target is None:
        return []
    prepare_when_idle(state, target)  # editors ask for actions wherever the cursor comes to rest
    if not _is_at_head(target):
        return []
    if (update := await updated(target)) is not None:
        return [_action("Update docstring", target, update, encoding)]
    if not can_insert(target.document.text, target.function):
        return []
    if state.active_writer is not None and can_resolve:
        position = {"line": params.range.start.line, "character": params.range.start.character}
        data = {"uri": uri, "version": target.document.version, "position": position}
        return [types.CodeAction(title=_INSERT, kind=KIND, data=data)]
    insertion = await written(state, target, state.settings.docstring.style, asks_model=False)
    return [_action(_INSERT, target, insertion, encoding)] if insertion is not None else []


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


def _action(title: str, target: Target, update: Update, encoding: PositionEncoding) -> types.CodeAction:
    edit = types.WorkspaceEdit(changes={target.document.uri: [to_edit(target.document, update, encoding)]})
    return types.CodeAction(title=title, kind=KIND, edit=edit)


def _covers(wanted: str, kind: str) -> bool:
    return not wanted or kind == wanted or kind.startswith(f"{wanted}.")


def _is_at_head(target: Target) -> bool:
    """Tell whether the cursor is outside the body, or in the docstring in it: a light bulb anywhere else disturbs."""
    span = target.function.documentation_span
    in_text = span is not None and span.start <= target.offset <= span.end
    return in_text or target.offset <= target.function.body.start
