"""PHPDoc: `@param type $name description`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import Entry, Layout, indent_of
from codet5p.lsp_server.features.docstring.presenting import defaults_to
from codet5p.lsp_server.features.docstring.styles.tags import KINDS, tag_blocks, tag_entry

__all__ = ["Phpdoc"]

_PARAMETER = re.compile(r"[ \t]*@\w+[ \t]+(?:(?P<type>[^\s$&.][^$]*?)[ \t]+)?&?(?:\.\.\.)?(?P<names>\$\w+)")
_RESULT = re.compile(r"[ \t]*@\w+[ \t]+(?P<type>(?:[^\s<{(]|<[^>]*>|\{[^}]*\}|\([^)]*\))+)")
_ERROR = re.compile(r"[ \t]*@\w+[ \t]+(?P<names>[\\\w]+)")


@dataclass(frozen=True, slots=True)
class Phpdoc:
    """Tags of PHPDoc.

    Source: PHP-FIG, PSR-19 (draft).
    """

    name: str = "phpdoc"

    def parse(self, lines: Sequence[str]) -> Layout:
        """Return the facts in `lines`."""
        entries = []
        for tag, first, end in tag_blocks(lines):
            kind = KINDS.get(tag, "other")
            pattern = {"parameter": _PARAMETER, "raises": _ERROR}.get(kind, _RESULT)
            entries.append(tag_entry(kind, lines, (first, end), pattern))
        return Layout(entries=tuple(entries))

    def parameter(self, fact: ParameterFact, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `@param type $name Defaults to 3.`, the type only if the sibling has one."""
        shows_type = sibling is None or bool(sibling.annotation)
        annotation = f"{fact.annotation} " if fact.annotation and shows_type else ""
        marker = "..." if fact.marker == "..." else ""
        written = f"@param {annotation}{marker}{fact.name}{defaults_to(fact, before=' ')}"
        return [indent_of(sibling, lines) + written]

    def raises(self, name: str, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `@throws Name`."""
        return [f"{indent_of(sibling, lines)}@throws {name}"]

    def returns(self, facts: Facts) -> list[str]:
        """Return `@return type`."""
        return [f"@return {facts.returns}"]

    def render(self, summary: str, facts: Facts, _name: str) -> list[str]:
        """Return the summary and a tag for each fact."""
        tags: list[str] = []
        if any(fact.annotation or fact.default for fact in facts.parameters):
            tags += [line for fact in facts.parameters for line in self.parameter(fact, None, ())]
        if facts.returns_value and facts.returns:
            tags += self.returns(facts)
        tags += [line for error in facts.raises for line in self.raises(error, None, ())]
        return [summary, "", *tags] if tags else [summary]
