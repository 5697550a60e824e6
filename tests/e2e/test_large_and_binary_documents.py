import asyncio
from pathlib import Path

import pytest
from e2e.editor import Editor

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

REAL_CODE = Path(asyncio.__file__).with_name("streams.py").read_text("utf-8")
QUESTION = "\n\ndef add(a, b):\n    return "
ANSWER = "a + b"


def long_file(number_of_lines: int) -> str:
    lines = REAL_CODE.splitlines(keepends=True)
    copies = number_of_lines // len(lines) + 1
    return "".join((lines * copies)[:number_of_lines])


async def answers_as_usual(editor: Editor) -> bool:
    item = await editor.inline(editor.open("def add(a, b):\n    return "))
    return item is not None and item.insert_text == ANSWER


async def test_a_file_of_20_000_lines_is_completed_and_edited_at_both_ends(editor: Editor) -> None:
    buffer = editor.open(long_file(20_000) + QUESTION)
    item = await editor.inline(buffer)
    assert item is not None
    assert item.insert_text == ANSWER
    buffer.edit(0, 0, "# a first line\n")
    buffer.edit(buffer.end - len("return "), buffer.end, "")
    buffer.type("return ")
    item = await editor.inline(buffer)
    assert item is not None
    assert item.insert_text == ANSWER
    assert item.range == buffer.range(buffer.end, buffer.end)
    assert item.range.start.line > 20_000


async def test_one_endless_line_is_answered(editor: Editor) -> None:
    buffer = editor.open("data = [" + ", ".join(str(number) for number in range(100_000)) + "]; print(da")
    item = await editor.inline(buffer)
    assert item is None or item.range == buffer.range(buffer.end, buffer.end)
    assert await answers_as_usual(editor)


@pytest.mark.parametrize("length", [2_000_001, 8_000_000])
async def test_a_document_above_two_million_characters_gets_no_completion(editor: Editor, length: int) -> None:
    text = long_file(20_000)
    text = (text * (length // len(text) + 1))[: length - len(QUESTION)] + QUESTION
    before = await editor.counts()
    buffer = editor.open(text)
    assert len(buffer.text) == length
    assert await editor.inline(buffer) is None
    assert len((await editor.complete(buffer)).items) == 0
    assert (await editor.counts())["generated"] == before["generated"]
    buffer.close()
    assert await answers_as_usual(editor)


async def test_a_document_that_shrinks_below_the_limit_is_completed(editor: Editor) -> None:
    buffer = editor.open("#" * 2_000_001 + QUESTION)
    assert await editor.inline(buffer) is None
    buffer.edit(0, 2_000_001, "")
    item = await editor.inline(buffer)
    assert item is not None
    assert item.insert_text == ANSWER


async def test_a_binary_document_gets_no_completion(editor: Editor) -> None:
    before = await editor.counts()
    buffer = editor.open("\x7fELF\x02\x01\x01\0\0\0\0\0\ufffd\ufffd" + QUESTION)
    assert await editor.inline(buffer) is None
    assert len((await editor.complete(buffer)).items) == 0
    assert (await editor.counts())["generated"] == before["generated"]
    assert await answers_as_usual(editor)


async def test_a_document_without_any_text_is_answered(editor: Editor) -> None:
    for text in ("", "\n", "\r\n\r\n", "\ufeff", " "):
        buffer = editor.open(text)
        item = await editor.inline(buffer)
        assert item is None or item.range == buffer.range(buffer.end, buffer.end)
    assert await answers_as_usual(editor)
