"""Javadoc: `@param name description`; types stand in the signature only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import Entry, Layout, indent_of
from codet5p.lsp_server.features.docstring.styles.tags import KINDS, tag_blocks, tag_entry, tags_of

__all__ = ["Javadoc"]

_NAMED = re.compile(r"[ \t]*@\w+[ \t]+(?P<names>[\w.]+)")
_RESULT = re.compile(r"[ \t]*@\w+")


@dataclass(frozen=True, slots=True)
class Javadoc:
    """Tags of Javadoc; `@param <T>` is about a type and left alone.

    Source: Oracle, Documentation Comment Specification for the Standard Doclet.
    """

    name: str = "javadoc"

    def parse(self, lines: Sequence[str]) -> Layout:
        """Return the facts in `lines`."""
        entries = []
        for tag, first, end in tag_blocks(lines):
            kind = KINDS.get(tag, "other")
            pattern = _NAMED if kind in {"parameter", "raises"} else _RESULT
            entries.append(tag_entry(kind, lines, (first, end), pattern))
        return Layout(entries=tuple(entries))

    def parameter(self, fact: ParameterFact, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `@param name`."""
        return [f"{indent_of(sibling, lines)}@param {fact.name}"]

    def raises(self, name: str, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `@throws Name`."""
        return [f"{indent_of(sibling, lines)}@throws {name}"]

    def returns(self, _facts: Facts) -> list[str]:
        """Return nothing: without a type there is no fact to state."""
        return []

    def render(self, summary: str, facts: Facts, _name: str) -> list[str]:
        """Return the summary and a tag for each exception, the only fact that a Javadoc comment adds."""
        return [summary, *tags_of(self, facts)]
