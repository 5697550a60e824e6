import asyncio
from typing import Any

import pytest
from e2e.editor import Buffer, Editor
from e2e.raw_client import ANSWER_SECONDS
from lsprotocol import types

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

STALE = '''\
def greet(name, emoji="😀"): return name + emoji


class Greeter:
    def greet(self, name: str, times: int = 3) -> str:
        """Greet 😀 politely.

        Args:
            name (str): Whom to greet,
                as written.
            gone (bool): Was here.

        Returns:
            str: The greeting.

        Note:
            Kept as it is.
        """
        return f"Hello {name}" * times
'''
FRESH = STALE.replace("            gone (bool): Was here.\n", "            times (int): Defaults to 3.\n")


async def actions(editor: Editor, buffer: Buffer, offset: int) -> list[types.CodeAction]:
    params = types.CodeActionParams(
        text_document=types.TextDocumentIdentifier(uri=buffer.uri),
        range=buffer.range(offset, offset),
        context=types.CodeActionContext(diagnostics=[]),
    )
    answer = await asyncio.wait_for(editor.client.text_document_code_action_async(params), ANSWER_SECONDS)
    return [action for action in answer or [] if isinstance(action, types.CodeAction)]


async def ask(editor: Editor, buffer: Buffer, offset: int) -> Any:
    place = buffer.position(offset)
    params = {"textDocument": {"uri": buffer.uri}, "position": {"line": place.line, "character": place.character}}
    answer = editor.client.protocol.send_request_async("codet5p/docstring", params)
    return await asyncio.wait_for(answer, ANSWER_SECONDS)


async def test_the_server_says_that_it_updates_docstrings(editor: Editor) -> None:
    assert editor.capabilities.hover_provider is not None
    assert isinstance(editor.capabilities.code_action_provider, types.CodeActionOptions)
    assert editor.capabilities.experimental["codet5p"]["docstring"] is True


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
async def test_the_code_action_changes_what_is_wrong_and_nothing_else(editor: Editor, ending: str) -> None:
    buffer = editor.open(STALE.replace("\n", ending))
    [action] = await actions(editor, buffer, buffer.text.index("greet(self"))
    assert action.title == "Update docstring"
    assert action.edit is not None
    assert action.edit.changes is not None
    [edit] = action.edit.changes[buffer.uri]
    start, end = buffer.text.index('"""'), buffer.text.rindex('"""') + 3
    assert edit.range == buffer.range(start, end)
    buffer.edit(start, end, edit.new_text)
    assert buffer.text == FRESH.replace("\n", ending)
    assert await actions(editor, buffer, buffer.text.index("greet(self")) == []


async def test_a_request_gives_the_text_and_the_edit(editor: Editor) -> None:
    buffer = editor.open(STALE)
    answer = await ask(editor, buffer, STALE.index("return f"))
    assert answer["generated"] is False
    assert answer["text"] == answer["edit"]["newText"] == FRESH[FRESH.index('"""') : FRESH.rindex('"""') + 3]
    assert await ask(editor, buffer, 0) is None  # there is nothing yet, and no model that could write it


async def test_a_docstring_is_inserted_that_says_what_the_name_says(editor: Editor) -> None:
    text = 'class Ledger:\n    def read_entries(self, path: str, limit: int = 3):\n        return path, "😀"\n'
    buffer = editor.open(text.replace("\n", "\r\n"))
    [action] = await actions(editor, buffer, buffer.text.index("read_entries"))
    assert action.title == "Insert docstring"
    assert action.edit is not None
    assert action.edit.changes is not None
    [edit] = action.edit.changes[buffer.uri]
    place = buffer.text.index("        return")
    assert edit.range == buffer.range(place, place)
    buffer.edit(place, place, edit.new_text)
    entries = ["Args:", "    path (str):", "    limit (int): Defaults to 3."]
    lines = ['"""Read the entries.', "", *entries, '"""']
    new = "\r\n".join(f"        {line}".rstrip() for line in lines) + "\r\n"
    assert buffer.text == text.replace("\n", "\r\n").replace("        return", f"{new}        return")
    assert await actions(editor, buffer, buffer.text.index("read_entries")) == []


async def test_a_hover_over_the_name_shows_the_documentation(editor: Editor) -> None:
    buffer = editor.open(STALE)
    place = buffer.position(STALE.index("greet(self"))
    params = types.HoverParams(types.TextDocumentIdentifier(uri=buffer.uri), place)
    found = await asyncio.wait_for(editor.client.text_document_hover_async(params), ANSWER_SECONDS)
    assert found is not None
    assert isinstance(found.contents, types.MarkupContent)
    assert "Greet 😀 politely." in found.contents.value
    assert "- `name` (`str`): Whom to greet, as written." in found.contents.value
    assert "Kept as it is." in found.contents.value


async def test_a_request_without_a_position_gets_an_error_and_the_server_lives(editor: Editor) -> None:
    buffer = editor.open(STALE)
    params = {"textDocument": {"uri": buffer.uri}}
    with pytest.raises(Exception, match="position"):
        await asyncio.wait_for(editor.client.protocol.send_request_async("codet5p/docstring", params), ANSWER_SECONDS)
    assert await ask(editor, buffer, STALE.index("return f")) is not None
