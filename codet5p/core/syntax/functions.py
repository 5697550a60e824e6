"""The functions of a source text: where they are, what they are called, how they are called and what they do."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tree_sitter

from codet5p.core.syntax.documentation import Documentation, documentation_of_comment, documentation_of_docstring
from codet5p.core.syntax.languages import LANGUAGES, Language, grammar_of_path, parse, syntax_query
from codet5p.core.syntax.parameters import Parameter, parameters_of

__all__ = ["Function", "Parameter", "Span", "code_without_documentation", "extract_functions"]

_OPENERS = ("=>", "->", "{", ":", "=", ";")
_WORD = re.compile(r"\w+")
_MAX_BLANK_LINES = 1


class Span(NamedTuple):
    """A half-open range of characters, counted in Python characters and not in bytes or UTF-16 units."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """A function, method or constructor that has a body."""

    name: str
    container: str
    """Names of the enclosing classes joined by dots, or the Go receiver's type; empty at the top level."""
    language: str
    span: Span
    """Decorators, modifiers, signature and body, without a documentation comment above."""
    body: Span
    lines: tuple[int, int]
    """First and last line of `span`, counted from 0."""
    signature: str
    """Everything before the body, on one line; without the decorators of Python and TypeScript."""
    parameters: tuple[Parameter, ...]
    documentation: Documentation | None
    documentation_span: Span | None
    """The docstring's literal, or the comment from its first mark to its last."""

    @property
    def qualified_name(self) -> str:
        """The name with its container: `Parser.parse`."""
        return f"{self.container}.{self.name}" if self.container else self.name


def extract_functions(text: str, language: str, path: str = "") -> list[Function]:
    """Return the functions of `text` that have a body, in the order in which they start.

    Total: broken syntax yields fewer functions, never an exception.

    Args:
        text: Source text; lone surrogates are allowed.
        language: A key of `LANGUAGES`.
        path: The file's name, which tells TSX from TypeScript.

    Returns:
        The functions; nested ones are listed too, after the one they are in.

    Raises:
        ValueError: If the language is unknown.
    """
    grammar = grammar_of_path(language, path)
    source = text.encode("utf-8", "replace")
    root = parse(source, grammar).root_node
    captures = tree_sitter.QueryCursor(syntax_query(grammar)).captures(root)
    nodes = sorted(captures.get("function", []), key=lambda node: (node.start_byte, -node.end_byte))
    if not nodes:
        return []
    reader = _Reader(text, source, LANGUAGES[language], captures)
    return [function for node in nodes if (function := reader.read(node)) is not None]


def code_without_documentation(text: str, function: Function) -> str:
    """Return the function's code, dedented, with its docstring removed.

    Args:
        text: The text that `function` was extracted from.
        function: One of its functions.

    Returns:
        The code; a Python function that held nothing but a docstring gets the body `pass`.
    """
    start, end = function.span
    inside = function.documentation_span
    if inside is None or not (function.body.start <= inside.start and inside.end <= function.body.end):
        code = text[start:end]
    else:
        before, after = text[start : inside.start], text[inside.end : end].lstrip(" \t;")
        if not after.strip():
            code = before + "pass"
        elif after[0] in "\r\n":
            code = before.rstrip() + after.rstrip()
        else:
            code = before + after
    line_start = text.rfind("\n", 0, start) + 1
    indentation = text[line_start:start]
    return _dedent(code, indentation) if indentation and not indentation.strip() else code


def _dedent(code: str, indentation: str) -> str:
    lines = code.split("\n")
    return "\n".join([lines[0], *(line.removeprefix(indentation) for line in lines[1:])])


class _Comment(NamedTuple):
    start: int
    end: int


