"""A documentation text for a function without one: the prose from a writer, the facts from the syntax."""

from collections.abc import Sequence
from threading import Event

from codet5p.core.syntax import Function, code_without_documentation
from codet5p.lsp_server.features.docstring.comment import indentation_at, line_ending
from codet5p.lsp_server.features.docstring.facts import read_facts
from codet5p.lsp_server.features.docstring.layout import Style
from codet5p.lsp_server.features.docstring.update import Update
from codet5p.lsp_server.features.docstring.writer import DocstringWriter

__all__ = ["can_insert", "write_documentation"]

_LINE_MARKS = {"go": "// ", "ruby": "# ", "csharp": "/// "}


def can_insert(text: str, function: Function) -> bool:
    """Tell whether there is a line for a documentation text: none yet, and no code of other statements around it."""
    if function.documentation_span is not None:
        return False
    place = function.body.start if function.language == "python" else function.span.start
    indentation = indentation_at(text, place)
    line_start = place - len(indentation)
    return (line_start == 0 or text[line_start - 1] in "\r\n") and text[line_start:place] == indentation


def write_documentation(
    text: str, function: Function, style: Style, writer: DocstringWriter, stop: Event, path: str = ""
) -> Update | None:
    """Return the insertion of a documentation text for `function`.

    Args:
        text: The text that `function` was extracted from.
        function: One of its functions, for which `can_insert` holds.
        style: How to write it.
        writer: Writes the summary.
        stop: Set when the text is no longer wanted.
        path: The file's name, as given to `extract_functions`.

    Returns:
        The insertion; None if the writer has nothing to say.
    """
    summary = writer.summarize(code_without_documentation(text, function), function.language, stop)
    summary = _safe(" ".join((summary or "").split()))
    if not summary:
        return None
    lines = style.render(summary, read_facts(text, function, path), function.name)
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
