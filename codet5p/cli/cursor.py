"""Reading `FILE:LINE:COLUMN`."""

from dataclasses import dataclass
from pathlib import Path

from codet5p.core.errors import DataError
from codet5p.lsp_server.documents import Document

__all__ = ["Cursor", "read_cursor"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """A place in a file that was read.

    Attributes:
        path: The file.
        text: Its content, line ends as they are.
        line: Counted from 1.
        column: Counted from 1, in characters.
        offset: The place, in characters from the start of the text.
    """

    path: Path
    text: str
    line: int
    column: int
    offset: int


def read_cursor(place: str) -> Cursor:
    """Return the cursor that `place` names, and the file's text.

    Args:
        place: `FILE:LINE:COLUMN`, line and column counted from 1.

    Returns:
        The cursor.

    Raises:
        DataError: If the place is malformed, outside the file, or the file is not UTF-8 text.
    """
    try:
        name, line_text, column_text = place.rsplit(":", 2)
        line, column = int(line_text), int(column_text)
    except ValueError:
        raise DataError(f"{place!r} is no place; write FILE:LINE:COLUMN, such as app.py:10:5") from None
    path = Path(name)
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text") from None
    document = Document.of(path.as_posix(), "", 0, text)
    num_lines = len(document.line_starts)
    if not 1 <= line <= num_lines:
        raise DataError(f"{path} has lines 1 to {num_lines}, not {line}")
    start, end = document.line_span(line - 1)
    if not 1 <= column <= end - start + 1:
        raise DataError(f"{path}:{line} has columns 1 to {end - start + 1}, not {column}")
    return Cursor(path=path, text=text, line=line, column=column, offset=start + column - 1)
