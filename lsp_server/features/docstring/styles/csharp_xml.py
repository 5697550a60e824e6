"""C#: XML elements such as `<param name="x">description</param>`."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import Entry, EntryKind, Field, Layout, bare_name, indent_of
from codet5p.lsp_server.features.docstring.presenting import defaults_to

__all__ = ["CsharpXml"]

_KINDS: dict[str, EntryKind] = {"param": "parameter", "returns": "returns", "exception": "raises"}
_ELEMENT = re.compile(r"<(?P<tag>param|returns|exception)\b(?:[^<>]*?(?:name|cref)=\"(?P<names>[^\"<>]*)\")?[^<>]*>")


@dataclass(frozen=True, slots=True)
class CsharpXml:
    """Elements of C# documentation comments.

    Source: ECMA-334, annex D.
    """

    name: str = "xml"

    def parse(self, lines: Sequence[str]) -> Layout:
        """Return the facts in `lines`."""
        return Layout(entries=tuple(_elements(lines)))

    def parameter(self, fact: ParameterFact, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `<param name="x">Defaults to 3.</param>`."""
        default = html.escape(defaults_to(fact), quote=False)
        return [f'{indent_of(sibling, lines)}<param name="{fact.name}">{default}</param>']

    def raises(self, name: str, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return an `<exception>` element."""
        return [f'{indent_of(sibling, lines)}<exception cref="{name}"></exception>']

    def returns(self, _facts: Facts) -> list[str]:
        """Return nothing: without a type there is no fact to state."""
        return []

    def render(self, summary: str, facts: Facts, _name: str) -> list[str]:
        """Return the summary, the parameters if a default can be told of one, and the exceptions."""
        lines = ["<summary>", html.escape(summary, quote=False), "</summary>"]
        if any(defaults_to(fact) for fact in facts.parameters):
            lines += [line for fact in facts.parameters for line in self.parameter(fact, None, ())]
        return lines + [line for error in facts.raises for line in self.raises(error, None, ())]


def _elements(lines: Sequence[str]) -> Iterator[Entry]:
    """Yield the elements that begin a line; one with other text around it is left alone."""
    for first, line in enumerate(lines):
        for match in _ELEMENT.finditer(line):
            end = _end(lines, first, match)
            is_alone = not line[: match.start()].strip() and line.count("<" + match["tag"]) == 1
            kind = _KINDS[match["tag"]] if end is not None and is_alone else "other"
            names = (bare_name(re.sub(r"^\w:", "", match["names"])),) if match["names"] else ()
            field = Field(first, *match.span("names"))
            yield Entry(
                kind=kind, first=first, end=end or first + 1, names=names, names_fields=(field,) if names else ()
            )


def _end(lines: Sequence[str], first: int, match: re.Match[str]) -> int | None:
    """Return the line behind the element that `match` opens, or None if it does not end at the end of a line."""
    if match[0].endswith("/>"):
        return first + 1 if not lines[first][match.end() :].strip() else None
    closing = f"</{match['tag']}>"
    for index in range(first, len(lines)):
        if closing in lines[index]:
            return index + 1 if lines[index].rstrip().endswith(closing) else None
    return None
