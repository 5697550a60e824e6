"""The few lines of a chunk that answer a query."""

from collections.abc import Sequence
from dataclasses import dataclass

from codet5p.lsp_server.index.words import stem, words_of

__all__ = ["Snippet", "snippet_of"]

_NUM_LINES = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Snippet:
    """Consecutive lines of a chunk.

    Attributes:
        first_line: The first of them, counted from the chunk's first line.
        lines: The lines, without the indentation they share.
        best: Which of them answer the query best, counted from 0.
    """

    first_line: int
    lines: tuple[str, ...]
    best: tuple[int, ...]

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def snippet_of(text: str, words: Sequence[str], num_lines: int = _NUM_LINES) -> Snippet:
    """Return the lines around the densest matches; the chunk's head where nothing in it matches.

    Args:
        text: A chunk.
        words: The query's words.
        num_lines: Length of the snippet, at most.

    Returns:
        A snippet that begins at a line with text.
    """
    lines = text.split("\n")
    wanted = {stem(word) for word in words}
    matches = [_matches(line, wanted) for line in lines]
    start = max(range(len(lines)), key=lambda index: (_weight(matches[index : index + num_lines]), -index))
    while start < len(lines) - 1 and not lines[start].strip():
        start += 1
    shown = lines[start : start + num_lines]
    while len(shown) > 1 and not shown[-1].strip():
        shown.pop()
    most = max(len(match) for match in matches[start : start + len(shown)])
    best = [index for index in range(len(shown)) if most and len(matches[start + index]) == most]
    return Snippet(first_line=start, lines=tuple(_dedent(shown)), best=tuple(best))


def _matches(line: str, wanted: set[str]) -> set[str]:
    lowered = line.lower()
    if not any(word in lowered for word in wanted):
        return set()  # most lines, told apart cheaply
    return wanted & {stem(word) for word in words_of(line)}


def _weight(matches: list[set[str]]) -> float:
    """Return how many words the lines hold together, and in ties how many on the first line."""
    together: set[str] = set().union(*matches)
    return len(together) + 0.5 * len(matches[0]) / (1 + len(together))


def _dedent(lines: list[str]) -> list[str]:
    widths = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    shared = min(widths, default=0)
    return [line[shared:] for line in lines]
