"""A documentation text for a function without one: a summary, and the facts from the syntax."""

from collections.abc import Iterable, Sequence

from codet5p.core.syntax import Function
from codet5p.lsp_server.features.docstring.comment import indentation_at, line_ending, read_comment
from codet5p.lsp_server.features.docstring.facts import read_facts
from codet5p.lsp_server.features.docstring.layout import Style
from codet5p.lsp_server.features.docstring.styles import style_of_file
from codet5p.lsp_server.features.docstring.update import Update

__all__ = ["can_insert", "chosen_style", "write_documentation"]

_LINE_MARKS = {"go": "// ", "ruby": "# ", "csharp": "/// "}


def can_insert(text: str, function: Function) -> bool:
    """Tell whether there is a line for a documentation text: none yet, and no code of other statements around it."""
    if function.documentation_span is not None:
        return False
    place = function.body.start if function.language == "python" else function.span.start
    indentation = indentation_at(text, place)
    line_start = place - len(indentation)
    return (line_start == 0 or text[line_start - 1] in "\r\n") and text[line_start:place] == indentation


def chosen_style(text: str, functions: Iterable[Function], language: str, wanted: str) -> Style:
    """Return the style for a new documentation text.

    Args:
        text: The text that `functions` were extracted from.
        functions: All of its functions.
        language: A key of `STYLES`.
        wanted: Name of a style, or `auto` for that of the file.

    Returns:
        The style.
    """
    comments = (comment for function in functions if (comment := read_comment(text, function)) is not None)
    return style_of_file((comment.contents for comment in comments), language, wanted)


def write_documentation(text: str, function: Function, style: Style, summary: str, path: str = "") -> Update:
    """Return the insertion of a documentation text for `function`.

    Args:
        text: The text that `function` was extracted from.
        function: One of its functions, for which `can_insert` holds.
        style: How to write it.
        summary: What it says first; not empty.
        path: The file's name, as given to `extract_functions`.

    Returns:
        The insertion.
    """
    lines = style.render(_safe(summary), read_facts(text, function, path), function.name)
    place = function.body.start if function.language == "python" else function.span.start
    indentation, ending = indentation_at(text, place), line_ending(text, place)
    marked = _marked(lines, function.language)
    new_text = ending.join(f"{indentation}{line}".rstrip() for line in marked) + ending
    start = place - len(indentation)
    return Update(start=start, end=start, text=new_text, reasons=("there is no documentation",))


def _safe(summary: str) -> str:
    """Return the summary without what would end the comment or string it comes to stand in."""
    return summary.replace("\\", "/").replace("*/", "* /").replace('"""', "'").rstrip('"')


def _marked(lines: Sequence[str], language: str) -> list[str]:
    """Return the lines as a docstring or comment of the language, not yet indented."""
    if (mark := _LINE_MARKS.get(language)) is not None:
        return [mark + line for line in lines]
    if language == "python":
        return [f'"""{lines[0]}"""'] if len(lines) == 1 else [f'"""{lines[0]}', *lines[1:], '"""']
    return ["/**", *(f" * {line}" for line in lines), " */"]
