"""The text around a cursor, cut as the rules for suggestions look at it."""

from dataclasses import dataclass

__all__ = ["Surroundings", "line_end", "line_start", "surroundings_of"]

_CHARACTERS_ABOVE = 4000
_CHARACTERS_BELOW = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """The text around a cursor. Line ends are line feeds, and very distant text is left out.

    Attributes:
        above: Lines above the cursor's, the nearest last.
        line: The cursor's line up to the cursor.
        rest: What stands right of the cursor.
        below: Lines below the cursor's.
        is_from_start: Whether `above` reaches back to the start of the document.
    """

    above: tuple[str, ...]
    line: str
    rest: str
    below: tuple[str, ...]
    is_from_start: bool

    @property
    def visible_above(self) -> tuple[str, ...]:
        """The lines above that are not blank."""
        return tuple(line for line in self.above if line.strip())

    @property
    def visible_below(self) -> tuple[str, ...]:
        """The lines below that are not blank."""
        return tuple(line for line in self.below if line.strip())


def surroundings_of(text: str, offset: int) -> Surroundings:
    """Return the text around `offset`, in Python characters."""
    start, end = max(offset - _CHARACTERS_ABOVE, 0), line_end(text, offset)
    *above, line = _lines(text[start:offset])
    if start > 0 and above:
        above = above[1:]  # its start is missing
    return Surroundings(
        above=tuple(above),
        line=line,
        rest=text[offset:end],
        below=tuple(_lines(text[end : end + _CHARACTERS_BELOW])[1:]),
        is_from_start=start == 0,
    )


def line_start(text: str, offset: int) -> int:
    """Return where the line of `offset` starts."""
    return max(text.rfind(mark, 0, offset) for mark in "\r\n") + 1


def line_end(text: str, offset: int) -> int:
    """Return where the line of `offset` ends, its line end not included."""
    return min((end for mark in "\r\n" if (end := text.find(mark, offset)) >= 0), default=len(text))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
