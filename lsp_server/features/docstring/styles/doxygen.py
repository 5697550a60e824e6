"""Doxygen: `@param name description`, with an at sign or a backslash and perhaps a direction."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import Entry, Layout, indent_of, indent_width
from codet5p.lsp_server.features.docstring.presenting import defaults_to
from codet5p.lsp_server.features.docstring.styles.tags import KINDS, tag_blocks, tag_entry, tags_of

__all__ = ["Doxygen"]

_PARAMETER = re.compile(
    r"[ \t]*[@\\]\w+(?:[ \t]*\[[ \t]*(?:in|out|inout|in[ \t]*,[ \t]*out)[ \t]*\])?[ \t]+(?P<names>\w+(?:,[ \t]*\w+)*)"
)
_ERROR = re.compile(r"[ \t]*[@\\]\w+[ \t]+(?P<names>[\w:.]+)")
_RESULT = re.compile(r"[ \t]*[@\\]\w+")


@dataclass(frozen=True, slots=True)
class Doxygen:
    """Commands of Doxygen, with either mark; a blank line ends a command's text.

    Source: Doxygen manual, special commands.
    """

    name: str = "doxygen"

    def parse(self, lines: Sequence[str]) -> Layout:
        """Return the facts in `lines`."""
        entries = []
        for tag, first, end in tag_blocks(lines, stops_at_blank=True):
            kind = KINDS.get(tag, "other")
            pattern = {"parameter": _PARAMETER, "raises": _ERROR}.get(kind, _RESULT)
            entries.append(tag_entry(kind, lines, (first, end), pattern))
        return Layout(entries=tuple(entries))

    def parameter(self, fact: ParameterFact, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `@param name Defaults to 3.` with the sibling's mark."""
        mark = _mark(sibling, lines)
        return [f"{indent_of(sibling, lines)}{mark}param {fact.name}{defaults_to(fact, before=' ')}"]

    def raises(self, name: str, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `@throws name` with the sibling's mark."""
        return [f"{indent_of(sibling, lines)}{_mark(sibling, lines)}throws {name}"]

    def returns(self, _facts: Facts) -> list[str]:
        """Return nothing: without a type there is no fact to state."""
        return []

    def render(self, summary: str, facts: Facts, _name: str) -> list[str]:
        """Return the summary, the parameters if a default can be told of one, and the exceptions."""
        return [summary, *tags_of(self, facts)]


def _mark(sibling: Entry | None, lines: Sequence[str]) -> str:
    return lines[sibling.first][indent_width(lines[sibling.first])] if sibling is not None else "@"
