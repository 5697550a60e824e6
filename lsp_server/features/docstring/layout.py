"""The parts of a documentation text that state facts: which parameter, type or exception stands on which line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact

__all__ = [
    "Entry",
    "EntryKind",
    "Field",
    "Layout",
    "Section",
    "Style",
    "bare_name",
    "blank_end",
    "core_type",
    "indent_of",
    "indent_width",
    "with_ends",
]

_QUALIFIER = re.compile(r"[ \t]*,[ \t]*(?:optional|required|keyword[- ]only|default\b.*)[ \t]*$", re.IGNORECASE)

EntryKind = Literal["parameter", "type", "returns", "yields", "raises", "other"]


class Field(NamedTuple):
    """A part of one line, in characters of its content."""

    line: int
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What is written about one parameter, result or exception.

    Attributes:
        kind: What it is about; `type` is a type apart from its parameter, `other` has to stay as it is.
        first: Its first line.
        end: The line behind its last; blank lines that follow are not part of it.
        names: Names of parameters or exceptions, without marks such as stars; most often one.
        names_fields: Where they are written; more than once if type and description have a line each.
        annotation: The type as written, without `optional` and its like; empty if none is.
        annotation_field: Where it is written.
        default: The default as written in a place of its own; empty if none is.
        default_field: Where it is written.
        section: Number of the section that contains it; entries only move within one.
    """

    kind: EntryKind
    first: int
    end: int
    names: tuple[str, ...] = ()
    names_fields: tuple[Field, ...] = ()
    annotation: str = ""
    annotation_field: Field | None = None
    default: str = ""
    default_field: Field | None = None
    section: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A section under a heading.

    Attributes:
        kind: What its entries are about.
        first: First line of the heading.
        body: First line below the heading.
        end: The line behind its last; blank lines that follow are not part of it.
    """

    kind: EntryKind
    first: int
    body: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The facts in a documentation text, top to bottom.

    Attributes:
        entries: Every entry.
        sections: Every section with entries; styles with tags have none.
    """

    entries: tuple[Entry, ...] = ()
    sections: tuple[Section, ...] = ()

    def of_kind(self, *kinds: EntryKind) -> list[Entry]:
        """Return the entries of these kinds."""
        return [entry for entry in self.entries if entry.kind in kinds]


class Style(Protocol):
    """A convention for documentation texts. Lines are contents without margins, so indentation counts from 0."""

    @property
    def name(self) -> str:
        """The name that the setting `codet5p.docstring.style` has for it."""

    def parse(self, lines: Sequence[str], /) -> Layout:
        """Return the facts in `lines`; none in a text of another style."""

    def parameter(self, fact: ParameterFact, sibling: Entry | None, lines: Sequence[str], /) -> list[str]:
        """Return the lines of a new entry, written as `sibling` in `lines` is; the description is left to people."""

    def raises(self, name: str, sibling: Entry | None, lines: Sequence[str], /) -> list[str]:
        """Return the lines of a new entry for an exception."""

    def returns(self, facts: Facts, /) -> list[str]:
        """Return the section or tag about the result's type; none in a style that leaves types to the signature."""

    def render(self, summary: str, facts: Facts, name: str, /) -> list[str]:
        """Return a whole text: the summary, and the facts about the function called `name`."""


def bare_name(name: str) -> str:
    """Return a parameter's name without the marks that languages and authors put around it."""
    return name.strip(" \t`'\"").lstrip("\\*&$.").rstrip(".:")


def blank_end(lines: Sequence[str], first: int, end: int) -> int:
    """Return `end` moved up over blank lines, at most to the line behind `first`."""
    while end > first + 1 and not lines[end - 1].strip():
        end -= 1
    return end


def core_type(written: str) -> str:
    """Return a type as written, without `optional` or a default behind it."""
    while (match := _QUALIFIER.search(written)) is not None:
        written = written[: match.start()]
    return written


def indent_width(line: str) -> int:
    """Return how many characters of white space `line` begins with."""
    return len(line) - len(line.lstrip())


def indent_of(sibling: Entry | None, lines: Sequence[str], otherwise: str = "") -> str:
    """Return the white space before an entry of `lines`, or `otherwise` if there is no such entry."""
    return lines[sibling.first][: indent_width(lines[sibling.first])] if sibling is not None else otherwise


def with_ends(starts: Sequence[int], end: int) -> list[tuple[int, int]]:
    """Return each start with the one behind it, the last with `end`; none if there is no start."""
    return list(zip(starts, [*starts[1:], end], strict=False))
