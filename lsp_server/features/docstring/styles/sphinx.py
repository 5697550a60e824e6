"""Sphinx style: fields such as `:param int name: description`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import Entry, EntryKind, Field, Layout, bare_name, indent_of
from codet5p.lsp_server.features.docstring.presenting import defaults_to, result_type

__all__ = ["Sphinx"]

_KINDS: dict[str, EntryKind] = {
    **dict.fromkeys(("param", "parameter", "arg", "argument", "key", "keyword", "kwarg"), "parameter"),
    **dict.fromkeys(("type", "kwtype"), "type"),
    **dict.fromkeys(("raises", "raise", "except", "exception"), "raises"),
    **dict.fromkeys(("return", "returns"), "returns"),
    **dict.fromkeys(("yield", "yields"), "yields"),
    "rtype": "returns",
}
_FIELD = re.compile(
    r"[ \t]*:(?P<tag>[a-z]+)(?:[ \t]+(?P<argument>[^:]*?(?<=\S)))?[ \t]*:(?=\s|$)[ \t]*(?P<text>.*?)\s*$"
)
_TYPED = re.compile(r"(?:(?P<type>.*\S)[ \t]+)?(?P<names>\S+)$")


@dataclass(frozen=True, slots=True)
class Sphinx:
    """Field lists of reStructuredText.

    Source: Sphinx, Python domain, info field lists.
    """

    name: str = "sphinx"

    def parse(self, lines: Sequence[str]) -> Layout:
        """Return the facts in `lines`."""
        return Layout(entries=tuple(_joined(_fields(lines))))

    def parameter(self, fact: ParameterFact, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return a `:param:` field, the type in it or in a `:type:` field as the sibling has it, or not at all."""
        indent = indent_of(sibling, lines)
        field = sibling.annotation_field if sibling is not None else None
        is_inside = sibling is not None and field is not None and field.line == sibling.first
        annotation = f"{fact.annotation} " if is_inside and fact.annotation else ""
        written = [f"{indent}:param {annotation}{fact.name}:{defaults_to(fact, before=' ')}"]
        if fact.annotation and not is_inside and (sibling is None or field is not None):
            written.append(f"{indent}:type {fact.name}: {fact.annotation}")
        return written

    def raises(self, name: str, sibling: Entry | None, lines: Sequence[str]) -> list[str]:
        """Return `:raises Error:`."""
        return [f"{indent_of(sibling, lines)}:raises {name}:"]

    def returns(self, facts: Facts) -> list[str]:
        """Return an `:rtype:` field."""
        return [f":rtype: {result_type(facts)}"]

    def render(self, summary: str, facts: Facts, _name: str) -> list[str]:
        """Return the summary and a field for each fact."""
        lines: list[str] = []
        if any(fact.annotation or fact.default for fact in facts.parameters):
            lines += [line for fact in facts.parameters for line in self.parameter(fact, None, ())]
        if facts.returns_value and facts.returns:
            lines += self.returns(facts)
        lines += [f":raises {error}:" for error in facts.raises]
        return [summary, "", *lines] if lines else [summary]


def _fields(lines: Sequence[str]) -> Iterator[Entry]:
    for first, line in enumerate(lines):
        match = _FIELD.match(line)
        if match is None:
            continue
        end = first + 1
        while end < len(lines) and lines[end].strip() and not _FIELD.match(lines[end]):
            end += 1
        yield _entry(match, first, end)


def _entry(match: re.Match[str], first: int, end: int) -> Entry:
    kind = _KINDS.get(match["tag"], "other")
    if match["tag"].endswith("type"):
        return _type_entry(match, kind, first, end)
    typed = _TYPED.match(match["argument"] or "") if kind in {"parameter", "raises"} else None
    if typed is None:
        return Entry(kind="other" if kind in {"parameter", "raises"} else kind, first=first, end=end)
    offset = match.start("argument")
    annotation = typed["type"] or ""
    return Entry(
        kind=kind,
        first=first,
        end=end,
        names=tuple(bare_name(name) for name in typed["names"].split(",")),
        names_fields=(_field_at(first, typed, "names", offset),),
        annotation=annotation,
        annotation_field=_field_at(first, typed, "type", offset) if annotation else None,
    )


def _type_entry(match: re.Match[str], kind: EntryKind, first: int, end: int) -> Entry:
    """Return a `:type name:` or `:rtype:` field; a type of several lines is left alone."""
    has_type = bool(match["text"]) and end == first + 1
    return Entry(
        kind=kind,
        first=first,
        end=end,
        names=(bare_name(match["argument"]),) if match["argument"] else (),
        names_fields=(_field_at(first, match, "argument"),) if match["argument"] else (),
        annotation=match["text"] if has_type else "",
        annotation_field=_field_at(first, match, "text") if has_type else None,
    )


def _field_at(line: int, match: re.Match[str], group: str, offset: int = 0) -> Field:
    start, end = match.span(group)
    return Field(line, offset + start, offset + end)


def _joined(entries: Iterator[Entry]) -> list[Entry]:
    """Return the entries, a `:type:` field right behind its parameter made part of that entry."""
    joined: list[Entry] = []
    for entry in entries:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.kind == "parameter"
            and last.end == entry.first
            and (entry.kind == "type" and entry.names == last.names)
        ):
            joined[-1] = replace(
                last,
                end=entry.end,
                names_fields=last.names_fields + entry.names_fields,
                annotation=entry.annotation,
                annotation_field=entry.annotation_field,
            )
        else:
            joined.append(entry)
    return joined
