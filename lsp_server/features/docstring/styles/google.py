"""Google style: sections such as `Args:` with an indented entry for each name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import (
    Entry,
    EntryKind,
    Field,
    Layout,
    Section,
    bare_name,
    blank_end,
    core_type,
    indent_of,
    indent_width,
    with_ends,
)
from codet5p.lsp_server.features.docstring.presenting import defaults_to, result_kind, result_type

__all__ = ["Google"]

_HEADINGS: dict[str, EntryKind] = {
    "args": "parameter",
    "arguments": "parameter",
    "parameters": "parameter",
    "params": "parameter",
    "keyword args": "parameter",
    "keyword arguments": "parameter",
    "other parameters": "parameter",
    "returns": "returns",
    "return": "returns",
    "yields": "yields",
    "yield": "yields",
    "raises": "raises",
    "raise": "raises",
}
_HEADING = re.compile(r"(?P<indent>[ \t]*)(?P<name>[A-Z][A-Za-z]*(?: [A-Za-z]+)?):[ \t]*$")
_NAME = r"\\?\*{0,2}\w[\w.]*"
_ENTRY = re.compile(
    rf"[ \t]*(?P<names>`*{_NAME}`*(?:,[ ]*{_NAME})*)[ \t]*"
    r"(?:\((?P<type>(?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\))?[ \t]*:(?=\s|$)"
)
_RESULT = re.compile(r"[ \t]*(?P<type>[^:\s][^:]*?):(?=[ \t]|$)")
_NO_NAMES = frozenset({"Note", "Notes", "Warning", "Example", "Examples", "Important", "Tip", "Default", "Defaults"})
_STEP = "    "


@dataclass(frozen=True, slots=True)
class Google:
    """Sections with a heading and a colon.

    Source: Google Python Style Guide, section 3.8.
    """

    name: str = "google"

    def parse(self, lines: Sequence[str]) -> Layout:
        """Return the facts in `lines`."""
        sections = list(_sections(lines))
        entries = [
            entry for number, section in enumerate(sections) for entry in _entries(lines, section, number=number)
        ]
        return Layout(entries=tuple(entries), sections=tuple(sections))

    def parameter(self, fact: ParameterFact, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `name (type): Defaults to 3.`, the type only if the sibling has one."""
        shows_type = sibling is None or bool(sibling.annotation)
        annotation = f" ({fact.annotation})" if fact.annotation and shows_type else ""
        return [
            f"{indent_of(sibling, lines, _STEP)}{fact.marker}{fact.name}{annotation}:{defaults_to(fact, before=' ')}"
        ]

    def raises(self, name: str, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `Error:`."""
        return [f"{indent_of(sibling, lines, _STEP)}{name}:"]

    def returns(self, facts: Facts) -> list[str]:
        """Return a section `Returns:` or `Yields:` with the type."""
        heading = "Yields:" if result_kind(facts) == "yields" else "Returns:"
        return ["", heading, f"{_STEP}{result_type(facts)}:"]

    def render(self, summary: str, facts: Facts, _name: str) -> list[str]:
        """Return the summary and a section for each kind of fact."""
        lines = [summary]
        if any(fact.annotation or fact.default for fact in facts.parameters):
            lines += ["", "Args:", *(line for fact in facts.parameters for line in self.parameter(fact, None, ()))]
        if facts.returns_value and facts.returns:
            lines += self.returns(facts)
        if facts.raises:
            lines += ["", "Raises:", *(line for error in facts.raises for line in self.raises(error, None, ()))]
        return lines


def _sections(lines: Sequence[str]) -> Iterator[Section]:
    for first, line in enumerate(lines):
        heading = _HEADING.match(line)
        kind = _HEADINGS.get(heading["name"].lower()) if heading else None
        if heading is None or kind is None:
            continue
        end = first + 1
        while end < len(lines) and (not lines[end].strip() or indent_width(lines[end]) > len(heading["indent"])):
            end += 1
        yield Section(kind=kind, first=first, body=first + 1, end=blank_end(lines, first, end))


def _entries(lines: Sequence[str], section: Section, *, number: int) -> Iterator[Entry]:
    if section.kind in {"returns", "yields"}:
        yield _result(lines, section, number)
        return
    body = [index for index in range(section.body, section.end) if lines[index].strip()]
    if not body:
        return
    width = indent_width(lines[body[0]])
    starts = [index for index in body if indent_width(lines[index]) == width and _starts_entry(lines[index])]
    for first, following in with_ends(starts, section.end):
        match = _ENTRY.match(lines[first])
        assert match is not None
        annotation = core_type(match["type"] or "")
        start = match.start("type")
        yield Entry(
            kind=section.kind,
            first=first,
            end=blank_end(lines, first, following),
            names=tuple(bare_name(name) for name in match["names"].split(",")),
            names_fields=(Field(first, *match.span("names")),),
            annotation=annotation,
            annotation_field=Field(first, start, start + len(annotation)) if annotation else None,
            section=number,
        )


def _starts_entry(line: str) -> bool:
    match = _ENTRY.match(line)
    return match is not None and match["names"] not in _NO_NAMES


def _result(lines: Sequence[str], section: Section, number: int) -> Entry:
    line = section.body
    match = _RESULT.match(lines[line]) if line < section.end else None
    return Entry(
        kind=section.kind,
        first=section.first,
        end=section.end,
        annotation=match["type"] if match else "",
        annotation_field=Field(line, *match.span("type")) if match else None,
        section=number,
    )
