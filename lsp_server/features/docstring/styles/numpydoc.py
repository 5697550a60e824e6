"""NumPy style: underlined sections, entries such as `name : type` with an indented description."""

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

__all__ = ["Numpydoc"]

_HEADINGS: dict[str, EntryKind] = {
    "parameters": "parameter",
    "other parameters": "parameter",
    "returns": "returns",
    "yields": "yields",
    "raises": "raises",
}
_UNDERLINE = re.compile(r"[ \t]*[-=]{3,}[ \t]*$")
_NAME = r"(?:\\?\*{0,2}\w+|\.{3})"
_PARAMETER = re.compile(
    rf"[ \t]*(?P<names>`?{_NAME}`?(?:[ ]*,[ ]*`?{_NAME}`?)*)[ \t]*"
    r"(?::(?:[ \t]+(?P<type>\S.*?))?)?(?:,[ \t]*default[ :=]+(?P<default>\S.*?))?[ \t]*$"
)
_ERROR = re.compile(r"[ \t]*(?P<names>[A-Za-z_][\w.]*)[ \t]*:?[ \t]*$")
_RESULT = re.compile(r"[ \t]*(?:\w+[ \t]*:[ \t]+)?(?P<type>\S.*?)[ \t]*$")


@dataclass(frozen=True, slots=True)
class Numpydoc:
    """Sections with an underlined heading.

    Source: numpydoc, style guide.
    """

    name: str = "numpy"

    def parse(self, lines: Sequence[str]) -> Layout:
        """Return the facts in `lines`."""
        sections = list(_sections(lines))
        entries = [
            entry for number, section in enumerate(sections) for entry in _entries(lines, section, number=number)
        ]
        return Layout(entries=tuple(entries), sections=tuple(sections))

    def parameter(self, fact: ParameterFact, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `name : type, default 3`, the type only if the sibling has one."""
        shows_type = sibling is None or bool(sibling.annotation)
        default = defaults_to(fact).removeprefix("Defaults to ").removesuffix(".")
        facts = [fact.annotation if shows_type else "", f"default {default}" if default else ""]
        written = ", ".join(part for part in facts if part)
        return [f"{indent_of(sibling, lines)}{fact.marker}{fact.name}{' : ' if written else ''}{written}"]

    def raises(self, name: str, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `Error`."""
        return [f"{indent_of(sibling, lines)}{name}"]

    def returns(self, facts: Facts) -> list[str]:
        """Return a section `Returns` or `Yields` with the type."""
        return ["", *_heading("Yields" if result_kind(facts) == "yields" else "Returns"), result_type(facts)]

    def render(self, summary: str, facts: Facts, _name: str) -> list[str]:
        """Return the summary and a section for each kind of fact."""
        lines = [summary]
        if any(fact.annotation or fact.default for fact in facts.parameters):
            entries = (line for fact in facts.parameters for line in self.parameter(fact, None, ()))
            lines += ["", *_heading("Parameters"), *entries]
        if facts.returns_value and facts.returns:
            lines += self.returns(facts)
        if facts.raises:
            lines += ["", *_heading("Raises"), *facts.raises]
        return lines


def _heading(name: str) -> list[str]:
    return [name, "-" * len(name)]


def _sections(lines: Sequence[str]) -> Iterator[Section]:
    headings = [
        index
        for index in range(len(lines) - 1)
        if lines[index].strip() and _UNDERLINE.match(lines[index + 1]) and not _UNDERLINE.match(lines[index])
    ]
    for first, following in with_ends(headings, len(lines)):
        kind = _HEADINGS.get(lines[first].strip().lower())
        if kind is None:
            continue
        end = next(
            (
                i
                for i in range(first + 2, following)
                if lines[i].strip() and indent_width(lines[i]) < indent_width(lines[first])
            ),
            following,
        )
        yield Section(kind=kind, first=first, body=first + 2, end=blank_end(lines, first + 1, end))


def _entries(lines: Sequence[str], section: Section, *, number: int) -> Iterator[Entry]:
    if section.kind in {"returns", "yields"}:
        yield _result(lines, section, number)
        return
    pattern = _PARAMETER if section.kind == "parameter" else _ERROR
    width = indent_width(lines[section.first])
    starts = {
        index: match
        for index in range(section.body, section.end)
        if indent_width(lines[index]) == width and (match := pattern.match(lines[index])) is not None
    }
    for first, following in with_ends(list(starts), section.end):
        match = starts[first]
        groups = match.groupdict()
        annotation = core_type(groups.get("type") or "")
        start = match.start("type") if annotation else 0
        yield Entry(
            kind=section.kind,
            first=first,
            end=blank_end(lines, first, following),
            names=tuple(bare_name(name) for name in match["names"].split(",")),
            names_fields=(Field(first, *match.span("names")),),
            annotation=annotation,
            annotation_field=Field(first, start, start + len(annotation)) if annotation else None,
            default=groups.get("default") or "",
            default_field=Field(first, *match.span("default")) if groups.get("default") else None,
            section=number,
        )


def _result(lines: Sequence[str], section: Section, number: int) -> Entry:
    """Return the whole section; its type can be told only where it lists one result with a description below."""
    width = indent_width(lines[section.first])
    body = range(section.body, section.end)
    items = [index for index in body if lines[index].strip() and indent_width(lines[index]) == width]
    match = _RESULT.match(lines[items[0]]) if len(items) == 1 and items[0] == section.body else None
    return Entry(
        kind=section.kind,
        first=section.first,
        end=section.end,
        annotation=match["type"] if match else "",
        annotation_field=Field(items[0], *match.span("type")) if match else None,
        section=number,
    )
