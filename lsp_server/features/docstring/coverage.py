"""Which functions a user of the code would miss documentation of."""

import re
from collections.abc import Iterator, Sequence

from codet5p.core.syntax import Function

__all__ = ["undocumented"]

_HIDDEN = re.compile(r"(?:^|\.)(?:_|#|test_?(?=[A-Z_]|$))")
_REPEATED = re.compile(r"@(?:\w+\.)*(?:overload|override|setter|deleter)\b")
_NOT_PUBLIC = re.compile(r"\b(?:private|protected|internal)\b")


def undocumented(text: str, functions: Sequence[Function]) -> Iterator[Function]:
    """Yield the public functions without documentation.

    Args:
        text: The text that `functions` were extracted from.
        functions: All of its functions, in their order.

    Yields:
        Functions that other files can use; none inside of other functions, no tests, and none that repeat a
        documented one, such as overloads and setters.
    """
    end = 0
    for function in functions:
        is_nested = function.span.start < end
        end = max(end, function.span.end)
        if not is_nested and function.documentation is None and _is_public(text, function):
            yield function


def _is_public(text: str, function: Function) -> bool:
    header = text[function.span.start : function.body.start]
    if _HIDDEN.search(function.qualified_name) or _REPEATED.search(header) or _NOT_PUBLIC.search(function.signature):
        return False
    match function.language:
        case "go":
            return function.name[:1].isupper()
        case "java" | "csharp":
            return "public" in function.signature.split()
        case "javascript" | "typescript":
            return bool(function.container) or "export" in function.signature.split()
        case "c" | "cpp":
            return "static" not in function.signature.split()
        case _:
            return True
