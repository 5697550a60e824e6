"""Which view of a pair is learned: a description may be cut to what people type into a search, code may be documented.

A description is written by who knows the code, a search query by who does not. Half-remembered words and documented
code must stay within what the encoder has seen.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from codet5p.core.tokenizer import CASE_CHANGE

__all__ = ["PairRecord", "PairViews", "viewed"]

_CASE_CHANGE = re.compile(CASE_CHANGE)
_WORD = re.compile(r"[a-z0-9]+")
_UNSEARCHED = frozenset(
    "the a an of to for is are this that it its be by with and or in on at as from if which will can".split()  # noqa: SIM905
)
"""Words that search queries do without."""
_QUERY_WORDS = range(3, 10)
_DESCRIPTION_CHARACTERS = 300
_HASH_COMMENTS = frozenset(("python", "ruby"))


class PairRecord(NamedTuple):
    """A text-code pair with what else the corpus knows of it."""

    text: str
    code: str
    description: str = ""
    """The whole documentation, of which `text` is the first sentence."""
    language: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PairViews:
    """Shares of the pairs that are seen otherwise than as they are."""

    query: float = 0.0
    """The text as a search query: some of its words, without those that nobody searches for."""
    description: float = 0.0
    """The beginning of the whole documentation in place of its first sentence."""
    documented: float = 0.0
    """The code with its text as a comment above it."""

    def __post_init__(self) -> None:
        shares = (self.query, self.description, self.documented)
        if min(shares) < 0 or self.query + self.description > 1 or self.documented > 1:
            raise ValueError("pairs.views are shares between 0 and 1; query and description together are at most 1")


def viewed(record: PairRecord, views: PairViews, rng: np.random.Generator) -> tuple[str, str]:
    """Return the text and the code to learn from.

    Args:
        record: The pair.
        views: How often it is changed, and how.
        rng: Decides.

    Returns:
        Text, and code.
    """
    choice, is_documented = rng.random(), rng.random() < views.documented
    text = record.text
    if choice < views.query:
        text = _as_query(text, int(rng.integers(_QUERY_WORDS.start, _QUERY_WORDS.stop)))
    elif choice < views.query + views.description and record.description:
        text = record.description[:_DESCRIPTION_CHARACTERS]
    if not is_documented:
        return text, record.code
    mark = "#" if record.language in _HASH_COMMENTS else "//"
    return text, f"{mark} {record.text}\n{record.code}"


def _as_query(text: str, num_words: int) -> str:
    words = [word for word in _WORD.findall(_CASE_CHANGE.sub(" ", text).lower()) if word not in _UNSEARCHED]
    return " ".join(words[:num_words]) or text
