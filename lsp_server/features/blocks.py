"""Where a block can be suggested, where it ends, and what of it is worth showing."""

from collections.abc import Sequence

from codet5p.lsp_server.features import filters
from codet5p.lsp_server.features.indentation import indentation_of, indentation_step
from codet5p.lsp_server.features.soundness import keeps_syntax
from codet5p.lsp_server.features.surroundings import Surroundings, surroundings_of
from codet5p.lsp_server.features.syntax import SyntaxTree

__all__ = ["BlockEnd", "block_to_show", "is_after_opener", "is_block_place"]

_OPENERS = (":", "{", "(", "[", "=>", "->")
_WORD_OPENERS = ("do", "then", "else", "begin", "ensure")
_RUBY_OPENERS = ("def ", "class ", "module ", "if ", "unless ", "while ", "until ", "case ", "when ", "for ")
_CLOSERS = frozenset(")]};,")


def is_block_place(text: str, offset: int) -> bool:
    """Return whether nothing but white space stands on the line of the cursor."""
    around = surroundings_of(text, offset)
    return not (around.line + around.rest).strip()


def is_after_opener(text: str, offset: int, grammar: str | None) -> bool:
    """Return whether the cursor stands in the empty body of what the line above opened.

    Args:
        text: The document.
        offset: The cursor, in Python characters.
        grammar: Name of the grammar, where there is one; Ruby opens with words.

    Returns:
        True where the line above opens a block and the line below is no deeper than it.
    """
    around = surroundings_of(text, offset)
    if (around.line + around.rest).strip() or not around.visible_above:
        return False
    opener = around.visible_above[-1]
    below = around.visible_below[0] if around.visible_below else ""
    if below and _width(indentation_of(below)) > _width(indentation_of(opener)):
        return False
    code = opener.strip()
    if grammar == "ruby" and (code.startswith(_RUBY_OPENERS) or code.endswith("|")):
        return True
    return code.endswith(_OPENERS) or code.split()[-1] in _WORD_OPENERS


class BlockEnd:
    """Watches a block being written and says when it is over."""

    def __init__(self, line: str, max_lines: int) -> None:
        """Watch a block that begins at the cursor.

        Args:
            line: The white space left of the cursor.
            max_lines: Most lines of the block.
        """
        self._width = _width(line)
        self._max_lines = max_lines
        self._text = line

    def is_reached(self, piece: str) -> bool:
        """Return whether `piece`, the next that was written, leaves the block: by indentation or for its length."""
        self._text += piece
        lines = self._text.split("\n")
        if len(lines) > self._max_lines:
            return True
        last = lines[-1]
        return bool(len(lines) > 1 and last.strip() and _width(indentation_of(last)) < self._width)


def block_to_show(text: str, offset: int, generated: str, *, is_finished: bool, tree: SyntaxTree | None) -> str:
    """Return the block to suggest, or the empty string where silence is better.

    Args:
        text: The document.
        offset: The cursor, in Python characters, on a line with nothing else on it.
        generated: What the model wrote.
        is_finished: Whether it came to an end by itself; otherwise the last line is half a line.
        tree: Syntax tree of the document; without one the syntax is not looked at.

    Returns:
        Lines without a line end behind the last, in the style of the document's line ends; as many as keep the syntax.
    """
    around = surroundings_of(text, offset)
    lines = _own_lines(generated, around, indentation_step(text), is_finished=is_finished)
    lines = _before_what_stands_there(lines, around)
    line_end = "\r\n" if "\r\n" in text else "\n"
    while lines:
        block = line_end.join(lines)
        if tree is None or keeps_syntax(tree, text, offset, block):
            return block
        lines = _without_blank_end(lines[:-1])
    return ""


def _own_lines(generated: str, around: Surroundings, step: str, *, is_finished: bool) -> list[str]:
    """Return the lines up to the first that leaves the block."""
    lines = (around.line + generated).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not is_finished and not set(lines[-1].strip()) <= _CLOSERS:
        lines = lines[:-1]
    width = _width(around.line)
    own: list[str] = []
    for line in lines:
        if line.strip() and own and _width(indentation_of(line)) < width:
            if set(line.strip()) <= _CLOSERS and _width(indentation_of(line)) >= width - _width(step):
                own.append(line.rstrip())
            break
        if filters.is_repetition(line, [other for other in own if other.strip()]):
            break
        own.append(line.rstrip())
    own = _without_blank_end(own)
    return [own[0][len(around.line) :], *own[1:]] if own and own[0].strip() else []


def _before_what_stands_there(lines: list[str], around: Surroundings) -> list[str]:
    """Return the lines up to the first that the document has below."""
    for number, line in enumerate(lines):
        whole = around.line + line if number == 0 else line
        if whole.strip() and filters.repeats_following(whole, around.visible_below):
            return _without_blank_end(lines[:number])
    return lines


def _without_blank_end(lines: Sequence[str]) -> list[str]:
    kept = list(lines)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _width(indentation: str) -> int:
    return len(indentation.expandtabs(4))
