"""What will be asked next: the line that follows an accepted one."""

from codet5p.lsp_server.features.completion import CompletionQuery
from codet5p.lsp_server.features.indentation import indentation_of, indentation_step
from codet5p.lsp_server.features.surroundings import line_end, line_start

__all__ = ["query_after_line"]

_BLOCK_OPENERS = (":", "{", "(", "[")
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
    if text[offset : line_end(text, offset)].strip():
        return None
    line = text[line_start(text, offset) : offset]
    indentation = indentation_of(line)
    if line.rstrip().endswith(_BLOCK_OPENERS):
        indentation += indentation_step(text)
    new_line = ("\r\n" if "\r\n" in text[:_SEARCHED_CHARACTERS] else "\n") + indentation
    return CompletionQuery(
        uri=uri,
        text=text[:offset] + new_line + text[offset:],
        offset=offset + len(new_line),
        grammar=grammar,
        is_automatic=True,
        may_be_block=True,
    )
