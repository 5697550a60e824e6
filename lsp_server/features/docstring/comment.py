"""A docstring or documentation comment as lines that can be taken out, moved and put in, each otherwise untouched."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from codet5p.core.syntax import Function

__all__ = ["Comment", "Line", "indentation_at", "line_ending", "read_comment"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_LITERAL = re.compile(r"([rRuUbBfF]{0,2})(\"\"\"|'''|\"|')")
_BLOCK = re.compile(r"/\*[*!]*<?(?!/)")
_LINE_MARK = re.compile(r"[ \t]*(?://[/!]?<?|#+)[ ]?")
_STAR = re.compile(r"[ \t]*\*[ ]?")
_SPACE = re.compile(r"[ \t]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a comment.

    Attributes:
        content: What it says.
        margin: White space and comment mark before the content; None for a new line, which takes the usual one.
        ending: Its line end; empty on the last.
    """

    content: str
    margin: str | None = None
    ending: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A docstring or documentation comment in its source text.

    Attributes:
        start: Offset of its first character. Line comments begin with the indentation of their first line.
        end: Offset behind its last character.
        opener: Mark before the first line, such as three quotes.
        closer: Mark behind the last.
        lines: What stands between; line ends part them, so the last has none.
        margin: Usual margin, for new lines.
        ending: Usual line end.
    """

    start: int
    end: int
    opener: str
    closer: str
    lines: tuple[Line, ...]
    margin: str
    ending: str

    @property
    def contents(self) -> tuple[str, ...]:
        """What the lines say."""
        return tuple(line.content for line in self.lines)

    @property
    def can_grow(self) -> bool:
        """Whether it may have further lines, which a Python string between single quotes may not."""
        return self.opener.lstrip("rRuUbBfF") not in {"'", '"'}

    @property
    def is_raw(self) -> bool:
        """Whether a backslash in it stands for itself: in comments and raw strings."""
        return not self.opener.endswith(("'", '"')) or "r" in self.opener.lower()

    def text_with(self, lines: Sequence[Line]) -> str:
        """Return the comment's source text with `lines` in the place of its own."""
        return self.opener + "".join(self._joined(lines)) + self.closer

    def _joined(self, lines: Sequence[Line]) -> Iterable[str]:
        first = self.lines[0]
        for index, line in enumerate(lines):
            margin = line.margin if line.margin is not None else self.margin
            if index == 0:
                margin = first.margin or ""
            elif not line.content and line.margin is None:
                margin = margin.rstrip()
            yield margin + line.content
            if index + 1 < len(lines):
                yield line.ending or self.ending


def read_comment(text: str, function: Function) -> Comment | None:
    """Return the documentation of `function` as lines, or None if it has none.

    Args:
        text: The text that `function` was extracted from.
        function: One of its functions.

    Returns:
        The comment; `text_with` its own lines gives back the source between `start` and `end`.
    """
    if function.documentation_span is None:
        return None
    start, end = function.documentation_span
    end = start + len(text[start:end].rstrip("\r\n"))  # some grammars count the line end to a line comment
    source = text[start:end]
    if function.language == "python":
        match = _LITERAL.match(source)
        closer = match[2] if match else ""
        return _framed(text, (start, end), match[0] if match else "", closer)
    if (block := _BLOCK.match(source)) is not None:
        closing = re.search(r"\*+/$", source)
        return _framed(text, (start, end), block[0], closing[0] if closing else "", is_block=True)
    if source.startswith("=begin"):
        return _framed(text, (start, end), "=begin", "=end")
    return _line_comments(text, start, end)


def indentation_at(text: str, offset: int) -> str:
    """Return the white space at the start of the line that contains `offset`."""
    line_start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    match = _SPACE.match(text, line_start, offset)
    return match[0] if match else ""


def line_ending(text: str, offset: int = 0) -> str:
    """Return the first line end at or behind `offset`, else the first of the text, else a line feed."""
    match = _LINE_END.search(text, offset) or _LINE_END.search(text)
    return match[0] if match else "\n"


def _framed(text: str, span: tuple[int, int], opener: str, closer: str, *, is_block: bool = False) -> Comment:
    """Return a comment between an opener and a closer."""
    start, end = span
    rows = list(_split(text[start + len(opener) : end - len(closer)]))
    following = [content for content, _ in rows[1:] if content.strip()]
    if is_block and all(_STAR.match(content) for content in following):
        margins = [_matched(_STAR, content) for content, _ in rows]
        usual = indentation_at(text, start) + " * "
    else:
        common = _common_start([_matched(_SPACE, content) for content in following])
        margins = [common if content.startswith(common) else _matched(_SPACE, content) for content, _ in rows]
        usual = common if following else indentation_at(text, start)
    margins[0] = _matched(_SPACE, rows[0][0]) if is_block else ""
    lines = tuple(_line(content, margin, ending) for (content, ending), margin in zip(rows, margins, strict=True))
    margin = _usual_margin(lines[1:], usual)
    ending = line_ending(text, start)
    return Comment(start=start, end=end, opener=opener, closer=closer, lines=lines, margin=margin, ending=ending)


def _line_comments(text: str, start: int, end: int) -> Comment:
    start -= len(indentation_at(text, start))
    lines = tuple(_line(row, _matched(_LINE_MARK, row), ending) for row, ending in _split(text[start:end]))
    margin = _usual_margin(lines, lines[0].margin or "")
    ending = line_ending(text, start)
    return Comment(start=start, end=end, opener="", closer="", lines=lines, margin=margin, ending=ending)


def _line(row: str, margin: str, ending: str) -> Line:
    line = Line(content=row[len(margin) :], margin=margin, ending=ending)
    # White space alone is margin, so that a blank line is blank whatever editors left in it.
    return line if line.content.strip() else replace(line, content="", margin=row)


def _split(text: str) -> Iterable[tuple[str, str]]:
    start = 0
    for match in _LINE_END.finditer(text):
        yield text[start : match.start()], match[0]
        start = match.end()
    yield text[start:], ""


def _matched(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.match(text)
    return match[0] if match else ""


def _usual_margin(lines: Iterable[Line], otherwise: str) -> str:
    counted = Counter(line.margin for line in lines if line.content and line.margin is not None)
    return counted.most_common(1)[0][0] or "" if counted else otherwise


def _common_start(texts: Sequence[str]) -> str:
    """Return the longest string that all of `texts` begin with."""
    least, most = min(texts, default=""), max(texts, default="")
    length = next((i for i, (a, b) in enumerate(zip(least, most, strict=False)) if a != b), min(len(least), len(most)))
    return least[:length]
