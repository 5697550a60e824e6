"""Where a documentation text disagrees with the signature it stands at.

A text is held only to what it does itself: one that lists no parameters misses none, and one without types need not
name any. What the syntax cannot disprove, such as an exception from deeper down, is left alone.
"""

import builtins
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import Entry, Layout, bare_name
from codet5p.lsp_server.features.docstring.presenting import result_type
from codet5p.lsp_server.features.docstring.type_agreement import disagrees

__all__ = ["Differences", "find_differences"]

_RECEIVERS = frozenset({"self", "cls", "this"})
_TYPED_IN_SIGNATURE = frozenset({"php"})
"""Languages whose tags people write where they tell more than the type in the signature, and leave out otherwise."""
_ALIKE = 0.6
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_LITERAL = re.compile(r"(?:[-+]?[\d._]+|True|False|true|false|\"[^\"]*\"|'[^']*')$")
_NOTHING = re.compile(r"[\W_]*(?:None|Nothing|void|undefined)\b", re.IGNORECASE)
_RESULT = re.compile(r"\b(?:return|yield)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Differences:
    """What has to change in a documentation text.

    Attributes:
        missing: Parameters that it does not list.
        stale: Names that it lists and the signature does not have.
        renamed: Old and new names of parameters that were renamed in their place.
        retyped: Entries with another type, and the type.
        defaulted: Entries with another default in a place of its own, and the default.
        is_out_of_order: Whether it lists parameters in another order.
        missing_raises: Exceptions that it does not list among others.
        misses_result: Whether it gives types of parameters but none of the result.
        stale_results: Entries about the result of a function without one.
    """

    missing: tuple[ParameterFact, ...] = ()
    stale: frozenset[str] = frozenset()
    renamed: tuple[tuple[str, str], ...] = ()
    retyped: tuple[tuple[Entry, str], ...] = ()
    defaulted: tuple[tuple[Entry, str], ...] = ()
    is_out_of_order: bool = False
    missing_raises: tuple[str, ...] = ()
    misses_result: bool = False
    stale_results: tuple[Entry, ...] = ()

    def messages(self) -> list[str]:
        """Return one clause about each difference; none if there is none."""
        lines = [f"{old!r} is now called {new!r}" for old, new in self.renamed]
        lines += [f"{fact.name!r} is not documented" for fact in self.missing]
        lines += [f"{name!r} is not a parameter" for name in sorted(self.stale)]
        lines += [f"{', '.join(entry.names) or 'the result'} is of type {new}" for entry, new in self.retyped]
        lines += [f"the default of {', '.join(entry.names)} is {new}" for entry, new in self.defaulted]
        lines += ["the parameters stand in another order"] * self.is_out_of_order
        lines += [f"{name} is raised and not documented" for name in self.missing_raises]
        lines += ["the result is not documented"] * self.misses_result
        lines += ["a result is documented and none is returned"] * bool(self.stale_results)
        return lines


def find_differences(
    layout: Layout, lines: Sequence[str], facts: Facts, language: str, known_names: Collection[str]
) -> Differences:
    """Return where `lines` disagree with `facts`.

    Args:
        layout: The facts that `lines` state.
        lines: The contents of a documentation text.
        facts: What the syntax says.
        language: A key of `LANGUAGES`.
        known_names: Names of types in the code of the file.

    Returns:
        The differences; none where the signature could not be read.
    """
    if not facts.is_certain:
        return Differences()
    entries = layout.of_kind("parameter")
    lists_parameters = any(entry.names for entry in entries) or any(s.kind == "parameter" for s in layout.sections)
    documented = [name for entry in entries for name in entry.names]
    by_name = {bare_name(fact.name): fact for fact in facts.parameters}
    stale = [name for name in documented if name not in by_name and name not in _RECEIVERS]
    missing = [name for name, fact in by_name.items() if name not in documented and fact.wants_documentation]
    if not lists_parameters:
        missing = []
    if language in _TYPED_IN_SIGNATURE and sum(bool(by_name[name].annotation) for name in missing) > 1:
        missing = [name for name in missing if not by_name[name].annotation]
    renamed = dict(_renamed(entries, list(by_name.values()), stale, missing))
    if facts.takes_unlisted_names:
        unlisted = set(stale) - renamed.keys()
        missing = [name for name in missing if not unlisted or by_name[name].marker not in {"*", "...", "**"}]
        stale = []
    return Differences(
        missing=tuple(by_name[name] for name in missing if name not in renamed.values()),
        stale=frozenset(stale) - renamed.keys(),
        renamed=tuple(renamed.items()),
        retyped=tuple(_retyped(layout, facts, renamed, language, known_names)),
        defaulted=tuple(_defaulted(entries, by_name, renamed)),
        is_out_of_order=any(_is_out_of_order(group, by_name, renamed) for group in _by_section(entries)),
        missing_raises=tuple(_missing_raises(layout, facts)),
        misses_result=language not in _TYPED_IN_SIGNATURE and _misses_result(layout, lines, facts),
        stale_results=tuple(_stale_results(layout, lines, facts)),
    )


def _renamed(
    entries: Sequence[Entry], parameters: Sequence[ParameterFact], stale: Sequence[str], missing: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield old and new name where one parameter took the place of one other and surely is the same."""
    documented = [name for entry in entries for name in entry.names]
    signature = [bare_name(fact.name) for fact in parameters]
    kept = set(documented) & set(signature)
    is_only_change = len(stale) == len(missing) == 1
    for old in stale:
        gap = _neighbours(documented, old, kept)
        olds = [name for name in stale if _neighbours(documented, name, kept) == gap]
        news = [name for name in missing if _neighbours(signature, name, kept) == gap]
        if is_only_change and _is_alike(old, missing[0]):
            yield old, missing[0]  # it may have moved too
        elif len(olds) == len(news) == 1:
            entry = next(entry for entry in entries if old in entry.names)
            annotation = next(fact.annotation for fact in parameters if bare_name(fact.name) == news[0])
            has_same_type = entry.annotation and entry.annotation.replace(" ", "") == annotation.replace(" ", "")
            if _is_alike(old, news[0]) or (is_only_change and has_same_type):
                yield old, news[0]


def _neighbours(names: Sequence[str], name: str, kept: set[str]) -> tuple[str, str]:
    """Return the names that are kept right before and behind `name`; empty at the ends."""
    index = names.index(name)
    before = next((other for other in reversed(names[:index]) if other in kept), "")
    return before, next((other for other in names[index + 1 :] if other in kept), "")


def _is_alike(old: str, new: str) -> bool:
    """Tell whether two names look like two spellings of one thing: `idx` and `index`, `lr` and `learning_rate`."""
    words = [[word.lower() for word in _WORDS.findall(name)] for name in (old, new)]
    if any(len(word) >= 3 for word in set(words[0]) & set(words[1])):
        return True
    initials = ["".join(word[0] for word in parts) for parts in words]
    if len(min(old, new, key=len)) > 1 and (initials[0] == new.lower() or initials[1] == old.lower()):
        return True
    return SequenceMatcher(None, old.lower(), new.lower()).ratio() >= _ALIKE


def _retyped(
    layout: Layout, facts: Facts, renamed: dict[str, str], language: str, known_names: Collection[str]
) -> Iterator[tuple[Entry, str]]:
    annotations = {bare_name(fact.name): fact.annotation for fact in facts.parameters}
    for entry in layout.of_kind("parameter", "type"):
        if len(entry.names) == 1:
            actual = annotations.get(renamed.get(entry.names[0], entry.names[0]), "")
            if disagrees(entry.annotation, actual, language, known_names):
                yield entry, actual
    for entry in layout.of_kind("returns", "yields"):
        actual = result_type(facts) if entry.kind == "yields" else facts.returns
        possible = {actual, result_type(facts)} if facts.returns_value else set()
        if possible and all(disagrees(entry.annotation, one, language, known_names) for one in possible):
            yield entry, actual


def _defaulted(
    entries: Sequence[Entry], by_name: dict[str, ParameterFact], renamed: dict[str, str]
) -> Iterator[tuple[Entry, str]]:
    for entry in entries:
        fact = by_name.get(renamed.get(entry.names[0], entry.names[0])) if len(entry.names) == 1 else None
        if fact is None or not _LITERAL.match(entry.default) or not _LITERAL.match(fact.default):
            continue
        if _value(entry.default) != _value(fact.default):
            yield entry, fact.default


def _value(literal: str) -> float | str:
    """Return what a literal stands for, so that `1.` is `1.0` and either kind of quote is as good."""
    try:
        return float(literal)
    except ValueError:
        return literal.strip("'\"")


def _by_section(entries: Sequence[Entry]) -> list[list[Entry]]:
    return [[e for e in entries if e.section == number] for number in dict.fromkeys(e.section for e in entries)]


def _is_out_of_order(entries: Sequence[Entry], by_name: dict[str, ParameterFact], renamed: dict[str, str]) -> bool:
    order = list(by_name)
    names = (renamed.get(name, name) for entry in entries for name in entry.names[:1])
    places = [order.index(name) for name in names if name in by_name]
    return places != sorted(places)


def _missing_raises(layout: Layout, facts: Facts) -> Iterator[str]:
    documented = {_last(name) for entry in layout.of_kind("raises") for name in entry.names}
    for name in facts.raises if documented else ():
        if not documented & {_last(name), *_superclasses(_last(name))}:
            yield name


def _last(name: str) -> str:
    return re.split(r"\W+", name)[-1]


def _superclasses(name: str) -> set[str]:
    found = getattr(builtins, name, None)
    return {base.__name__ for base in found.__mro__} if isinstance(found, type) else {"Exception"}


def _misses_result(layout: Layout, lines: Sequence[str], facts: Facts) -> bool:
    shows_types = any(entry.annotation for entry in layout.of_kind("parameter", "type"))
    if not shows_types or not facts.returns or not facts.returns_value or layout.of_kind("returns", "yields"):
        return False
    return not any(_RESULT.search(line) for line in lines)


def _stale_results(layout: Layout, lines: Sequence[str], facts: Facts) -> Iterator[Entry]:
    if facts.returns_value is not False:
        return
    entries = layout.of_kind("returns")
    if not any(_says_nothing(entry, layout, lines) for entry in entries):
        yield from entries


def _says_nothing(entry: Entry, layout: Layout, lines: Sequence[str]) -> bool:
    """Tell whether an entry says that there is no result, which is no mistake."""
    body = next((section.body for section in layout.sections if section.first == entry.first), entry.first)
    text = " ".join(lines[body : entry.end])
    return bool(_NOTHING.match(re.sub(r"^\s*[@\\:<]\w+[:>]?", "", text)))
