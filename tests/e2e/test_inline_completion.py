import re

import pytest
from e2e.editor import Editor
from e2e.installation import StartEditor
from lsprotocol import types

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

AVERAGE = """\
import math


def mean(values):
    return sum(values) / len(values)


def standard_deviation(values):
    average = mean(values)
    return math.sqrt(sum((value - average) ** 2 for value in values) / len(values))


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return """


async def test_real_code_gets_the_rest_of_its_line(editor: Editor) -> None:
    buffer = editor.open(AVERAGE)
    item = await editor.inline(buffer)
    assert item is not None
    assert isinstance(item.insert_text, str)
    assert item.insert_text.startswith("ordered[")
    assert "\n" not in item.insert_text
    assert item.range == buffer.range(buffer.end, buffer.end)


async def test_the_same_question_is_answered_from_the_cache(editor: Editor) -> None:
    buffer = editor.open(AVERAGE)
    first = await editor.inline(buffer)
    before = await editor.counts()
    assert await editor.inline(buffer) == first
    after = await editor.counts()
    assert after["from cache"] == before["from cache"] + 1
    assert after["generated"] == before["generated"]


async def test_typing_what_is_suggested_keeps_the_suggestion_without_asking_the_model(editor: Editor) -> None:
    buffer = editor.open(AVERAGE)
    item = await editor.inline(buffer)
    assert item is not None
    suggestion = str(item.insert_text)
    before = await editor.counts()
    for count in range(1, 5):
        buffer.type(suggestion[count - 1])
        item = await editor.inline(buffer, is_automatic=True)
        assert item is not None
        assert item.insert_text == suggestion[count:]
        assert item.range == buffer.range(buffer.end, buffer.end)
    after = await editor.counts()
    assert after["from cache"] == before["from cache"] + 4
    assert after["generated"] == before["generated"]


async def test_typing_something_else_asks_the_model_again(editor: Editor) -> None:
    buffer = editor.open(AVERAGE)
    await editor.inline(buffer)
    before = await editor.counts()
    buffer.type("middle")
    await editor.inline(buffer)
    assert (await editor.counts())["generated"] == before["generated"] + 1


async def test_a_suggestion_brings_the_command_that_counts_its_acceptance(editor: Editor) -> None:
    item = await editor.inline(editor.open(AVERAGE))
    assert item is not None
    assert item.command is not None
    before = (await editor.counts())["accepted"]
    params = types.ExecuteCommandParams(command=item.command.command, arguments=item.command.arguments)
    assert await editor.client.workspace_execute_command_async(params) is None
    assert (await editor.counts())["accepted"] == before + 1


async def test_suggestions_shown_and_accepted_in_part_are_counted(editor: Editor) -> None:
    item = await editor.inline(editor.open(AVERAGE))
    before = await editor.counts()
    editor.client.protocol.notify("textDocument/didShowCompletion", {"item": item})
    editor.client.protocol.notify("textDocument/didPartiallyAcceptCompletion", {"item": item, "acceptedLength": 7})
    after = await editor.counts()
    assert after["displayed"] == before.get("displayed", 0) + 1
    assert after["partially accepted"] == before.get("partially accepted", 0) + 1


async def test_the_suggestion_continues_the_entry_selected_in_the_completion_list(editor: Editor) -> None:
    buffer = editor.open(AVERAGE + "ord")
    word = buffer.range(buffer.end - 3, buffer.end)
    item = await editor.inline(buffer, selected=types.SelectedCompletionInfo(range=word, text="ordered"))
    assert item is not None
    assert str(item.insert_text).startswith("ordered[")
    assert item.range == word


async def test_brackets_that_the_editor_closed_are_not_suggested_again(editor: Editor) -> None:
    buffer = editor.open(AVERAGE.replace("        return ", "        print(ordered[)"))
    item = await editor.inline(buffer, buffer.end - 1)
    assert item is not None
    assert "middle" in str(item.insert_text)
    assert not str(item.insert_text).endswith(")")


