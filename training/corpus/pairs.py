"""Text-code pairs: a documented function and what its author says it does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from codet5p.core.syntax import Function, code_without_documentation

__all__ = ["Pair", "pairs_of_functions"]

_MIN_WORDS = 3
_MAX_TEXT_CHARACTERS = 2000
_MIN_LINES = 3
_MAX_CODE_BYTES = 8000
_MIN_ASCII_SHARE = 0.9
_MIN_LETTER_SHARE = 0.6
_NOT_A_DESCRIPTION = re.compile(
    r"""copyright | licen[sc]e | all\ rights\ reserved | \btodo\b | \bfixme\b | \bxxx\b | eslint | pylint | noqa
      | rubocop | nolint | @ts- | prettier-ignore | jshint | istanbul | noinspection | \binherit(ed)?doc\b | ^see\s
      | ^\W*$
      | non-javadoc | auto-?generated | ^https?://\S+$""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A function without its documentation, and the documentation."""

    name: str
    signature: str
    summary: str
    """First sentence."""
    description: str
    """Up to the first section or tag."""
    code: str


def pairs_of_functions(text: str, functions: Sequence[Function]) -> list[Pair]:
    """Return the pairs among `functions`: those whose documentation describes them and whose code is worth it.

    Args:
        text: The text that the functions were extracted from.
        functions: Functions of any language.

    Returns:
        Pairs in order. Functions of fewer than 3 lines, over 8 kB, named like tests, or described by fewer than 3
        words, by licence text, linter marks or non-English text are left out.

    Source: the filters of CodeSearchNet (arXiv 1909.09436, section 2), with English judged by characters.
    """
    pairs = []
    for function in functions:
        documentation = function.documentation
        if documentation is None or not _describes(documentation.summary, documentation.description):
            continue
        if function.name.lower().startswith("test"):
            continue
        code = code_without_documentation(text, function)
        if code.count("\n") + 1 < _MIN_LINES or len(code.encode("utf-8", "replace")) > _MAX_CODE_BYTES:
            continue
        pairs.append(
            Pair(
                name=function.qualified_name,
                signature=function.signature,
                summary=documentation.summary,
                description=documentation.description[:_MAX_TEXT_CHARACTERS],
                code=code,
            )
        )
    return pairs


def _describes(summary: str, description: str) -> bool:
    if len(summary.split()) < _MIN_WORDS or len(summary) > _MAX_TEXT_CHARACTERS:
        return False
    if _NOT_A_DESCRIPTION.search(summary) or _NOT_A_DESCRIPTION.search(description[:200]):
        return False
    ascii_characters = sum(character.isascii() for character in summary)
    letters = sum(character.isalpha() or character == " " for character in summary)
    return ascii_characters >= _MIN_ASCII_SHARE * len(summary) and letters >= _MIN_LETTER_SHARE * len(summary)
