"""Whether a suggestion leaves the document as readable as it was."""

import time

import tree_sitter

from codet5p.core.syntax.endings import endings
from codet5p.lsp_server.features.surroundings import line_end, line_start
from codet5p.lsp_server.features.syntax import SyntaxTree

__all__ = ["keeps_syntax"]

_TIME_LIMIT_SECONDS = 0.05  # of this thread's own work


def keeps_syntax(tree: SyntaxTree, text: str, offset: int, suggestion: str) -> bool:
    """Return whether a parser finds no more errors with `suggestion` than without it.

    The line may go on below it: what counts is the best of the ways in which it could (see `endings`). And it is the
    line that is judged: where the document can be read without it, it must be with the suggestion.

    Args:
        tree: Syntax tree of the document.
        text: The document.
        offset: The cursor, in Python characters.
        suggestion: What is to be inserted there.

    Returns:
        False where every ending leaves more errors; True also where judging took too long.
    """
    deadline = time.thread_time() + _TIME_LIMIT_SECONDS
    start, end = line_start(text, offset), line_end(text, offset)
    allowed = min(_errors(tree, text), _errors(tree, text[:start] + text[end:]))
    before, rest, after = text[:offset] + suggestion, text[offset:end], text[end:]
    last_line = before[line_start(before, len(before)) :]
    for ending in endings(tree.language, last_line, rest):
        if _errors(tree, before + rest + ending + after) <= allowed or time.thread_time() > deadline:
            return True
    return False


def _errors(tree: SyntaxTree, text: str) -> int:
    """Return the number of places of `text` that could not be read."""
    count, pending = 0, [tree.edited(text.encode("utf-8", "replace")).tree.root_node]
    while pending:
        node: tree_sitter.Node = pending.pop()
        count += node.is_error or node.is_missing
        if node.has_error:
            pending.extend(node.children)
    return count
