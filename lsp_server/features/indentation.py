"""How a document indents, and suggestions that follow it."""

import re

__all__ = ["indentation_of", "indentation_step", "repaired_indentation"]

_INDENTED_LINE = re.compile(r"^([ \t]+)\S", re.MULTILINE)
_DEFAULT_STEP = "    "
_SEARCHED_CHARACTERS = 20_000
_OPENERS = (":", "(", "[", "{", "\\")


def indentation_of(line: str) -> str:
    """Return the white space at the start of `line`."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def indentation_step(text: str) -> str:
    """Return one level of indentation as the document writes it: the first indented line tells."""
    match = _INDENTED_LINE.search(text, 0, _SEARCHED_CHARACTERS)
    if match is None:
        return _DEFAULT_STEP
    return "\t" if match[1].startswith("\t") else match[1]


def repaired_indentation(suggestion: str, line: str, above: str, step: str, *, is_strict: bool) -> str:
    """Return `suggestion` with white space at its start that fits the document.

    Args:
        suggestion: Text for the cursor.
        line: The cursor's line up to the cursor.
        above: The nearest visible line above, or the empty string.
        step: One level of indentation in this document.
        is_strict: Whether the language takes a line as an error that is deeper than the one above without a reason.

    Returns:
        The suggestion; unchanged where something visible stands on the line already. Otherwise tabs and spaces become
        what the document uses and, where the language is strict, a line does not go deeper than the line above allows.
    """
    lead = indentation_of(suggestion)
    if not lead or line.strip():
        return suggestion
    body = suggestion[len(lead) :]
    if step == "\t":
        lead = lead.replace(_DEFAULT_STEP, "\t").replace("  ", "\t")
    elif "\t" in lead:
        lead = lead.replace("\t", step)
    if is_strict and above:
        deepest = indentation_of(above) + (step if above.rstrip().endswith(_OPENERS) else "")
        lead = deepest[len(line) :] if len(line) + len(lead) > len(deepest) else lead
    return lead + body