class _Reader:
    """Turns syntax nodes of one text into functions; holds what is computed once for the text."""

    def __init__(
        self, text: str, source: bytes, language: Language, captures: dict[str, list[tree_sitter.Node]]
    ) -> None:
        self._text = text
        self._source = source
        self._language = language
        self._offset = _character_offsets(text, source)
        self._comments = sorted(_Comment(*node.byte_range) for node in captures.get("comment", []))
        self._comment_ends = [comment.end for comment in self._comments]
        self._decorators = {node.end_byte: node.start_byte for node in captures.get("decorator", [])}
        self._containers = sorted(
            (node.start_byte, node.end_byte, self._slice(name.start_byte, name.end_byte))
            for node in captures.get("container", [])
            if (name := node.child_by_field_name("name")) is not None
        )

    def read(self, node: tree_sitter.Node) -> Function | None:
        """Return the function at `node`, or None if it lacks a name or body."""
        inner = _function_part(node)
        body = inner.child_by_field_name("body") or node.child_by_field_name("body")
        body_start, body_end = (body.start_byte, body.end_byte) if body else (inner.end_byte, inner.end_byte)
        name = self._name(node, inner)
        if not name:
            return None
        anchor = self._anchor(node)
        start = self._before_decorators(anchor.start_byte)
        documentation, documentation_span = self._documentation(start, body)
        signature_start = node.start_byte if anchor.type == "decorated_definition" else anchor.start_byte
        return Function(
            name=name,
            container=self._container(node),
            language=self._language.name,
            span=self._span(start, anchor.end_byte),
            body=self._span(body_start, body_end),
            lines=(anchor.start_point.row - self._source.count(b"\n", start, anchor.start_byte), anchor.end_point.row),
            signature=_signature(self._slice(signature_start, body_start)),
            parameters=parameters_of(inner, self._language.name, self._source),
            documentation=documentation,
            documentation_span=documentation_span,
        )

    def _slice(self, start: int, end: int) -> str:
        return self._source[start:end].decode("utf-8", "replace")

    def _span(self, start: int, end: int) -> Span:
        return Span(self._offset(start), self._offset(end))

    def _name(self, node: tree_sitter.Node, inner: tree_sitter.Node) -> str:
        if node.type == "function_definition" and node.child_by_field_name("declarator") is not None:
            return self._declarator_name(node)
        for candidate in (node,) if inner is node else (node, inner):
            for field in ("name", "property", "key", "left"):
                found = candidate.child_by_field_name(field)
                if found is not None:
                    text = self._slice(found.start_byte, found.end_byte)
                    return text.rsplit(".", 1)[-1].strip("'\"`[]") if field == "left" else text.strip("'\"`[]")
        if node.type == "export_statement":
            return "default"
        if node.type in {"operator_declaration", "conversion_operator_declaration"}:
            operator = node.child_by_field_name("operator") or node.child_by_field_name("type")
            return "operator " + self._slice(operator.start_byte, operator.end_byte) if operator else "operator"
        return self._declarator_name(node)

    def _declarator_name(self, node: tree_sitter.Node) -> str:
        """Return the name inside C declarators: `*(*f)(int)` gives `f`, `A::g` gives `g`; empty if nothing is called.

        The C grammar takes `namespace f {` and `struct MACRO f {` of a C++ header for functions without parentheses.
        """
        current = node.child_by_field_name("declarator")
        is_called = False
        while current is not None:
            if current.type == "operator_cast":
                return self._slice(current.start_byte, current.end_byte).split("(", 1)[0].strip()
            is_called = is_called or current.type == "function_declarator"
            following = current.child_by_field_name("name") if current.type == "qualified_identifier" else None
            following = following or current.child_by_field_name("declarator")
            if following is None and current.type.endswith(("_declarator", "reference_declarator")):
                following = next(iter(current.named_children), None)
            if following is None:
                return self._slice(current.start_byte, current.end_byte) if is_called else ""
            current = following
        return ""

    def _container(self, node: tree_sitter.Node) -> str:
        if self._language.name == "go" and (receiver := node.child_by_field_name("receiver")) is not None:
            words = _WORD.findall(self._slice(receiver.start_byte, receiver.end_byte).partition("[")[0])
            return words[-1] if words else ""
        position = bisect_right(self._containers, (node.start_byte, len(self._source) + 1, ""))
        names = [name for start, end, name in self._containers[:position] if end >= node.end_byte]
        return ".".join(names)

    def _anchor(self, node: tree_sitter.Node) -> tree_sitter.Node:
        """Return the outermost node that still is this function: its `export`, `template<>` or declaration."""
        anchor = node
        while (parent := anchor.parent) is not None and parent.type in self._language.wrappers:
            is_whole = parent.end_byte <= anchor.end_byte + 1
            if not is_whole and parent.type != "template_declaration":
                break
            anchor = parent
        return anchor

    def _before_decorators(self, start: int) -> int:
        """Return where the decorators right before `start` begin; TypeScript keeps them beside their method."""
        while self._decorators:
            end = len(self._source[:start].rstrip()) if start < 4096 else self._trimmed_end(start)
            if end not in self._decorators:
                break
            start = self._decorators[end]
        return start

    def _trimmed_end(self, start: int) -> int:
        window = self._source[start - 4096 : start]
        return start - len(window) + len(window.rstrip())

    def _documentation(self, start: int, body: tree_sitter.Node | None) -> tuple[Documentation | None, Span | None]:
        if self._language.comments == "docstring":
            literal = _docstring_node(body)
            if literal is None:
                return None, None
            text = self._slice(literal.start_byte, literal.end_byte)
            return documentation_of_docstring(text), self._span(literal.start_byte, literal.end_byte)
        comment = self._comment_above(start)
        if comment is None:
            return None, None
        text = self._slice(comment.start, comment.end)
        if not _ACCEPTS[self._language.comments](text):
            return None, None
        documentation = documentation_of_comment(text)
        return documentation, self._span(*comment) if documentation else None

    def _comment_above(self, start: int) -> _Comment | None:
        """Return the comment that ends right above `start`; consecutive line comments count as one."""
        index = bisect_right(self._comment_ends, start) - 1
        if index < 0 or not self._stands_above(self._comments[index], start, _MAX_BLANK_LINES):
            return None
        first, end = self._comments[index]
        if self._source.startswith((b"/*", b"=begin"), first):
            return _Comment(first, end)
        if self._source.count(b"\n", end, start) > 1 and not self._source.endswith(b"\n", first, end):
            return None
        for comment in reversed(self._comments[:index][-_MAX_COMMENT_LINES:]):
            mark = b"//" if self._source.startswith(b"//", first) else b"#"
            if not self._source.startswith(mark, comment.start) or not self._stands_above(comment, first, 0):
                break
            first = comment.start
        return _Comment(first, end)

    def _stands_above(self, comment: _Comment, start: int, blank_lines: int) -> bool:
        """Tell whether only white space parts `comment` from `start` and it has its line for itself."""
        gap = self._source[comment.end : start]
        line = self._source[self._source.rfind(b"\n", 0, comment.start) + 1 : comment.start]
        ends_line = self._source.endswith(b"\n", comment.start, comment.end)
        return not gap.strip() and not line.strip() and gap.count(b"\n") + ends_line <= blank_lines + 1


