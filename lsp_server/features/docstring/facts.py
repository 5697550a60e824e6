"""What a function's syntax says about it: parameters, result and exceptions, never what they mean."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from codet5p.core.syntax import Function, inner_declarator
from codet5p.core.syntax.languages import grammar_of_path, parse

__all__ = ["Facts", "ParameterFact", "function_node", "read_facts"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterFact:
    """One parameter.

    Attributes:
        name: Its name, without marks.
        marker: `*` and `**` of Python and Ruby, `...` of the others, `&` of a Ruby block; empty for the rest.
        annotation: Its type as written, on one line; empty if none is.
        default: Its default as written, on one line; empty if there is none.
    """

    name: str
    marker: str = ""
    annotation: str = ""
    default: str = ""

    @property
    def wants_documentation(self) -> bool:
        """Whether a list of parameters has to have it; unused names, blocks and `**rest` may be left out."""
        return not self.name.startswith("_") and self.marker not in {"&", "*", "**"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is certain about a function.

    Attributes:
        is_certain: Whether the signature could be read; broken syntax tells nothing.
        parameters: In the order of the signature, without `self` and `cls`; destructured ones are left out.
        has_patterns: Whether there are arguments that have no name in the signature, and in a text whichever the author
            likes: destructured ones, and JavaScript's `arguments`.
        returns: Its return type as written, on one line; empty if none is.
        returns_value: Whether it gives back a value; None where that cannot be told, as in an abstract method.
        is_generator: Whether it yields.
        raises: Exceptions raised in its own body and not caught there, or declared; in order, each once.
    """

    is_certain: bool = True
    parameters: tuple[ParameterFact, ...] = ()
    has_patterns: bool = False
    returns: str = ""
    returns_value: bool | None = None
    is_generator: bool = False
    raises: tuple[str, ...] = ()

    @property
    def takes_unlisted_names(self) -> bool:
        """Whether a text may describe arguments under names that the signature does not list."""
        return self.has_patterns or any(parameter.marker in {"*", "**", "..."} for parameter in self.parameters)


_NESTED = frozenset(
    {
        "anonymous_function", "anonymous_function_creation_expression", "anonymous_method_expression",
        "arrow_function", "class", "class_declaration", "class_definition", "class_specifier", "func_literal",
        "function_declaration", "function_definition", "function_expression", "generator_function",
        "generator_function_declaration", "lambda", "lambda_expression", "local_function_statement", "method",
        "method_definition", "module", "singleton_method", "struct_specifier",
    }
)  # fmt: skip
_RETURN_FIELDS = ("return_type", "returns", "result", "type")
_NOTHING = frozenset({"None", "NoReturn", "Never", "void", "never", "Promise<void>"})
_PERHAPS_NOTHING = frozenset({"Task", "ValueTask"})
"""Types of results that some document and others do not: nothing but when it is there."""
_YIELDS = frozenset({"yield", "yield_expression", "yield_statement"})
_THROWS = frozenset({"raise_statement", "throw_statement", "throw_expression", "call"})
_CATCHES = frozenset({"except_clause", "except_group_clause", "catch_clause"})
_REFERENCES = {"pointer_declarator": "*", "reference_declarator": "&"}
_MARKER = re.compile(r"\*{1,2}|&|\.\.\.")
_THROWN = re.compile(r"(?:raise|fail|throw)\b[\s(]*(?:new\s+)?(?P<name>[A-Za-z_\\][\w.:\\]*)(?P<call>\s*[({])?")
_THROWN_ON = re.compile(r"\b(?:raise|throw)[ \t]*(?:[a-z]\w*[ \t]*)?(?:;|\n|\r|$)")
_ANYTHING = frozenset({"Exception", "BaseException", "Throwable", "StandardError"})
_UNFINISHED = frozenset({"NotImplementedError", "NotImplementedException"})


def read_facts(text: str, function: Function, path: str = "") -> Facts:
    """Return the facts about `function`.

    Args:
        text: The text that it was extracted from.
        function: One of its functions.
        path: The file's name, as given to `extract_functions`.

    Returns:
        The facts; fewer where the syntax is broken.
    """
    owner = function_node(text, function, path)
    named = [parameter for parameter in function.parameters if not parameter.name.startswith(("{", "["))]
    markers = _markers(owner)
    parameters = tuple(
        ParameterFact(
            name=parameter.name,
            marker=markers.get(parameter.name, ""),
            annotation=_one_line(parameter.annotation),
            default=_one_line(parameter.default),
        )
        for parameter in named
    )
    body = owner.child_by_field_name("body") if owner is not None else None
    if owner is None or any(child.has_error for child in owner.children if child != body):
        return Facts(is_certain=False)
    nodes = list(_own_nodes(body)) if body is not None else []
    returns = _return_type(owner)
    is_generator = function.language != "ruby" and any(node.type in _YIELDS for node in nodes)
    thrown = (name for node in nodes if (name := _thrown(node, function.language)))
    return Facts(
        parameters=parameters,
        has_patterns=len(named) < len(function.parameters) or any(_is_arguments(node) for node in nodes),
        returns=returns,
        returns_value=is_generator or _returns_value(function.language, returns, body, nodes),
        is_generator=is_generator,
        raises=tuple(dict.fromkeys([*_declared_exceptions(owner), *thrown])),
    )


