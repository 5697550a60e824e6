"""From what the model wrote to what is worth showing: the rules of `filters` in their order."""

from codet5p.core.syntax.brackets import end_of_balance, open_brackets
from codet5p.lsp_server.features import filters
from codet5p.lsp_server.features.indentation import indentation_step, repaired_indentation
from codet5p.lsp_server.features.soundness import keeps_syntax
from codet5p.lsp_server.features.surroundings import Surroundings, surroundings_of
from codet5p.lsp_server.features.syntax import SyntaxTree

__all__ = ["line_to_show"]

_MIN_CHARACTERS = 2
_BLOCKS_OUT_OF_SIGHT = "{" * 8


def line_to_show(text: str, offset: int, generated: str, *, is_finished: bool, tree: SyntaxTree | None) -> str:
    """Return the line to suggest, or the empty string where silence is better.

    Args:
        text: The document.
        offset: The cursor, in Python characters.
        generated: What the model wrote.
        is_finished: Whether it came to an end by itself.
        tree: Syntax tree of the document; without one the syntax is not looked at.

    Returns:
        Text without a line end, for the cursor.
    """
    around = surroundings_of(text, offset)
    line = filters.cut_to_line(generated, is_finished=is_finished)
    line = repaired_indentation(
        line,
        around.line,
        around.visible_above[-1] if around.visible_above else "",
        indentation_step(text),
        is_strict=tree is not None and tree.language == "python",
    )
    line = _balanced(filters.without_overlap(line, around.rest), around)
    if len(line.strip()) < _MIN_CHARACTERS or _says_nothing_new(around.line + line, around):
        return ""
    return line if tree is None or keeps_syntax(tree, text, offset, line) else ""


def _balanced(line: str, around: Surroundings) -> str:
    """Return `line` up to the first bracket that closes more than is open and not closed right of the cursor."""
    opened = open_brackets("\n".join((*around.above, around.line)))
    if not around.is_from_start:
        opened = _BLOCKS_OUT_OF_SIGHT + opened
    closed_already = sum(character in ")]}" for character in around.rest)
    return line[: end_of_balance(line, opened[closed_already:])].rstrip()


def _says_nothing_new(line: str, around: Surroundings) -> bool:
    return filters.repeats_following(line, around.visible_below) or filters.is_repetition(line, around.visible_above)
