"""Docstrings by request, code action and hover."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from fake_writer import FakeWriter
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from server_state import URI, opened

from codet5p.core.errors import EngineError
from codet5p.lsp_server.features.docstring.model_writer import RememberingWriter
from codet5p.lsp_server.features.docstring.writer import Subject
from codet5p.lsp_server.handlers.code_action import KIND, code_actions, resolve_code_action
from codet5p.lsp_server.handlers.docstring import docstring
from codet5p.lsp_server.handlers.hover import hover
from codet5p.lsp_server.settings import read_settings
from codet5p.lsp_server.state import ServerState

STALE = '''\
x = "😀"


def add(a, b):
    """Add 😀.

    Args:
        a: First.
    """
    return a + b
'''
ENTRY = "        a: First.\n"
PLAIN = "def f(a):\n    return a\n"
NAMED = "def read_config(path):\n    return path\n"
UTF16 = "utf-16"


class BrokenWriter:
    def summarize(self, _subject: Subject, _stop: Event) -> str | None:
        raise EngineError("the engine is broken")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[ServerState]:
    state = ServerState(artifact=tmp_path, cache=tmp_path)
    yield state
    state.scheduler.close()
    state.search.close()


def request(line: int, character: int = 5, **more: Any) -> Any:
    position = SimpleNamespace(line=line, character=character)
    return SimpleNamespace(textDocument=SimpleNamespace(uri=URI), position=position, **more)


def action_request(line: int, only: list[str] | None = None) -> types.CodeActionParams:
    place = types.Position(line=line, character=4)
    return types.CodeActionParams(
        text_document=types.TextDocumentIdentifier(uri=URI),
        range=types.Range(start=place, end=place),
        context=types.CodeActionContext(diagnostics=[], only=only),
    )


def hover_request(line: int, character: int) -> types.HoverParams:
    return types.HoverParams(types.TextDocumentIdentifier(uri=URI), types.Position(line=line, character=character))


async def test_a_request_is_answered_with_the_text_and_the_edit_that_makes_it_so(state: ServerState) -> None:
    opened(state, STALE)
    answer = await docstring(state, request(3), UTF16)
    assert answer is not None
    assert answer["generated"] is False
    assert answer["edit"]["newText"] == answer["text"]
    assert answer["text"].endswith(ENTRY + '        b:\n    """')
    assert answer["edit"]["range"] == {"start": {"line": 4, "character": 4}, "end": {"line": 8, "character": 7}}


async def test_a_text_that_is_right_is_given_back_as_it_is(state: ServerState) -> None:
    opened(state, STALE.replace("(a, b)", "(a)"))
    answer = await docstring(state, request(3), UTF16)
    assert answer is not None
    assert answer["text"] in STALE


async def test_there_is_no_answer_where_nothing_can_be_written(state: ServerState) -> None:
    assert await docstring(state, request(3), UTF16) is None
    opened(state, PLAIN)
    assert await docstring(state, request(0), UTF16) is None
    opened(state, "x = 1\n" + PLAIN)
    assert await docstring(state, request(0), UTF16) is None
    opened(state, PLAIN, language_id="markdown")
    state.docstring_writer = RememberingWriter(FakeWriter())
    assert await docstring(state, request(0), UTF16) is not None  # the name of the file tells the language


async def test_a_request_without_a_position_is_refused(state: ServerState) -> None:
    with pytest.raises(JsonRpcInvalidParams, match="position"):
        await docstring(state, SimpleNamespace(textDocument=SimpleNamespace(uri=URI)), UTF16)


async def test_a_writer_makes_insertions_possible_in_the_style_asked_for(state: ServerState) -> None:
    state.docstring_writer = RememberingWriter(FakeWriter())
    state.apply(read_settings({"docstring": {"style": "sphinx"}})[0])
    opened(state, "def f(a: int):\n    return a\n")
    answer = await docstring(state, request(0), UTF16)
    assert answer is not None
    assert answer["generated"] is True
    assert answer["text"] == '    """Add things.\n\n    :param a:\n    :type a: int\n    """\n'
    assert answer["edit"]["range"]["start"] == answer["edit"]["range"]["end"] == {"line": 1, "character": 0}
    numpy = await docstring(state, request(0, style="numpy"), UTF16)
    assert numpy is not None
    assert "a : int" in numpy["text"]


@pytest.mark.parametrize("line", [3, 4, 7])
async def test_updating_is_offered_at_the_signature_and_in_the_docstring(state: ServerState, line: int) -> None:
    opened(state, STALE)
    actions = await code_actions(state, action_request(line), UTF16, can_resolve=False)
    assert [(action.title, action.kind) for action in actions] == [("Update docstring", KIND)]
    assert actions[0].edit is not None
    assert actions[0].edit.changes is not None
    [edit] = actions[0].edit.changes[URI]
    assert ENTRY + "        b:\n" in edit.new_text


