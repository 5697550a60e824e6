"""How facts are worded in documentation texts, the same in every style."""

import re

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import EntryKind

__all__ = ["defaults_to", "result_kind", "result_type"]

_LONGEST_DEFAULT = 40
_UNSAFE = re.compile(r"[\\<>]|\"\"\"|'''|\*/|/\*")
_YIELDED = re.compile(r"(?:\w+\.)*(?:Async)?(?:Iterator|Iterable|Generator)\[(?P<inside>.*)\]$")


def defaults_to(fact: ParameterFact, *, before: str = "") -> str:
    """Return `Defaults to 3.` with `before` in front; empty without a default, or with one unfit for a comment."""
    if not fact.default or fact.default in {"None", "null", "nil", "undefined"}:
        return ""
    if len(fact.default) > _LONGEST_DEFAULT or _UNSAFE.search(fact.default):
        return ""
    return f"{before}Defaults to {fact.default}."


def result_kind(facts: Facts) -> EntryKind:
    """Return whether the function's result is documented as what it returns or as what it yields."""
    return "yields" if facts.is_generator else "returns"


def result_type(facts: Facts) -> str:
    """Return the type of what the function returns, or of one thing it yields; empty if it is not written."""
    match = _YIELDED.match(facts.returns) if facts.is_generator else None
    if match is None:
        return facts.returns
    depth = 0
    for index, character in enumerate(match["inside"]):
        depth += (character in "[(") - (character in "])")
        if character == "," and depth == 0:
            return match["inside"][:index].strip()
    return match["inside"].strip()
