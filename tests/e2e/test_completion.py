import pytest
from e2e.editor import Editor
from lsprotocol import types

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

INVOICE = """\
class Invoice:
    def __init__(self, customer, lines):
        self.customer = customer
        self.lines = lines

    def total(self):
        return sum(line.price for line in self.lines)

    def describe(self):
        return f"{self.customer}: {self.tot"""


async def test_the_suggestion_is_an_ordinary_item_that_replaces_the_word_at_the_cursor(editor: Editor) -> None:
    buffer = editor.open(INVOICE)
    result = await editor.complete(buffer)
    assert result.is_incomplete
    assert len(result.items) == 1
    item = result.items[0]
    assert isinstance(item.text_edit, types.TextEdit)
    assert item.text_edit.new_text.startswith("tot")
    assert len(item.text_edit.new_text) > len("tot")
    assert item.text_edit.range == buffer.range(buffer.end - len("tot"), buffer.end)
    assert item.filter_text == item.text_edit.new_text
    assert item.label == item.text_edit.new_text
    assert item.command is not None


async def test_the_item_sorts_behind_those_of_other_servers(editor: Editor) -> None:
    item = (await editor.complete(editor.open(INVOICE))).items[0]
    assert item.sort_text is not None
    assert item.sort_text > "zebra"


async def test_both_kinds_of_completion_agree(editor: Editor) -> None:
    buffer = editor.open(INVOICE)
    ghost = await editor.inline(buffer)
    item = (await editor.complete(buffer)).items[0]
    assert ghost is not None
    assert isinstance(item.text_edit, types.TextEdit)
    assert item.text_edit.new_text == "tot" + str(ghost.insert_text)


async def test_a_document_that_is_not_open_has_no_items(editor: Editor) -> None:
    buffer = editor.open(INVOICE)
    buffer.close()
    assert len((await editor.complete(buffer)).items) == 0
