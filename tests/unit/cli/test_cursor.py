from pathlib import Path

import pytest

from codet5p.cli.cursor import read_cursor
from codet5p.core.errors import DataError

TEXT = "a = '😀'\r\nb\f = 1\u2028\n\n  c"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(TEXT.encode())
    return path


@pytest.mark.parametrize(
    ("line", "column", "before"),
    [
        (1, 1, ""),
        (1, 6, "a = '"),
        (1, 7, "a = '😀"),
        (1, 8, "a = '😀'"),
        (2, 1, "a = '😀'\r\n"),
        (2, 8, "a = '😀'\r\nb\f = 1\u2028"),  # a form feed and a line separator end no line
        (3, 1, "a = '😀'\r\nb\f = 1\u2028\n"),
        (4, 4, TEXT),
    ],
)
def test_lines_and_columns_count_from_one_in_characters(path: Path, line: int, column: int, before: str) -> None:
    cursor = read_cursor(f"{path}:{line}:{column}")
    assert (cursor.path, cursor.line, cursor.column, cursor.text) == (path, line, column, TEXT)
    assert cursor.text[: cursor.offset] == before


@pytest.mark.parametrize(("text", "place", "offset"), [("", "1:1", 0), ("x\n", "2:1", 2), ("x\r", "2:1", 2)])
def test_the_empty_line_at_the_end_is_a_place(tmp_path: Path, text: str, place: str, offset: int) -> None:
    (tmp_path / "b.py").write_bytes(text.encode())
    assert read_cursor(f"{tmp_path / 'b.py'}:{place}").offset == offset


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("5:1", "has lines 1 to 4, not 5"),
        ("0:1", "has lines 1 to 4, not 0"),
        ("1:9", "has columns 1 to 8, not 9"),
        ("3:0", "has columns 1 to 1, not 0"),
    ],
)
def test_a_place_outside_is_refused_with_what_there_is(path: Path, place: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_cursor(f"{path}:{place}")


@pytest.mark.parametrize("place", ["a.py", "a.py:1", "a.py:x:1", "a.py:1:", ""])
def test_what_is_no_place_is_refused_with_an_example(place: str) -> None:
    with pytest.raises(DataError) as caught:
        read_cursor(place)
    assert str(caught.value) == f"{place!r} is no place; write FILE:LINE:COLUMN, such as app.py:10:5"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^cannot read .*missing\.py: No such file or directory$"):
        read_cursor(f"{tmp_path / 'missing.py'}:1:1")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"binary is not UTF-8 text$"):
        read_cursor(f"{tmp_path / 'binary'}:1:1")
