"""The functions of a document, and the one under a cursor."""

import re
from functools import lru_cache

from codet5p.core.syntax import LANGUAGES, Function, Span, extract_functions, language_of_path
from codet5p.lsp_server.features.docstring.facts import function_node

__all__ = ["function_at", "functions_of", "language_of_document", "name_span", "nearest_first"]

_LARGEST_TEXT = 1_000_000
_IDENTIFIERS = {
    "javascriptreact": "javascript",
    "typescriptreact": "typescript",
    "objective-c": "c",
}


def language_of_document(language_id: str, path: str) -> str | None:
    """Return the language of a document, by the editor's name for it, else by its file's; None if it is unknown."""
    name = _IDENTIFIERS.get(language_id, language_id)
    return name if name in LANGUAGES else language_of_path(path)


@lru_cache(maxsize=8)
def functions_of(text: str, language: str, path: str = "") -> tuple[Function, ...]:
    """Return the functions of a document; kept for the last few texts, none for one of over a million characters."""
    return tuple(extract_functions(text, language, path)) if len(text) <= _LARGEST_TEXT else ()


def function_at(functions: tuple[Function, ...], offset: int) -> Function | None:
    """Return the innermost function whose documentation, signature or body contains `offset`, or None."""
    around = [function for function in functions if _start(function) <= offset <= function.span.end]
    return max(around, key=_start, default=None)


def nearest_first(functions: tuple[Function, ...], offset: int) -> list[Function]:
    """Return the functions by how far their first line is from `offset`."""
    return sorted(functions, key=lambda function: abs(function.span.start - offset))


def name_span(text: str, function: Function, path: str = "") -> Span | None:
    """Return where the name stands in the function's signature, or None if it has no name of its own there."""
    node = function_node(text, function, path)
    start = function.span.start
    if node is not None and function.language == "python":
        start = len(text.encode("utf-8", "replace")[: node.start_byte].decode("utf-8", "replace"))  # behind decorators
    pattern = re.compile(rf"(?<!\w){re.escape(function.name)}(?!\w)")
    match = pattern.search(text, start, function.body.start)
    return Span(*match.span()) if match else None


def _start(function: Function) -> int:
    span = function.documentation_span
    return min(function.span.start, span.start) if span is not None else function.span.start
