"""Cutting long files at definitions, so that they are split rather than dropped."""

from collections.abc import Iterator

import numpy as np
import tree_sitter

from codet5p.core.syntax.languages import parse
from codet5p.training.corpus.text_rules import token_starts

__all__ = ["split_at_definitions"]

_MAX_DEPTH = 6


def split_at_definitions(text: str, grammar: str, max_tokens: int) -> list[str]:
    """Return `text` as consecutive pieces of at most `max_tokens` lexical tokens where its syntax allows.

    Cuts fall between declarations at the top level; a declaration that alone is too long, such as a class, is cut
    between its members. The pieces joined give `text` again; a single statement longer than the limit stays whole.

    Args:
        text: Source text.
        grammar: A key of `LANGUAGES`, or `tsx`.
        max_tokens: Limit of a piece.

    Returns:
        At least one piece.
    """
    source = text.encode("utf-8", "replace")
    splitter = _Splitter(source, max_tokens)
    atoms = splitter.atoms(parse(source, grammar).root_node, 0, len(source), 0)
    return [source[start:end].decode("utf-8", "replace") for start, end in splitter.pack(list(atoms))]


class _Splitter:
    """Cuts one text; token positions are found once and counted by bisection."""

    def __init__(self, source: bytes, max_tokens: int) -> None:
        self._source = source
        self._max_tokens = max_tokens
        self._starts = token_starts(source)

    def atoms(self, node: tree_sitter.Node, start: int, end: int, depth: int) -> Iterator[tuple[int, int]]:
        """Yield consecutive ranges that cover `start` to `end`, each ending with a line that ends a child."""
        position = start
        for child in node.children if node.child_count else ():
            line_end = self._source.find(b"\n", child.end_byte, end)
            stop = end if line_end < 0 or child.end_byte > end else line_end + 1
            if stop <= position:
                continue
            if depth < _MAX_DEPTH and child.child_count and self._tokens(position, stop) > self._max_tokens:
                yield from self.atoms(child, position, stop, depth + 1)
            else:
                yield position, stop
            position = stop
        if position < end:
            yield position, end

    def pack(self, atoms: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Yield ranges made of as many neighbouring atoms as fit."""
        start = end = tokens = 0
        for atom_start, atom_end in atoms:
            size = self._tokens(atom_start, atom_end)
            if tokens and tokens + size > self._max_tokens:
                yield start, end
                start, tokens = atom_start, 0
            end, tokens = atom_end, tokens + size
        yield start, end

    def _tokens(self, start: int, end: int) -> int:
        low, high = np.searchsorted(self._starts, (start, end))
        return int(high - low)
