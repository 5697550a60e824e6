"""YARD: `@param name [Type] description`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import Entry, Field, Layout, indent_of
from codet5p.lsp_server.features.docstring.presenting import defaults_to
from codet5p.lsp_server.features.docstring.styles.tags import KINDS, tag_blocks, tag_entry, tags_of

__all__ = ["Yard"]

_PARAMETER = re.compile(r"[ \t]*@\w+[ \t]+(?:\[[^\]]*\][ \t]+)?(?P<names>[*&]{0,2}\w+):?")
_OPTION = re.compile(r"[ \t]*@option[ \t]+(?P<names>\w+)")
_ERROR = re.compile(r"[ \t]*@\w+[ \t]+\[(?P<names>[\w:, ]+)\]")
_RESULT = re.compile(r"[ \t]*@\w+")


@dataclass(frozen=True, slots=True)
class Yard:
    """Tags of YARD; an `@option` belongs to the parameter above it.

    Source: YARD, Tags Overview.
    """

    name: str = "yard"

    def parse(self, lines: Sequence[str]) -> Layout:
        """Return the facts in `lines`."""
        entries: list[Entry] = []
        for tag, first, end in tag_blocks(lines):
            kind = KINDS.get(tag, "other")
            last = entries[-1] if entries else None
            option = _OPTION.match(lines[first]) if last is not None and last.end == first else None
            if last is not None and option is not None and last.names == (option["names"],):
                field = Field(first, *option.span("names"))
                entries[-1] = replace(last, end=end, names_fields=(*last.names_fields, field))
                continue
            pattern = {"parameter": _PARAMETER, "raises": _ERROR}.get(kind, _RESULT)
            entries.append(tag_entry(kind, lines, (first, end), pattern))
        return Layout(entries=tuple(entries))

    def parameter(self, fact: ParameterFact, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `@param name Defaults to 3.`."""
        return [f"{indent_of(sibling, lines)}@param {fact.name}{defaults_to(fact, before=' ')}"]

    def raises(self, name: str, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `@raise [Name]`."""
        return [f"{indent_of(sibling, lines)}@raise [{name}]"]

    def returns(self, _facts: Facts) -> list[str]:
        """Return nothing: without a type there is no fact to state."""
        return []

    def render(self, summary: str, facts: Facts, _name: str) -> list[str]:
        """Return the summary, the parameters if a default can be told of one, and the exceptions."""
        return [summary, *tags_of(self, facts)]
