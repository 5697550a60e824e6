import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from codet5p.lsp_server.documents import Document
from codet5p.lsp_server.handlers.positions import PositionEncoding, to_offset, to_position, to_range

ENCODINGS: list[PositionEncoding] = [*types.PositionEncodingKind, "utf-8", "utf-16", "utf-32"]
TEXT = "x = '😀'\r\ngröße = 𠮷1\n\n\tend\f!\rlast"


def document(text: str) -> Document:
    return Document.of("file:///a.py", "python", 1, text)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=st.text(st.sampled_from("a\n\räß€😀𠮷\f \u2028")))
def test_every_offset_comes_back_but_between_a_return_and_its_line_feed(encoding: str, text: str) -> None:
    parsed = document(text)
    for offset in range(len(text) + 1):
        there_and_back = to_offset(parsed, to_position(parsed, offset, encoding), encoding)
        is_inside_line_end = text[offset - 1 : offset + 1] == "\r\n"
        assert there_and_back == (offset - 1 if is_inside_line_end and offset else offset)


@pytest.mark.parametrize(
    ("encoding", "units"),
    [("utf-8", {4: 4, 5: 5, 6: 9, 7: 10}), ("utf-16", {5: 5, 6: 7, 7: 8}), ("utf-32", {5: 5, 6: 6, 7: 7})],
)
def test_an_emoji_counts_in_units_of_the_encoding(encoding: str, units: dict[int, int]) -> None:
    parsed = document(TEXT)
    for offset, character in units.items():
        position = types.Position(line=0, character=character)
        assert to_position(parsed, offset, encoding) == position
        assert to_offset(parsed, position, encoding) == offset


@pytest.mark.parametrize(("encoding", "inside"), [("utf-8", (6, 7, 8)), ("utf-16", (6,))])
def test_a_position_inside_a_character_means_its_start(encoding: str, inside: tuple[int, ...]) -> None:
    for character in inside:
        assert to_offset(document(TEXT), types.Position(line=0, character=character), encoding) == 5


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("line", "character", "expected"),
    [
        (0, 1000, TEXT.index("\r\n")),
        (1, 1000, TEXT.index("\n\n")),
        (2, 7, TEXT.index("\n\n") + 1),
        (3, 1000, TEXT.index("\rlast")),
        (4, 1000, len(TEXT)),
        (5, 0, len(TEXT)),
        (2**31 - 1, 2**31 - 1, len(TEXT)),
    ],
)
def test_positions_outside_are_clamped(encoding: str, line: int, character: int, expected: int) -> None:
    assert to_offset(document(TEXT), types.Position(line=line, character=character), encoding) == expected


def test_offsets_outside_are_clamped() -> None:
    parsed = document("a\nb")
    assert to_position(parsed, -5, "utf-16") == types.Position(line=0, character=0)
    assert to_position(parsed, 99, "utf-16") == types.Position(line=1, character=1)


def test_a_range_may_span_lines() -> None:
    first, last = types.Position(line=0, character=5), types.Position(line=1, character=9)
    assert to_range(document(TEXT), 5, TEXT.index("\n\n"), "utf-16") == types.Range(
        start=first, end=types.Position(line=1, character=11)
    )
    assert to_range(document(TEXT), 5, TEXT.index("1\n"), "utf-32") == types.Range(start=first, end=last)
