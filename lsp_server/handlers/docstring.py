"""codet5p/docstring: the docstring of the function at a position, brought up to date or written anew."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from codet5p.core.errors import CodeT5pError
from codet5p.core.syntax import Function
from codet5p.lsp_server.documents import Document
from codet5p.lsp_server.features.docstring.comment import read_comment
from codet5p.lsp_server.features.docstring.insert import can_insert, chosen_style, write_documentation
from codet5p.lsp_server.features.docstring.lookup import function_at, functions_of, language_of_document
from codet5p.lsp_server.features.docstring.summary import Summary, subject_of, summary_by_model, summary_by_name
from codet5p.lsp_server.features.docstring.update import Update, apply_updates, find_update, parses_as_well
from codet5p.lsp_server.handlers.positions import PositionEncoding, to_offset, to_range
from codet5p.lsp_server.state import ServerState

__all__ = ["Target", "docstring", "find_target", "summarized", "to_edit", "updated", "written"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A function of an open document.

    Attributes:
        document: The snapshot that the request is about.
        path: The document's path, which tells dialects apart.
        offset: The cursor.
        function: The innermost function around it.
    """

    document: Document
    path: str
    offset: int
    function: Function


async def docstring(state: ServerState, params: Any, encoding: PositionEncoding) -> dict[str, Any] | None:
    """Answer with the text as it should stand, the edit that makes it so, and whether the text is a new one.

    An edit that replaces a text by itself says that there is nothing to change. None means that there is no function,
    or none that a text can be written for.

    Args:
        state: The server.
        params: `textDocument`, `position` and perhaps `style`.
        encoding: Of positions, as negotiated.

    Returns:
        Plain JSON, or None.

    Raises:
        JsonRpcInvalidParams: If the params lack a part.
    """
    try:
        uri, position = params.textDocument.uri, params.position
        place = types.Position(line=int(position.line), character=int(position.character))
        style = str(getattr(params, "style", None) or state.settings.docstring.style)
    except (AttributeError, TypeError, ValueError) as error:
        raise JsonRpcInvalidParams(f"textDocument.uri and position are needed: {error}") from error
    target = await find_target(state, uri, place, encoding)
    if target is None:
        return None
    is_new = target.function.documentation_span is None
    update = await (written(state, target, style) if is_new else updated(target))
    if update is None and (update := _as_it_is(target)) is None:
        return None
    edit = to_edit(target.document, update, encoding)
    plain_edit = {"range": _plain_range(edit.range), "newText": edit.new_text}
    return {"text": update.text, "edit": plain_edit, "generated": is_new}


async def find_target(
    state: ServerState, uri: str, position: types.Position, encoding: PositionEncoding
) -> Target | None:
    """Return the function at a position, or None if the document is not open or has none there."""
    document = state.documents.get(uri)
    path = unquote(urlsplit(uri).path)
    language = language_of_document(document.language_id, path) if document is not None else None
    if document is None or language is None:
        return None
    offset = to_offset(document, position, encoding)
    # Looking through a large document takes a moment in which the editor must be heard.
    functions = await asyncio.to_thread(functions_of, document.text, language, path)
    function = function_at(functions, offset)
    return Target(document=document, path=path, offset=offset, function=function) if function is not None else None


async def updated(target: Target) -> Update | None:
    """Return the update that the target's documentation needs, or None; it never breaks the document's syntax."""
    return await asyncio.to_thread(_safe_update, target)


async def written(state: ServerState, target: Target, style: str, *, asks_model: bool = True) -> Update | None:
    """Return the insertion of a new text, or None if there is no room for one or nothing to say.

    Args:
        state: The server.
        target: The function.
        style: Name of a style, or `auto`.
        asks_model: Whether the model is asked; otherwise the text says at once what the name does.

    Returns:
        The insertion; it never breaks the document's syntax.
    """
    if not can_insert(target.document.text, target.function):
        return None
    summary = await summarized(state, target, "docstring", asks_model=asks_model)
    if summary is None:
        return None
    return await asyncio.to_thread(_safe_insertion, target, style, summary.text)


async def summarized(state: ServerState, target: Target, purpose: str, *, asks_model: bool = True) -> Summary | None:
    """Return a first sentence about the target: the model's, else what the name says, else None.

    Args:
        state: The server.
        target: The function.
        purpose: What asks; a newer question for the same purpose about a document stops the older one.
        asks_model: Whether the model is asked.

    Returns:
        The sentence.
    """
    text, function, writer = target.document.text, target.function, state.active_writer
    subject = await asyncio.to_thread(subject_of, text, function, target.path)
    functions = functions_of(text, function.language, target.path)
    summary = None
    if writer is not None and asks_model:
        try:
            summary = await state.scheduler.run(
                f"{target.document.uri}#{purpose}", lambda stop: summary_by_model(subject, functions, writer, stop)
            )
        except CodeT5pError as error:
            state.last_error = str(error)
    return summary or summary_by_name(subject, functions)


def to_edit(document: Document, update: Update, encoding: PositionEncoding) -> types.TextEdit:
    """Return the update as an edit of the protocol."""
    return types.TextEdit(range=to_range(document, update.start, update.end, encoding), new_text=update.text)


def _safe_update(target: Target) -> Update | None:
    update = find_update(target.document.text, target.function, target.path)
    return update if update is not None and _is_safe(target, update) else None


def _safe_insertion(target: Target, style: str, summary: str) -> Update | None:
    text, function = target.document.text, target.function
    functions = functions_of(text, function.language, target.path)
    chosen = chosen_style(text, functions, function.language, style)
    update = write_documentation(text, function, chosen, summary, target.path)
    return update if _is_safe(target, update) else None


def _is_safe(target: Target, update: Update) -> bool:
    text = target.document.text
    return parses_as_well(text, apply_updates(text, [update]), target.function.language, target.path)


def _as_it_is(target: Target) -> Update | None:
    comment = read_comment(target.document.text, target.function)
    if comment is None:
        return None
    text = target.document.text[comment.start : comment.end]
    return Update(start=comment.start, end=comment.end, text=text, reasons=())


def _plain_range(given: types.Range) -> dict[str, dict[str, int]]:
    return {
        name: {"line": position.line, "character": position.character}
        for name, position in (("start", given.start), ("end", given.end))
    }
