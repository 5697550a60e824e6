"""Code-aware words: `parseHTTPHeader` and `parse_http_header` are both `parse http header parsehttpheader`."""

import re
from collections.abc import Iterator

__all__ = ["query_words", "split_identifier", "stem", "words_of"]

_IDENTIFIER = re.compile(r"[^\W_](?:\w*[^\W_])?")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")
_ENDING = re.compile(r"(?<=\w{3})(?:ations?|ings?|ions?|ers?|ors?|ies|ied|ed|es|s|e|y)$")
_MAX_WORD_CHARACTERS = 64
_MAX_QUERY_WORDS = 48

# Words of questions and of every text; only a query consisting of nothing else is searched by them.
_STOP_WORDS = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "get", "gets", "has", "have",
    "how", "i", "if", "in", "into", "is", "it", "its", "of", "on", "or", "our", "that", "the", "their", "them",
    "then", "there", "these", "this", "to", "use", "used", "uses", "using", "via", "was", "we", "what", "when",
    "where", "which", "while", "who", "why", "will", "with", "without", "work", "working", "works", "happen",
    "happens", "you", "your",
})  # fmt: skip


def split_identifier(identifier: str) -> list[str]:
    """Return the lower-case parts of an identifier: `getHTTPResponse2` gives get, http, response, 2."""
    return [part.lower() for part in _PART.findall(identifier)]


def words_of(text: str) -> Iterator[str]:
    """Yield the words of code or prose in their order, lower case; a compound identifier is followed by its whole.

    Args:
        text: Code, prose, a path or a qualified name.

    Yields:
        Each part of an identifier, and the parts joined where there are several; very long ones, which are data and
        not words, are left out.
    """
    for identifier in _IDENTIFIER.findall(text):
        if len(identifier) > _MAX_WORD_CHARACTERS:
            continue
        parts = split_identifier(identifier)
        yield from parts
        if len(parts) > 1:
            yield "".join(parts)


def query_words(text: str, count: int = _MAX_QUERY_WORDS) -> list[str]:
    """Return the distinct words to search for, the words of questions left out.

    Args:
        text: What the user typed, or a piece of code to find the like of.
        count: Words, at most.

    Returns:
        Words in the order of the text; the words of questions only where there are no others.
    """
    words = list(dict.fromkeys(words_of(text)))
    telling = [word for word in words if word not in _STOP_WORDS]
    return (telling or words)[:count]


def stem(word: str) -> str:
    """Return a word without its commonest endings: `parse`, `parser` and `parsing` are all `pars`."""
    return _ENDING.sub("", word)
