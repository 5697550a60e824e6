"""Brackets of a piece of code, without a parser: which are open at its end, and which close too much."""

import re

__all__ = ["CLOSER_OF", "end_of_balance", "open_brackets"]

CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = frozenset(CLOSER_OF.values())
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""'  # closed strings, whose brackets do not count
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"
    r"|[()\[\]{}]",
    re.DOTALL,
)


def open_brackets(text: str) -> str:
    """Return the brackets open at the end of `text`, the outermost first; one that closes nothing is passed over."""
    opened: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in CLOSER_OF:
            opened.append(token)
        elif opened and token == CLOSER_OF[opened[-1]]:
            opened.pop()
    return "".join(opened)


def end_of_balance(text: str, opened: str) -> int:
    """Return the offset of the first bracket in `text` that closes what is not open, or the length of `text`.

    Args:
        text: Code.
        opened: Brackets open before it, the outermost first.

    Returns:
        An offset into `text`.
    """
    stack = list(opened)
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in CLOSER_OF:
            stack.append(token)
        elif token in _CLOSERS and (not stack or token != CLOSER_OF[stack.pop()]):
            return match.start()
    return len(text)
