from hypothesis import given
from hypothesis import strategies as st

from codet5p.lsp_server.documents import Document, DocumentStore

# Every kind of line end, what only looks like one, and characters of two and four bytes.
PIECES = st.sampled_from(
    ["\n", "\r", "\r\n", "\f", "\v", "\x1c", "\u2028", "\x85", "a", "bc", "\t", "ä", "😀", "𠮷", ""]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)
EDITS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), TEXTS), max_size=8)


def document(text: str) -> Document:
    return Document.of("file:///a.py", "python", 1, text)


@given(text=TEXTS, edits=EDITS)
def test_edits_find_the_same_lines_as_reading_anew(text: str, edits: list[tuple[int, int, str]]) -> None:
    edited = document(text)
    for version, (first, second, new_text) in enumerate(edits, 2):
        start, end = sorted(min(offset, len(text)) for offset in (first, second))
        text = text[:start] + new_text + text[end:]
        edited = edited.replaced(start, end, new_text, version)
        assert edited == Document.of("file:///a.py", "python", version, text)


@given(text=TEXTS)
def test_lines_are_the_protocols(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    parsed = document(text)
    spans = [parsed.line_span(line) for line in range(len(parsed.line_starts))]
    assert [text[start:end] for start, end in spans] == lines


@given(text=TEXTS)
def test_every_offset_lies_in_the_line_found_for_it(text: str) -> None:
    parsed = document(text)
    for offset in range(len(text) + 1):
        line = parsed.line_at(offset)
        assert parsed.line_starts[line] <= offset
        assert line + 1 == len(parsed.line_starts) or offset < parsed.line_starts[line + 1]


def test_a_line_feed_behind_a_carriage_return_joins_it() -> None:
    assert document("a\rb").line_starts == (0, 2)
    assert document("a\rb").replaced(2, 2, "\n", 2).line_starts == (0, 3)


def test_taking_a_line_feed_away_leaves_the_carriage_return_a_line_end() -> None:
    assert document("a\r\nb").replaced(2, 3, "", 2).line_starts == (0, 2)


def test_lines_that_are_not_there_are_clamped() -> None:
    parsed = document("ab\ncd")
    assert parsed.line_span(-1) == (0, 0)
    assert parsed.line_span(2) == (5, 5)
    assert document("").line_span(0) == (0, 0)


def test_a_change_leaves_the_earlier_value_as_it_was() -> None:
    before = document("ab")
    after = before.replaced(0, 1, "x\n", 2)
    assert (before.text, before.version, before.line_starts) == ("ab", 1, (0,))
    assert (after.text, after.version, after.line_starts) == ("x\nb", 2, (0, 2))


def test_half_a_surrogate_pair_becomes_a_replacement_character_of_the_same_length() -> None:
    assert document("a\ud83d").text == "a\ufffd"
    assert document("ab").replaced(1, 1, "\ude00", 2).text == "a\ufffdb"


def test_the_store_holds_the_newest_version_until_it_is_closed() -> None:
    store = DocumentStore()
    store.put(document("one"))
    newer = document("two")
    store.put(newer)
    assert store.get("file:///a.py") is newer
    assert list(store) == [newer]
    store.close("file:///a.py")
    store.close("file:///a.py")
    assert store.get("file:///a.py") is None
    assert len(store) == 0
