"""The open documents: immutable, one new value per change, so that a request keeps what it saw.

A line ends in LF, CR LF or CR and in nothing else, as the protocol says. (`str.splitlines` also splits at form feeds
and Unicode separators, which shifts every later line of a file that contains one.)
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

__all__ = ["Document", "DocumentStore"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON can carry half a pair, which is no character of any text


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document as it was at one version. Offsets count Python characters.

    Attributes:
        uri: Its identifier.
        language_id: The editor's name for its language, such as `python`.
        version: Counted by the editor.
        text: Its content.
        line_starts: Offset of the start of each line.
    """

    uri: str
    language_id: str
    version: int
    text: str
    line_starts: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, uri: str, language_id: str, version: int, text: str) -> "Document":
        """Return the document, its lines found; half a surrogate pair becomes U+FFFD, as long in every encoding."""
        text = _LONE_SURROGATE.sub("\ufffd", text)
        starts = (0, *(match.end() for match in _LINE_END.finditer(text)))
        return cls(uri=uri, language_id=language_id, version=version, text=text, line_starts=starts)

    def replaced(self, start: int, end: int, new_text: str, version: int) -> "Document":
        """Return the document with the characters from `start` to `end` replaced by `new_text`.

        Args:
            start: Offset of the first character replaced.
            end: Offset behind the last.
            new_text: What takes their place.
            version: Version of the result.

        Returns:
            The new document; only lines at and behind `start` are searched anew.
        """
        text = self.text[:start] + _LONE_SURROGATE.sub("\ufffd", new_text) + self.text[end:]
        # A "\r" right before the change may become one line end with a "\n" that now follows it: begin a line earlier.
        line = max(bisect_right(self.line_starts, start) - 2, 0)
        kept = self.line_starts[: line + 1]
        found = tuple(match.end() for match in _LINE_END.finditer(text, kept[-1]))
        return replace(self, version=version, text=text, line_starts=kept + found)

    def line_span(self, line: int) -> tuple[int, int]:
        """Return the offsets of start and end of `line`, without its line end; a line that is not there is clamped."""
        if line < 0:
            return 0, 0
        if line >= len(self.line_starts):
            return len(self.text), len(self.text)
        start = self.line_starts[line]
        end = self.line_starts[line + 1] if line + 1 < len(self.line_starts) else len(self.text)
        return start, start + len(self.text[start:end].rstrip("\r\n"))

    def line_at(self, offset: int) -> int:
        """Return the number of the line that contains `offset`."""
        return bisect_right(self.line_starts, offset) - 1


class DocumentStore:
    """The documents that the editor has open, changed on the loop thread only."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

    def put(self, document: Document) -> None:
        """Open `document`, or replace it by a newer version."""
        self._documents[document.uri] = document

    def get(self, uri: str) -> Document | None:
        """Return the newest version of the document, or None if it is not open."""
        return self._documents.get(uri)

    def close(self, uri: str) -> None:
        """Forget the document."""
        self._documents.pop(uri, None)

    def __iter__(self) -> Iterator[Document]:
        return iter(tuple(self._documents.values()))

    def __len__(self) -> int:
        return len(self._documents)