_MAX_COMMENT_LINES = 200
_ACCEPTS: dict[str, Callable[[str], bool]] = {
    "block": lambda text: text.startswith("/**"),
    "any": lambda _: True,
    "hash": lambda text: text.startswith(("#", "=begin")),
    "xml": lambda text: text.startswith(("///", "/**")),
}


def _function_part(node: tree_sitter.Node) -> tree_sitter.Node:
    """Return the function itself where a declaration, assignment or property holds it."""
    for field in ("value", "right"):
        value = node.child_by_field_name(field)
        if value is not None and value.type in {"arrow_function", "function_expression", "generator_function"}:
            return value
    return node


def _docstring_node(body: tree_sitter.Node | None) -> tree_sitter.Node | None:
    for child in _statements(body):
        if child.type == "comment":
            continue
        if child.type == "expression_statement" and child.named_child_count == 1:
            child = child.named_children[0]  # noqa: PLW2901 - the statement is nothing but its expression
        return child if child.type == "string" else None
    return None


def _statements(body: tree_sitter.Node | None) -> Iterator[tree_sitter.Node]:
    for index in range(body.named_child_count if body is not None else 0):
        child = body.named_child(index) if body is not None else None
        if child is not None:
            yield child


def _signature(text: str) -> str:
    line = " ".join(text.split())
    opener = next((mark for mark in _OPENERS if line.endswith(mark)), "")
    return line.removesuffix(opener).rstrip()


def _character_offsets(text: str, source: bytes) -> Callable[[int], int]:
    """Return the function from byte offsets of `source` to character offsets of `text`."""
    if len(text) == len(source):
        return int
    starts = (np.frombuffer(source, np.uint8) & 0xC0) != 0x80
    before = np.concatenate(([0], np.cumsum(starts, dtype=np.int64)))
    return lambda offset: int(before[offset])
