"""What to cut from a generated line, and when to say nothing. Each rule is one function of plain text."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

__all__ = ["CLOSERS", "cut_to_line", "is_repetition", "repeats_following", "without_overlap"]

CLOSERS = ")]}>\"'`;:,"
_LOOP = re.compile(r"(.{3,}?)\1{3,}")
_UNFINISHED_WORD = re.compile(r"\w+$")
_SAME = 0.95  # share of equal characters from which two lines count as the same
_REPEATED_LINES = 3
_JUDGED_CHARACTERS = 500  # the search takes 3 ms for as many, and 200 ms for eight times as many
_LINES_BELOW = 3
_TELLING_CHARACTERS = 12  # real lines as long as this come again within three lines once in 300


def cut_to_line(text: str, *, is_finished: bool) -> str:
    """Return the first line of `text` without trailing white space.

    Args:
        text: Generated text.
        is_finished: Whether generation ended by itself; otherwise a word at the very end may be half a word and is cut.

    Returns:
        The line, possibly empty.
    """
    line, *more = re.split(r"\r\n|\r|\n", text, maxsplit=1)
    if not more and not is_finished:
        line = _UNFINISHED_WORD.sub("", line)
    return line.partition("\ufffd")[0].rstrip()


def without_overlap(suggestion: str, rest_of_line: str) -> str:
    """Return `suggestion` without the end that the text right of the cursor already has.

    Args:
        suggestion: Text for the cursor.
        rest_of_line: What stands right of the cursor, such as closing brackets that the editor typed.

    Returns:
        The suggestion, shorter where its end equals the start of `rest_of_line`, blanks before it aside; empty where
        nothing new is left.
    """
    rest = rest_of_line.strip()
    for length in range(min(len(rest), len(suggestion)), 0, -1):
        if suggestion.endswith(rest[:length]):
            return suggestion[:-length]
    return suggestion


def repeats_following(line: str, below: Sequence[str]) -> bool:
    """Return whether `line` stands right below already.

    Args:
        line: The whole line with the suggestion in it.
        below: Visible lines below the cursor's, the nearest first.

    Returns:
        True where the next line is nearly the same, or one of the next three is the same and long enough to tell.
    """
    line = line.strip()
    following = [other.strip() for other in below[:_LINES_BELOW]]
    if following and _is_same(line, following[0]):
        return True
    return len(line) >= _TELLING_CHARACTERS and line in following


def is_repetition(line: str, preceding: Sequence[str]) -> bool:
    """Return whether `line` goes round in circles.

    Args:
        line: The whole line with the suggestion in it.
        preceding: Visible lines above, the nearest last.

    Returns:
        True where a piece of the line repeats four times in a row, or the lines right above are all the same as it.
    """
    end = line.strip()[-_JUDGED_CHARACTERS:]
    if _LOOP.search(end) and not set(end) <= set("-=#*/_~. "):
        return True
    above = preceding[-_REPEATED_LINES:]
    return len(above) == _REPEATED_LINES and all(_is_same(line.strip(), other.strip()) for other in above)


def _is_same(line: str, other: str) -> bool:
    if line == other:
        return True
    longest = max(len(line), len(other))
    if abs(len(line) - len(other)) > (1 - _SAME) * longest + 1:
        return False
    return longest > 1 / (1 - _SAME) and SequenceMatcher(None, line, other, autojunk=False).ratio() >= _SAME
