"""What will be asked next: the line that follows an accepted one."""

import re

from codet5p.lsp_server.features.completion import CompletionQuery

__all__ = ["query_after_line"]

_BLOCK_OPENERS = (":", "{", "(", "[")
_INDENTED_LINE = re.compile(r"^([ \t]+)\S", re.MULTILINE)
_DEFAULT_INDENTATION = "    "
_SEARCHED_CHARACTERS = 20_000


def query_after_line(uri: str, text: str, offset: int, grammar: str | None = None) -> CompletionQuery | None:
    """Return the query an editor will make once the user goes on to a new line behind `offset`.

    Args:
        uri: The document.
        text: Its content.
        offset: The end of what was accepted.
        grammar: Name of the grammar that reads it, where there is one.

    Returns:
        The document with a new line, indented as editors indent it, and the cursor behind the indentation; None where
        something else stands right of the cursor, so that a new line is not what comes next.
    """
    line_end = min((end for mark in "\r\n" if (end := text.find(mark, offset)) >= 0), default=len(text))
    if text[offset:line_end].strip():
        return None
    line_start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    line = text[line_start:offset]
    indentation = line[: len(line) - len(line.lstrip())]
    if line.rstrip().endswith(_BLOCK_OPENERS):
        indentation += _indentation_step(text)
    new_line = ("\r\n" if "\r\n" in text[:_SEARCHED_CHARACTERS] else "\n") + indentation
    return CompletionQuery(
        uri=uri,
        text=text[:offset] + new_line + text[offset:],
        offset=offset + len(new_line),
        grammar=grammar,
        is_automatic=True,
    )


def _indentation_step(text: str) -> str:
    """Return one level of indentation as the document writes it: the first indented line tells."""
    match = _INDENTED_LINE.search(text, 0, _SEARCHED_CHARACTERS)
    if match is None:
        return _DEFAULT_INDENTATION
    return "\t" if match[1].startswith("\t") else match[1]
