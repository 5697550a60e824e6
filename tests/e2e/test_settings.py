from typing import Any

import pytest
from e2e.editor import Editor
from e2e.installation import StartEditor
from lsprotocol import types

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

ADD = "def add(a, b):\n    return "
ASKS_FOR_SETTINGS = types.ClientCapabilities(workspace=types.WorkspaceClientCapabilities(configuration=True))


async def answer(editor: Editor, language_id: str = "python") -> Any:
    item = await editor.inline(editor.open(ADD, language_id))
    return item.insert_text if item is not None else None


def change(editor: Editor, settings: Any) -> None:
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=settings))


async def test_settings_come_with_the_handshake_and_change_while_the_server_runs(start_editor: StartEditor) -> None:
    editor = await start_editor(options={"completion": {"enable": False}})
    assert await answer(editor) is None
    change(editor, {"codet5p": {"completion": {"enable": True, "disabledLanguages": ["markdown"]}}})
    assert await answer(editor) == "a + b"
    assert await answer(editor, "markdown") is None
    change(editor, {"codet5p": {"completion": {"maxNewTokens": 1}}})
    assert await answer(editor, "markdown") in {None, "a"}
    change(editor, {"codet5p": {}})
    assert await answer(editor, "markdown") == "a + b"
    assert editor.messages == []


async def test_bad_settings_are_reported_once_each_and_replaced_by_defaults(start_editor: StartEditor) -> None:
    bad = {"completion": {"enable": "yes", "maxNewTokens": 0, "disabledLanguages": "python"}}
    editor = await start_editor(options=bad)
    change(editor, {"codet5p": bad})
    change(editor, {"codet5p": bad})
    assert await answer(editor) == "a + b"
    assert [message.type for message in editor.messages] == [types.MessageType.Warning] * 3
    for name in ("enable", "maxNewTokens", "disabledLanguages"):
        reports = [message.message for message in editor.messages if f"codet5p.completion.{name} " in message.message]
        assert len(reports) == 1
        assert reports[0].endswith("is used")
        assert "\n" not in reports[0]


async def test_one_bad_setting_leaves_the_good_ones_in_force(start_editor: StartEditor) -> None:
    editor = await start_editor(options={"completion": {"delayMilliseconds": -1, "disabledLanguages": ["markdown"]}})
    assert await answer(editor, "markdown") is None
    assert await answer(editor) == "a + b"
    assert len(editor.messages) == 1
    assert "delayMilliseconds must be from 0 to 10000, got -1" in editor.messages[0].message


async def test_settings_that_are_no_object_are_reported(start_editor: StartEditor) -> None:
    editor = await start_editor(options="fast")
    assert await answer(editor) == "a + b"
    assert [message.type for message in editor.messages] == [types.MessageType.Warning]
    assert "must be an object" in editor.messages[0].message


async def test_an_editor_that_can_be_asked_for_settings_is_asked(start_editor: StartEditor) -> None:
    settings = {"completion": {"disabledLanguages": ["markdown"]}, "server": {"path": "the editor's own"}}
    editor = await start_editor(capabilities=ASKS_FOR_SETTINGS, configuration=settings)
    await editor.settled()
    assert await answer(editor, "markdown") is None
    assert await answer(editor) == "a + b"
    editor.configuration = {"completion": {"enable": False}}
    change(editor, None)
    assert (await editor.status())["state"] == "ready"  # by this answer, the question for settings is on its way back
    assert (await editor.status())["state"] == "ready"
    assert await answer(editor) is None


async def test_an_editor_that_has_no_settings_when_asked_keeps_those_of_the_handshake(
    start_editor: StartEditor,
) -> None:
    options = {"completion": {"enable": False}}
    editor = await start_editor(capabilities=ASKS_FOR_SETTINGS, options=options, configuration=None)
    await editor.settled()
    assert await answer(editor) is None
