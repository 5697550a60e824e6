"""JSDoc and TSDoc: `@param {type} name - description`, the type left out where the signature has it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import Entry, Field, Layout, indent_of
from codet5p.lsp_server.features.docstring.presenting import defaults_to, result_kind, result_type
from codet5p.lsp_server.features.docstring.styles.tags import KINDS, tag_blocks, tag_entry, tags_of

__all__ = ["Jsdoc"]

_TYPE = r"\{(?P<type>(?:[^{}]|\{[^{}]*\})*)\}"
_PARAMETER = re.compile(
    rf"[ \t]*@\w+[ \t]+(?:{_TYPE}[ \t]*)?\[?[ \t]*(?P<names>[\w$]+)(?:[ \t]*=[ \t]*(?P<default>[^\]]*))?"
)
_PROPERTY = re.compile(rf"[ \t]*@\w+[ \t]+(?:{_TYPE}[ \t]*)?\[?[ \t]*(?P<names>[\w$]+)(?:\.\w|\[\])")
_RESULT = re.compile(rf"[ \t]*@\w+(?:[ \t]+{_TYPE})?")
_ERROR = re.compile(r"[ \t]*@\w+[ \t]+\{(?P<names>[\w.]+)\}")


@dataclass(frozen=True, slots=True)
class Jsdoc:
    """Tags of JSDoc; properties such as `options.depth` belong to the parameter above them.

    Source: JSDoc 3, block tags; TSDoc.
    """

    name: str = "jsdoc"

    def parse(self, lines: Sequence[str]) -> Layout:
        """Return the facts in `lines`."""
        entries: list[Entry] = []
        for tag, first, end in tag_blocks(lines):
            kind = KINDS.get(tag, "other")
            last = entries[-1] if entries else None
            if kind == "parameter" and (match := _PROPERTY.match(lines[first])) is not None:
                if last is not None and last.names == (match["names"],) and last.end == first:
                    names_fields = (*last.names_fields, Field(first, *match.span("names")))
                    entries[-1] = replace(last, end=end, names_fields=names_fields)
                continue
            pattern = {"parameter": _PARAMETER, "raises": _ERROR}.get(kind, _RESULT)
            entries.append(tag_entry(kind, lines, (first, end), pattern))
        return Layout(entries=tuple(entries))

    def parameter(self, fact: ParameterFact, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `@param {type} [name=3]` if the sibling has a type, else `@param name - Defaults to 3.`."""
        indent, default = indent_of(sibling, lines), defaults_to(fact)
        if sibling is None or not sibling.annotation:  # TSDoc knows no brackets
            return [f"{indent}@param {fact.name}{' - ' if default else ''}{default}"]
        annotation = f"{{{fact.marker}{fact.annotation}}} " if fact.annotation else ""
        value = default.removeprefix("Defaults to ").removesuffix(".")
        return [f"{indent}@param {annotation}{f'[{fact.name}={value}]' if value else fact.name}"]

    def raises(self, name: str, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `@throws {Name}`."""
        return [f"{indent_of(sibling, lines)}@throws {{{name}}}"]

    def returns(self, facts: Facts) -> list[str]:
        """Return `@returns {type}`."""
        return [f"@{result_kind(facts)} {{{result_type(facts)}}}"]

    def render(self, summary: str, facts: Facts, _name: str) -> list[str]:
        """Return the summary, the parameters if a default can be told of one, and the exceptions."""
        return [summary, *tags_of(self, facts)]