async def test_nothing_is_suggested_in_the_middle_of_a_line(editor: Editor) -> None:
    buffer = editor.open(AVERAGE + "ordered[middle]")
    assert await editor.inline(buffer, buffer.end - len("middle]")) is None


async def test_a_closed_document_gets_no_suggestion(editor: Editor) -> None:
    buffer = editor.open(AVERAGE)
    buffer.close()
    assert await editor.inline(buffer) is None


async def test_who_asks_may_choose_and_gets_a_block_on_an_empty_line(start_editor: StartEditor) -> None:
    patient = {"timeLimitMilliseconds": 30_000}
    editor = await start_editor(options={"completion": patient})
    buffer = editor.open(AVERAGE)
    items = await editor.choice(buffer)
    assert len({str(item.insert_text) for item in items}) == len(items) > 1
    assert all(item.range == buffer.range(buffer.end, buffer.end) for item in items)
    assert [str(item.insert_text) for item in await editor.choice(buffer, is_automatic=True)] == [items[0].insert_text]
    body = editor.open("class Stack:\n    def __init__(self):\n        ")
    block = str((await editor.choice(body))[0].insert_text)
    assert block.startswith("self.")
    change = types.DidChangeConfigurationParams(settings={"codet5p": {"completion": {**patient, "blocks": "never"}}})
    editor.client.workspace_did_change_configuration(change)
    lines = await editor.choice(editor.open("class Queue:\n    def __init__(self):\n        "))
    assert lines
    assert all("\n" not in str(item.insert_text) for item in lines)


async def test_accepting_word_by_word_needs_the_model_once(editor: Editor) -> None:
    buffer = editor.open(AVERAGE)
    item = await editor.inline(buffer)
    assert item is not None
    suggestion = str(item.insert_text)
    before = await editor.counts()
    for word in re.findall(r"\w+|\W+", suggestion)[:-1]:
        buffer.type(word)
        suggestion = suggestion.removeprefix(word)
        item = await editor.inline(buffer, is_automatic=True)
        assert item is not None
        assert item.insert_text == suggestion
    assert (await editor.counts())["generated"] == before["generated"]


async def test_the_line_after_an_accepted_one_is_known_before_it_is_asked_for(editor: Editor) -> None:
    buffer = editor.open("class Range:\n    def __init__(self, first, second):\n        self.first = ")
    item = await editor.inline(buffer)
    assert item is not None
    buffer.type(str(item.insert_text))
    params = types.ExecuteCommandParams(command=item.command.command, arguments=item.command.arguments)  # type: ignore[union-attr]
    await editor.client.workspace_execute_command_async(params)
    before = await editor.counts()
    buffer.type("\n        ")
    item = await editor.inline(buffer, is_automatic=True)
    assert item is not None
    assert str(item.insert_text).startswith("self.second")
    after = await editor.counts()
    assert after["generated"] == before["generated"]
    assert after["from cache"] == before["from cache"] + 1


async def test_secret_files_get_no_suggestion_and_a_snoozed_editor_only_on_request(start_editor: StartEditor) -> None:
    editor = await start_editor()
    secret = editor.open("API_KEY=", "dotenv", name=".env")
    assert await editor.inline(secret) is None
    buffer = editor.open(AVERAGE)
    snooze = types.ExecuteCommandParams(command="codet5p.snoozeCompletion", arguments=[5])
    await editor.client.workspace_execute_command_async(snooze)
    assert await editor.inline(buffer, is_automatic=True) is None
    assert 290 < (await editor.status())["snoozedSeconds"] <= 300
    assert await editor.inline(buffer) is not None
    wake = types.ExecuteCommandParams(command="codet5p.resumeCompletion")
    await editor.client.workspace_execute_command_async(wake)
    assert await editor.inline(buffer, is_automatic=True) is not None