async def test_updating_is_not_offered_in_the_body_or_for_another_kind(state: ServerState) -> None:
    opened(state, STALE)
    assert await code_actions(state, action_request(9), UTF16, can_resolve=False) == []
    assert await code_actions(state, action_request(3, ["quickfix"]), UTF16, can_resolve=False) == []
    assert len(await code_actions(state, action_request(3, ["refactor"]), UTF16, can_resolve=False)) == 1


async def test_what_the_name_says_is_offered_at_once_without_a_writer(state: ServerState) -> None:
    opened(state, PLAIN)
    assert await code_actions(state, action_request(0), UTF16, can_resolve=True) == []
    opened(state, NAMED)
    [action] = await code_actions(state, action_request(0), UTF16, can_resolve=True)
    assert (action.title, action.data) == ("Insert docstring", None)
    assert action.edit is not None
    assert action.edit.changes is not None
    assert action.edit.changes[URI][0].new_text == '    """Read the config."""\n'
    answer = await docstring(state, request(0), UTF16)
    assert answer is not None
    assert (answer["text"], answer["generated"]) == ('    """Read the config."""\n', True)


async def test_what_the_name_says_stands_in_for_a_writer_without_words(state: ServerState) -> None:
    state.docstring_writer = RememberingWriter(FakeWriter(None))
    opened(state, NAMED)
    answer = await docstring(state, request(0), UTF16)
    assert answer is not None
    assert answer["text"] == '    """Read the config."""\n'
    assert await hover(state, hover_request(0, 5), UTF16) is None


async def test_a_failing_engine_is_reported_and_the_name_stands_in(state: ServerState) -> None:
    state.docstring_writer = RememberingWriter(BrokenWriter())
    opened(state, NAMED)
    answer = await docstring(state, request(0), UTF16)
    assert answer is not None
    assert answer["text"] == '    """Read the config."""\n'
    assert state.last_error == "the engine is broken"


async def test_inserting_is_offered_with_a_writer_and_written_once_chosen(state: ServerState) -> None:
    state.docstring_writer = RememberingWriter(FakeWriter())
    opened(state, PLAIN)
    assert await code_actions(state, action_request(0), UTF16, can_resolve=False) == []
    [action] = await code_actions(state, action_request(0), UTF16, can_resolve=True)
    assert (action.title, action.edit) == ("Insert docstring", None)
    resolved = await resolve_code_action(state, action, UTF16)
    assert resolved.edit is not None
    assert resolved.edit.changes is not None
    assert resolved.edit.changes[URI][0].new_text == '    """Add things."""\n'


async def test_an_action_of_an_earlier_version_stays_without_an_edit(state: ServerState) -> None:
    state.docstring_writer = RememberingWriter(FakeWriter())
    opened(state, PLAIN)
    [action] = await code_actions(state, action_request(0), UTF16, can_resolve=True)
    opened(state, PLAIN, version=2)
    assert (await resolve_code_action(state, action, UTF16)).edit is None


async def test_a_hover_over_the_name_shows_the_documentation(state: ServerState) -> None:
    opened(state, STALE)
    found = await hover(state, hover_request(3, 5), UTF16)
    assert found is not None
    assert isinstance(found.contents, types.MarkupContent)
    expected = "```python\ndef add(a, b)\n```\nAdd 😀.\n\n**Parameters**\n\n- `a`: First."
    assert found.contents.value == expected
    assert found.range == types.Range(types.Position(3, 4), types.Position(3, 7))


async def test_a_hover_anywhere_else_or_without_documentation_shows_nothing(state: ServerState) -> None:
    opened(state, STALE)
    assert await hover(state, hover_request(9, 5), UTF16) is None
    opened(state, PLAIN)
    assert await hover(state, hover_request(0, 5), UTF16) is None


async def test_a_generated_hover_says_so(state: ServerState) -> None:
    state.docstring_writer = RememberingWriter(FakeWriter())
    opened(state, PLAIN)
    found = await hover(state, hover_request(0, 5), UTF16)
    assert found is not None
    assert isinstance(found.contents, types.MarkupContent)
    assert found.contents.value.endswith("Add things.\n\n*generated by codet5p*")


async def test_a_user_who_wants_no_model_gets_what_the_name_says(state: ServerState) -> None:
    writer = FakeWriter()
    state.docstring_writer = RememberingWriter(writer)
    state.apply(read_settings({"docstring": {"generate": False}})[0])
    opened(state, NAMED)
    answer = await docstring(state, request(0), UTF16)
    assert answer is not None
    assert answer["text"] == '    """Read the config."""\n'
    assert await hover(state, hover_request(0, 5), UTF16) is None
    assert writer.asked == []
