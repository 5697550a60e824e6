"""Bringing a documentation text up to date with the signature; what people wrote stays as it is.

Source lines are moved, removed or put in as a whole; within a line only a name, a type or a default is replaced. All
else is byte for byte what it was.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import tree_sitter

from codet5p.core.syntax import Function, extract_functions
from codet5p.core.syntax.languages import grammar, grammar_of_path, parse
from codet5p.lsp_server.features.docstring.comment import Comment, Line, read_comment
from codet5p.lsp_server.features.docstring.differences import Differences, find_differences
from codet5p.lsp_server.features.docstring.facts import Facts, read_facts
from codet5p.lsp_server.features.docstring.layout import Entry, Field, Layout, Style, bare_name
from codet5p.lsp_server.features.docstring.styles import style_of_text

__all__ = ["Update", "apply_updates", "find_update", "parses_as_well"]

_TYPE_NAMES = {
    "python": "[(identifier) @name]",
    "typescript": "[(type_identifier) @name]",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """A new documentation text for one function.

    Attributes:
        start: Offset of the first character to replace.
        end: Offset behind the last.
        text: What takes their place.
        reasons: What was wrong, one clause each.
    """

    start: int
    end: int
    text: str
    reasons: tuple[str, ...]


def find_update(text: str, function: Function, path: str = "") -> Update | None:
    """Return the update that the documentation of `function` needs, or None.

    Args:
        text: The text that `function` was extracted from.
        function: One of its functions.
        path: The file's name, as given to `extract_functions`.

    Returns:
        The update; None if there is no documentation, it states no facts, or all of them are right.
    """
    comment = read_comment(text, function)
    style = style_of_text(comment.contents, function.language) if comment is not None else None
    if comment is None or style is None or not comment.can_grow:
        return None
    layout = style.parse(comment.contents)
    if any(after.first < before.end for before, after in zip(layout.entries, layout.entries[1:], strict=False)):
        return None  # two entries on one line cannot be parted
    facts = read_facts(text, function, path)
    names = _type_names(text, function.language, path)
    differences = find_differences(layout, comment.contents, facts, function.language, names)
    reasons = differences.messages()
    if not reasons:
        return None
    lines = _Revision(comment, layout, style, facts, differences).lines()
    new_text = comment.text_with(lines)
    if not lines or new_text == text[comment.start : comment.end]:
        return None
    return Update(start=comment.start, end=comment.end, text=new_text, reasons=tuple(reasons))


def apply_updates(text: str, updates: Collection[Update]) -> str:
    """Return `text` with every update made; they must not overlap."""
    for update in sorted(updates, key=lambda update: update.start, reverse=True):
        text = text[: update.start] + update.text + text[update.end :]
    return text


def parses_as_well(old: str, new: str, language: str, path: str = "") -> bool:
    """Tell whether `new` has the functions of `old`, and no more syntax errors."""
    name = grammar_of_path(language, path)
    signatures = [
        [(function.qualified_name, function.signature) for function in extract_functions(text, language, path)]
        for text in (old, new)
    ]
    return signatures[0] == signatures[1] and _count_errors(new, name) <= _count_errors(old, name)


@lru_cache(maxsize=2)
def _type_names(text: str, language: str, path: str = "") -> frozenset[str]:
    """Return the names in the code that may be types; comments and strings do not count."""
    if language not in _TYPE_NAMES:
        return frozenset()
    name = grammar_of_path(language, path)
    query = tree_sitter.Query(grammar(name), _TYPE_NAMES[language])
    captures = tree_sitter.QueryCursor(query).captures(parse(text.encode("utf-8", "replace"), name).root_node)
    return frozenset(node.text.decode("utf-8", "replace") for node in captures.get("name", []) if node.text)


def _count_errors(text: str, name: str) -> int:
    root = parse(text.encode("utf-8", "replace"), name).root_node
    if not root.has_error:
        return 0
    query = tree_sitter.Query(grammar(name), "[(ERROR) (MISSING)] @error")
    return len(tree_sitter.QueryCursor(query).captures(root).get("error", []))


class _Revision:
    """The lines of one comment while they are being changed; indices are those of the comment as it was."""

    def __init__(self, comment: Comment, layout: Layout, style: Style, facts: Facts, differences: Differences) -> None:
        self._comment = comment
        self._contents = comment.contents
        self._layout = layout
        self._style = style
        self._facts = facts
        self._differences = differences
        self._renamed = dict(differences.renamed)
        self._order = [bare_name(fact.name) for fact in facts.parameters]
        self._removed: set[int] = set()
        self._put_in: defaultdict[int, list[str]] = defaultdict(list)
        self._moved: dict[int, tuple[int, ...]] = {}
        self._slots: dict[str, Entry] = {}

    def lines(self) -> list[Line]:
        """Return the new lines."""
        self._remove()
        for section in dict.fromkeys(entry.section for entry in self._layout.of_kind("parameter")):
            self._sort(section)
        self._add_parameters()
        self._add_raises()
        self._add_result()
        return self._assemble(self._rewritten())

    def _is_gone(self, entry: Entry) -> bool:
        if entry.kind in {"parameter", "type"}:
            return bool(entry.names) and all(name in self._differences.stale for name in entry.names)
        return entry in self._differences.stale_results

    def _remove(self) -> None:
        """Remove what is stale; a section goes with its last entry."""
        gone = {index for entry in self._layout.entries if self._is_gone(entry) for index in _span(entry)}
        for section in self._layout.sections:
            body = {index for index in range(section.body, section.end) if self._contents[index].strip()}
            if body and body <= gone and not (section.kind == "parameter" and self._differences.missing):
                gone |= set(range(section.first, section.end))
        for first, end in _runs(gone):
            self._removed |= set(range(*self._with_blank_lines(first, end)))

    def _with_blank_lines(self, first: int, end: int) -> tuple[int, int]:
        """Return a run of lines to remove, with the blank lines that parted it from one of its neighbours."""
        if first == 0 or self._contents[first - 1].strip():
            return first, end
        following = end
        while following < len(self._contents) and not self._contents[following].strip():
            following += 1
        if following < len(self._contents):
            return first, following
        while first > 0 and not self._contents[first - 1].strip():
            first -= 1
        return first, end

    def _sort(self, section: int) -> None:
        """Let the entries of a section trade places until they stand in the signature's order."""
        placed = [
            (self._order.index(name), name, entry)
            for entry in self._layout.of_kind("parameter")
            if entry.section == section
            and (name := next((n for n in map(self._current, entry.names) if n in self._order), None)) is not None
        ]
        slots = [entry for _, _, entry in placed]
        for slot, (_, _, entry) in zip(slots, sorted(placed, key=lambda one: one[0]), strict=True):
            self._slots |= {self._current(name): slot for name in entry.names}
            if slot is not entry:
                self._moved[slot.first] = tuple(_span(entry))
                self._removed |= set(_span(slot))

    def _current(self, name: str) -> str:
        return self._renamed.get(name, name)

    def _add_parameters(self) -> None:
        """Put each missing parameter behind the one that it follows in the signature."""
        entries = self._layout.of_kind("parameter")
        has_gaps = self._has_gaps(list(self._slots.values()))
        for fact in self._differences.missing:
            place = self._order.index(bare_name(fact.name))
            before = next((self._slots[name] for name in reversed(self._order[:place]) if name in self._slots), None)
            sibling = before or next(iter(entries), None)
            new = self._style.parameter(fact, sibling, self._contents)
            if before is not None:
                self._put_in[before.end] += [""] * has_gaps + new
            elif entries:
                self._put_in[entries[0].first] += new + [""] * has_gaps
            else:
                section = next(section for section in self._layout.sections if section.kind == "parameter")
                self._put_in[section.body] += new

    def _has_gaps(self, slots: Sequence[Entry]) -> bool:
        """Tell whether blank lines part the entries."""
        ends = sorted({slot.end for slot in slots})[:-1]
        return bool(ends) and all(not self._contents[end].strip() for end in ends)

    def _add_raises(self) -> None:
        for name in self._differences.missing_raises:
            sibling = self._layout.of_kind("raises")[-1]
            self._put_in[sibling.end] += self._style.raises(name, sibling, self._contents)

    def _add_result(self) -> None:
        if self._differences.misses_result:
            last = self._layout.of_kind("parameter", "type")[-1]
            self._put_in[last.end] += self._style.returns(self._facts)

    def _rewritten(self) -> list[Line]:
        """Return the comment's lines with names, types and defaults replaced, none moved yet."""
        edits: defaultdict[int, list[tuple[Field, str]]] = defaultdict(list)
        for entry in self._layout.of_kind("parameter", "type"):
            for field in entry.names_fields if not self._is_gone(entry) else ():
                edits[field.line].append(
                    (field, self._names(entry, self._contents[field.line][field.start : field.end]))
                )
        for entry, annotation in self._differences.retyped:
            if entry.annotation_field is not None and not self._is_gone(entry):
                edits[entry.annotation_field.line].append((entry.annotation_field, annotation))
        for entry, default in self._differences.defaulted:
            if entry.default_field is not None:
                edits[entry.default_field.line].append((entry.default_field, default))
        lines = list(self._comment.lines)
        for index, replacements in edits.items():
            content = lines[index].content
            for field, new in sorted(replacements, reverse=True):
                content = content[: field.start] + new + content[field.end :]
            lines[index] = replace(lines[index], content=content)
        return lines

    def _names(self, entry: Entry, written: str) -> str:
        """Return the names of an entry as written, renamed ones replaced and stale ones left out."""
        if self._differences.stale & set(entry.names):
            parts = (part.strip() for part in written.split(","))
            written = ", ".join(part for part in parts if bare_name(part) not in self._differences.stale)
        for name in entry.names:
            written = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", self._current(name), written)
        return written

    def _assemble(self, lines: Sequence[Line]) -> list[Line]:
        result: list[tuple[int, Line]] = []
        for index in range(len(lines) + 1):
            result += [(-1, Line(content=content)) for content in self._put_in.get(index, ())]
            kept = self._moved.get(index, () if index in self._removed or index == len(lines) else (index,))
            result += [(origin, lines[origin]) for origin in kept]
        # The first line stood behind the opener, without a margin of its own.
        return [
            replace(line, margin=None) if origin == 0 and place > 0 else line
            for place, (origin, line) in enumerate(result)
        ]


def _span(entry: Entry) -> range:
    return range(entry.first, entry.end)


def _runs(indices: Collection[int]) -> list[tuple[int, int]]:
    """Return the runs of consecutive numbers, as first and end."""
    ordered = sorted(indices)
    starts = [index for index in ordered if index - 1 not in indices]
    ends = [index + 1 for index in ordered if index + 1 not in indices]
    return list(zip(starts, ends, strict=True))
