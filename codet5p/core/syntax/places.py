"""What a cursor stands in: code, a comment, or a string."""

import re
from typing import Literal

import tree_sitter

__all__ = ["Place", "place_at"]

Place = Literal["code", "comment", "string"]

_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
_STRINGS = frozenset({
    "string", "string_literal", "raw_string_literal", "interpreted_string_literal", "interpolated_string_expression",
    "verbatim_string_literal", "template_string", "encapsed_string", "heredoc", "heredoc_body", "nowdoc",
    "concatenated_string", "char_literal", "character_literal", "rune_literal", "bare_string", "subshell", "regex",
    "regex_literal",
})  # fmt: skip
_INTERPOLATIONS = frozenset({"interpolation", "template_substitution"})
_STRING = r"""(?P<quote>\"""|\'\'\'|["'`])(?:\\.|(?!(?P=quote)).)*(?P<end>(?P=quote)|$)"""
_HASH = re.compile(rf"{_STRING}|(?P<comment>#)")
_SLASHES = re.compile(rf"{_STRING}|/\*.*?\*/|(?P<comment>//|/\*)")
_PHP = re.compile(rf"{_STRING}|/\*.*?\*/|(?P<comment>//|/\*|#(?!\[))")
_TOKENS = {"python": _HASH, "ruby": _HASH, "php": _PHP}


def place_at(tree: tree_sitter.Tree, source: bytes, offset: int, language: str) -> Place:
    """Return what stands around an offset.

    The tree knows comments and strings that are closed, over many lines too; one that is still open is no node of it,
    so the line itself is read as well.

    Args:
        tree: Syntax tree of `source`.
        source: The text in UTF-8.
        offset: The cursor, in bytes of `source`.
        language: A key of `LANGUAGES`, or `tsx`.

    Returns:
        The place. Behind the last quote of a string, or between the braces of an interpolation, it is `code`.
    """
    node = tree.root_node.descendant_for_byte_range(max(offset - 1, 0), offset)
    while node is not None:
        if node.type in _INTERPOLATIONS and node.start_byte < offset < node.end_byte:
            return "code"
        if (place := _place_inside(node, source, offset)) is not None:
            return place
        node = node.parent
    return _place_in_line(source, offset, language) if tree.root_node.has_error else "code"


def _place_inside(node: tree_sitter.Node, source: bytes, offset: int) -> Place | None:
    if not node.start_byte < offset <= node.end_byte:
        return None
    if node.type in _COMMENTS:
        is_block = source[node.start_byte : node.start_byte + 2] == b"/*"
        return None if is_block and offset == node.end_byte else "comment"
    return "string" if node.type in _STRINGS and offset < node.end_byte else None


def _place_in_line(source: bytes, offset: int, language: str) -> Place:
    """Return the place at the end of a line that the tree does not understand."""
    line = source[source.rfind(b"\n", 0, offset) + 1 : offset].decode("utf-8", "replace")
    for match in _TOKENS.get(language, _SLASHES).finditer(line):
        if match["comment"]:
            return "comment"
        if match["quote"] and not match["end"]:
            return "string"
    return "code"
