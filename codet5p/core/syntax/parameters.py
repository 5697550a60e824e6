"""The parameters of a function, read from its syntax node."""

from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

__all__ = ["Parameter", "inner_declarator", "parameters_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One parameter as the source spells it."""

    name: str
    annotation: str = ""
    """Its type; empty where the language or the author gives none."""
    default: str = ""


_NAME_FIELDS = ("name", "pattern", "left", "declarator")
_DEFAULT_FIELDS = ("value", "default_value", "right")
_LEAVES = frozenset(
    {
        "identifier",
        "variable_name",
        "field_identifier",
        "shorthand_property_identifier_pattern",
        "this",
        "type_identifier",
    }
)
_PATTERNS = frozenset({"object_pattern", "array_pattern", "destructured_parameter"})
_NAMED_BY_THEMSELVES = _LEAVES | _PATTERNS
_SKIPPED = frozenset({"comment", "line_comment", "block_comment", "attribute_list", "ERROR", "keyword_separator"})


def parameters_of(node: tree_sitter.Node, language: str, source: bytes) -> tuple[Parameter, ...]:
    """Return the parameters of the function at `node`; none if its syntax is broken there.

    Args:
        node: A function, method or lambda.
        language: A key of `LANGUAGES`.
        source: The text that `node` was parsed from.

    Returns:
        One entry a name; `self` and `cls` are left out of Python's, `this` out of C#'s and TypeScript's.
    """
    holder = _parameter_list(node)
    if holder is None:
        return ()
    if holder.type in _LEAVES:
        return (Parameter(name=_text(holder, source)),)
    found = [parameter for child in holder.named_children for parameter in _read(child, source)]
    if language == "python" and found and found[0].name in {"self", "cls"}:
        del found[0]
    return tuple(parameter for parameter in found if parameter.name not in {"", "this", "void"})


def _parameter_list(node: tree_sitter.Node) -> tree_sitter.Node | None:
    current: tree_sitter.Node | None = node
    while current is not None:
        holder = current.child_by_field_name("parameters") or current.child_by_field_name("parameter")
        if holder is not None:
            return holder
        current = inner_declarator(current)
    return None


def inner_declarator(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """Return the declarator inside a node of C or C++, or None: that of `&f(int)`, which has no field for it, too."""
    inner = node.child_by_field_name("declarator")
    if inner is None and node.type in {"reference_declarator", "parenthesized_declarator"}:
        return next(iter(node.named_children), None)
    return inner


def _read(child: tree_sitter.Node, source: bytes) -> Iterator[Parameter]:
    if child.type in _SKIPPED:
        return
    annotation_node = child.child_by_field_name("type")
    annotation = _text(annotation_node, source).lstrip(": ") if annotation_node is not None else ""
    default = next((_text(n, source) for f in _DEFAULT_FIELDS if (n := child.child_by_field_name(f)) is not None), "")
    for name in child.children_by_field_name("name") or [child]:
        spelling = _name(name, source, annotation_node)
        if spelling:
            yield Parameter(name=spelling, annotation=annotation, default=default)


def _name(node: tree_sitter.Node, source: bytes, annotation: tree_sitter.Node | None) -> str:
    """Return the name inside patterns and declarators; a destructuring pattern is its own name."""
    if node.type in _NAMED_BY_THEMSELVES:
        return _text(node, source)
    for field in _NAME_FIELDS:
        if (inner := node.child_by_field_name(field)) is not None:
            return _name(inner, source, None)
    children = node.named_children
    # Java's `String... names` has its type first and gives neither child a field.
    for inner in reversed(children) if node.type == "spread_parameter" else children:
        if annotation is not None and inner.start_byte == annotation.start_byte and inner.type == annotation.type:
            continue
        if spelling := _name(inner, source, None):
            return spelling
    return ""


def _text(node: tree_sitter.Node, source: bytes) -> str:
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")
