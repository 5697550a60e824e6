"""The server's text equals the editor's after every edit.

The server does not hand its text out, but its cache of suggestions compares all of it on both sides of the cursor. So a
suggestion is asked for after a series of small edits; then the editor sends its own text as a whole and asks again. The
answer comes from the cache if, and only if, both texts are the same.
"""

# ruff: noqa: RUF001 - the letters of mathematics are the identifiers that take two UTF-16 units

import random

import pytest
from e2e.editor import Buffer, Editor, Encoding
from e2e.installation import StartEditor
from lsprotocol import types

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

NUMBER_OF_EDITS = 150
PIECES = (
    "x",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\f",
    "\v",
    "\u2028",
    "\x85",
    "é",
    "名前",
    "🙂",
    "𝑥 = 1",
    "👩‍👩‍👧",
    "if a:\r\n    b\n",
    "",
)


async def has_same_text(editor: Editor, buffer: Buffer) -> bool:
    """Return whether the server's text of `buffer` is the editor's; the cursor must be at the end of a line."""
    await editor.inline(buffer)
    before = await editor.counts()
    buffer.send_whole(buffer.text)
    await editor.inline(buffer)
    after = await editor.counts()
    known, generated = (after[name] - before[name] for name in ("from cache", "generated"))
    assert known + generated == 1
    return known == 1


async def test_a_difference_of_one_character_is_noticed(editor: Editor) -> None:
    buffer = editor.open("first = 1\nsecond = 2\nprint(")
    await editor.inline(buffer)
    before = await editor.counts()
    buffer.send_whole("First = 1\nsecond = 2\nprint(")
    await editor.inline(buffer)
    assert (await editor.counts())["generated"] == before["generated"] + 1


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        ("name = '🙂'\nprint(", [(8, 9, "🙃🙃"), (9, 10, "x")]),
        ("𝑥 = 1\n𝑦 = 𝑥 + 1\nprint(", [(6, 7, "𝑧"), (10, 11, "𝑥 * 𝑥")]),
        ("a = 1\r\nb = 2\r\nprint(", [(7, 8, "bb"), (0, 0, "\r\n"), (5, 7, "\r\n")]),
        ("a = 1\rb = 2\rprint(", [(6, 7, "c"), (6, 6, "\n"), (7, 8, "d")]),
        ("a = 1\n\fdef f():\n    pass\nprint(", [(11, 12, "g"), (6, 7, ""), (0, 1, "b")]),
        ("a = '\u2028 \x85 \v'\nb = 1\nprint(", [(12, 13, "c"), (5, 6, "")]),
        ("e\u0301 = 1\nprint(", [(0, 2, "é"), (0, 1, "e\u0301"), (5, 6, "2")]),
        ("", [(0, 0, "print(")]),
        ("print(\n", [(6, 7, ""), (0, 0, "\n"), (0, 1, "")]),
    ],
    ids=[
        "emoji",
        "non-BMP identifiers",
        "CR LF",
        "lone CR",
        "form feed",
        "separators",
        "combining",
        "empty",
        "line end",
    ],
)
async def test_edits_arrive_where_they_were_made(editor: Editor, text: str, edits: list[tuple[int, int, str]]) -> None:
    buffer = editor.open(text)
    for start, end, new_text in edits:
        buffer.edit(start, end, new_text)
    assert await has_same_text(editor, buffer)


def random_edit(generator: random.Random, text: str) -> tuple[int, int, str]:
    """Return an edit at places that a position can name: not between the two characters of CR LF."""
    places = [place for place in range(len(text) + 1) if text[place - 1 : place + 1] != "\r\n" or place == 0]
    start, end = sorted(generator.choices(places, k=2))
    end = min(end, start + generator.choice((0, 0, 1, 5)))
    if end not in places:
        end = start
    return start, end, generator.choice(PIECES)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
async def test_a_long_series_of_random_edits_keeps_both_texts_equal(
    editor: Editor, start_editor: StartEditor, encoding: Encoding
) -> None:
    if encoding != "utf-16":
        editor = await start_editor(encoding=encoding)
    generator = random.Random(20)
    buffer = editor.open("def f(名前):\r\n    return '🙂'\n\nclass A:\r    𝑥 = 1\n\f\n")
    for _ in range(NUMBER_OF_EDITS):
        buffer.edit(*random_edit(generator, buffer.text))
    buffer.type("\nprint(")
    assert await has_same_text(editor, buffer)


async def test_several_edits_in_one_message_are_applied_in_their_order(editor: Editor) -> None:
    buffer = editor.open("a = 1\nb = 2\nprint(")
    buffer.edit_together([(0, 0, "🙂 = 0\n"), (6, 7, "aa"), (0, 1, "z"), (4, 5, "\r\n")])
    assert await has_same_text(editor, buffer)


async def test_a_document_that_is_opened_twice_has_its_newest_text(editor: Editor) -> None:
    buffer = editor.open("def add(a, b):\n    return ")
    first = await editor.inline(buffer)
    buffer.close()
    buffer.open("def subtract(a, b):\n    return ")
    second = await editor.inline(buffer)
    assert first is not None
    assert second is not None
    assert (first.insert_text, second.insert_text) == ("a + b", "a - b")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=repr)
async def test_positions_behind_emoji_and_under_every_line_end_are_exact(editor: Editor, line_end: str) -> None:
    lines = ["# 👩‍👩‍👧 \f 𝑥", "first = '🙂'", "second = '🙂'", "print(first, seco"]
    buffer = editor.open(line_end.join(lines))
    item = await editor.inline(buffer)
    assert item is not None
    end = types.Position(line=3, character=len(lines[3]))
    assert item.range == types.Range(start=end, end=end)


async def test_the_word_at_the_cursor_may_hold_characters_of_two_units(editor: Editor) -> None:
    buffer = editor.open("𝑥𝑦𝑧_total = 1\nprint('🙂', 𝑥𝑦𝑧_to")
    items = (await editor.complete(buffer)).items
    assert len(items) == 1
    assert items[0].text_edit is not None
    assert items[0].text_edit.range == buffer.range(buffer.end - len("𝑥𝑦𝑧_to"), buffer.end)
    assert items[0].text_edit.new_text.startswith("𝑥𝑦𝑧_to")
