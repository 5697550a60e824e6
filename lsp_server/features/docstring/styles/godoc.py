"""Go: plain sentences that begin with the function's name; no facts have a place of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact
from codet5p.lsp_server.features.docstring.layout import Entry, Layout

__all__ = ["Godoc"]


@dataclass(frozen=True, slots=True)
class Godoc:
    """Doc comments of Go.

    Source: The Go Programming Language, Go Doc Comments.
    """

    name: str = "go"

    def parse(self, _lines: Sequence[str]) -> Layout:
        """Return no facts: all of it is prose."""
        return Layout()

    def parameter(self, _fact: ParameterFact, _sibling: Entry | None, _lines: Sequence[str]) -> list[str]:
        """Return nothing: parameters are described in sentences."""
        return []

    def raises(self, _name: str, _sibling: Entry | None, _lines: Sequence[str]) -> list[str]:
        """Return nothing: errors are results."""
        return []

    def returns(self, _facts: Facts) -> list[str]:
        """Return nothing: results are described in sentences."""
        return []

    def render(self, summary: str, _facts: Facts, name: str) -> list[str]:
        """Return the summary as a sentence about `name`."""
        return [summary if summary.startswith(f"{name} ") else f"{name} {summary[:1].lower()}{summary[1:]}"]
