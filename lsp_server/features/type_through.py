"""Suggestions still valid after the user typed what they said, or took a step back.

An entry remembers the document on both sides of the cursor; a suggestion is served again only where the text before is
the entry's plus a part of the suggestion, and the text behind is the entry's. (A key without the text behind is a known
flaw of such caches: it offers what stands there already.)
"""

from collections import deque
from dataclasses import dataclass
from threading import Lock

__all__ = ["TypeThroughCache"]

_MAX_ENTRIES = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    uri: str
    offset: int
    prefix_hash: int
    suffix_hash: int
    suggestion: str
    score: float


class TypeThroughCache:
    """The most recent suggestions of all documents; any thread may ask and tell."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque(maxlen=_MAX_ENTRIES)
        self._lock = Lock()

    def put(self, uri: str, text: str, offset: int, suggestion: str, score: float) -> None:
        """Remember `suggestion` for the cursor at `offset` of `text`; an empty one saves asking again for nothing."""
        entry = _Entry(
            uri=uri,
            offset=offset,
            prefix_hash=hash(text[:offset]),
            suffix_hash=hash(text[offset:]),
            suggestion=suggestion,
            score=score,
        )
        with self._lock:
            self._entries.appendleft(entry)

    def get(self, uri: str, text: str, offset: int) -> tuple[str, float] | None:
        """Return what is left of a suggestion and its score, or None.

        Args:
            uri: The document.
            text: Its content now.
            offset: The cursor now.

        Returns:
            The rest of the newest suggestion that fits. A suggestion typed to its end is no answer any more, but one
            that was empty from the start is.
        """
        with self._lock:
            entries = tuple(self._entries)
        for entry in entries:
            typed = text[entry.offset : offset]
            if (
                entry.uri == uri
                and entry.offset <= offset
                and entry.suggestion.startswith(typed)
                and (not typed or len(typed) < len(entry.suggestion))
                and hash(text[offset:]) == entry.suffix_hash
                and hash(text[: entry.offset]) == entry.prefix_hash
            ):
                return entry.suggestion[len(typed) :], entry.score
        return None
