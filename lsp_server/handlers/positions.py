"""Positions of the protocol to offsets and back: the only place where UTF-16 is counted."""

from lsprotocol import types

from codet5p.lsp_server.documents import Document

__all__ = ["PositionEncoding", "to_offset", "to_position", "to_range"]

PositionEncoding = types.PositionEncodingKind | str

_BYTES_PER_UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def to_offset(document: Document, position: types.Position, encoding: PositionEncoding) -> int:
    """Return the offset of `position` in Python characters.

    Args:
        document: The text.
        position: Zero-based line and code units of `encoding`. Behind the end of a line it means the end of the line,
            behind the last line the end of the document, and inside a character its start.
        encoding: As negotiated: utf-8, utf-16 or utf-32.

    Returns:
        An offset from 0 to the length of the text.
    """
    start, end = document.line_span(position.line)
    units = max(position.character, 0)
    line = document.text[start:end]
    if line.isascii():
        return start + min(units, len(line))
    name, unit_bytes = _codec(encoding)
    before = line.encode(name, "surrogatepass")[: units * unit_bytes]
    return start + len(before.decode(name, "ignore"))


def to_position(document: Document, offset: int, encoding: PositionEncoding) -> types.Position:
    """Return the position of `offset`, which is clamped to the document."""
    offset = min(max(offset, 0), len(document.text))
    line = document.line_at(offset)
    before = document.text[document.line_starts[line] : offset]
    if before.isascii():
        return types.Position(line=line, character=len(before))
    name, unit_bytes = _codec(encoding)
    return types.Position(line=line, character=len(before.encode(name, "surrogatepass")) // unit_bytes)


def to_range(document: Document, start: int, end: int, encoding: PositionEncoding) -> types.Range:
    """Return the range from offset `start` to offset `end`."""
    return types.Range(start=to_position(document, start, encoding), end=to_position(document, end, encoding))


def _codec(encoding: PositionEncoding) -> tuple[str, int]:
    value = encoding.value if isinstance(encoding, types.PositionEncodingKind) else encoding
    unit_bytes = _BYTES_PER_UNIT[value]
    return (value if unit_bytes == 1 else f"{value}-le"), unit_bytes