def function_node(text: str, function: Function, path: str = "") -> tree_sitter.Node | None:
    """Return the syntax node of `function` that holds its parameters and body, or None if there is none.

    Args:
        text: The text that `function` was extracted from.
        function: One of its functions.
        path: The file's name, as given to `extract_functions`.

    Returns:
        The node.
    """
    source = text.encode("utf-8", "replace")
    is_empty = function.body.start == function.body.end  # Ruby leaves out a body without statements
    span = function.span if is_empty else function.body
    start, end = (len(text[:offset].encode("utf-8", "replace")) for offset in span)
    node = parse(source, grammar_of_path(function.language, path)).root_node.descendant_for_byte_range(start, end)
    if is_empty:
        return node
    while node is not None:
        body = node.child_by_field_name("body")
        if body is not None and (body.start_byte, body.end_byte) == (start, end):
            return node
        node = node.parent
    return None


def _own_nodes(body: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Yield the nodes of a body from top to bottom, without those of nested functions and classes."""
    pending = [body]
    while pending:
        node = pending.pop()
        yield node
        if node is body or node.type not in _NESTED:
            pending.extend(reversed(node.named_children))


def _is_arguments(node: tree_sitter.Node) -> bool:
    return node.type == "identifier" and node.text == b"arguments"


def _markers(owner: tree_sitter.Node | None) -> dict[str, str]:
    """Return the marks before the names of parameters, such as the stars of `**options`."""
    current = owner
    while current is not None:
        holder = current.child_by_field_name("parameters")
        if holder is not None:
            texts = (_text(child) for child in holder.named_children)
            found = (re.search(rf"({_MARKER.pattern})\s*\$?(\w+)", text.split("=", 1)[0]) for text in texts)
            return {name: match[1] for match in found if match for name in (match[2], f"${match[2]}")}
        current = inner_declarator(current)
    return {}


def _return_type(owner: tree_sitter.Node) -> str:
    found = next((node for field in _RETURN_FIELDS if (node := owner.child_by_field_name(field)) is not None), None)
    if found is None:
        return ""
    annotation = _one_line(_text(found)).lstrip(": ")
    declarator = owner.child_by_field_name("declarator")
    while declarator is not None:  # C writes `int *f()`, and C++ also `auto f() -> int`
        trailing = next((child for child in declarator.children if child.type == "trailing_return_type"), None)
        if trailing is not None:
            return _one_line(_text(trailing)).removeprefix("->").strip()
        annotation += _REFERENCES.get(declarator.type, "")
        declarator = inner_declarator(declarator)
    return annotation


def _returns_value(
    language: str, returns: str, body: tree_sitter.Node | None, nodes: list[tree_sitter.Node]
) -> bool | None:
    if returns:
        return None if returns in _PERHAPS_NOTHING else returns not in _NOTHING
    if language == "ruby" or body is None:
        return None
    if body.type not in {"block", "statement_block", "compound_statement", "constructor_body"}:
        return True  # an arrow function's expression
    if _is_unfinished(body):
        return None
    return any(
        node.type == "return_statement" and any(child.type != "none" for child in node.named_children) for node in nodes
    )


def _is_unfinished(body: tree_sitter.Node) -> bool:
    """Tell whether a body does nothing or only refuses, so that it says nothing about what the function gives back."""
    statements = [node for node in body.named_children if node.type not in {"comment", "line_comment", "block_comment"}]
    return all(
        node.type in {"pass_statement", "raise_statement", "throw_statement"}
        or (node.type == "expression_statement" and _text(node).startswith(("...", '"', "'", "r", "throw")))
        for node in statements
    )


def _declared_exceptions(owner: tree_sitter.Node) -> Iterator[str]:
    for child in owner.children:
        if child.type == "throws":
            yield from (_text(name) for name in child.named_children)


def _thrown(node: tree_sitter.Node, language: str) -> str:
    """Return the exception that `node` raises out of its function; empty if there is none with a name."""
    if node.type not in _THROWS or (node.type == "call" and language != "ruby"):
        return ""
    match = _THROWN.match(_text(node))
    if match is None:
        return ""
    name = match["name"].rstrip(".:").removesuffix(".new")
    if language in {"csharp", "java"} and not re.match(r"throw\s+new\b", _text(node)):
        name = name.rpartition(".")[0]  # `throw ParseError.Create(text)`
    last = re.split(r"\W+", name)[-1]
    is_class = last[:1].isupper() or (language == "cpp" and match["call"] is not None)
    return "" if not is_class or last in _UNFINISHED or _is_caught(last, node) else name


def _is_caught(name: str, node: tree_sitter.Node) -> bool:
    current = node
    while (parent := current.parent) is not None and parent.type not in _NESTED:
        if parent.type == "try_statement" and current == parent.child_by_field_name("body"):
            clauses = [child for child in parent.named_children if child.type in _CATCHES]
            if any(_catches(clause, name) for clause in clauses):
                return True
        current = parent
    return False


def _catches(clause: tree_sitter.Node, name: str) -> bool:
    """Tell whether an except or catch clause takes the exception and keeps it."""
    block = clause.named_children[-1] if clause.named_children else clause
    header = _text(clause).removesuffix(_text(block))
    classes = {word for word in re.findall(r"\w+", header) if word[0].isupper()}
    takes = not classes or name in classes or bool(classes & _ANYTHING)
    return takes and not _THROWN_ON.search(_text(block))


def _text(node: tree_sitter.Node) -> str:
    return node.text.decode("utf-8", "replace") if node.text is not None else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
