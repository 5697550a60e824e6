"""What will be asked next: the line that follows an accepted one."""

import asyncio
from dataclasses import dataclass
from typing import Any

from codet5p.lsp_server.features.completion import CompletionQuery
from codet5p.lsp_server.features.indentation import indentation_of, indentation_step
from codet5p.lsp_server.features.surroundings import line_end, line_start

__all__ = ["NextLine", "query_after_line"]

_BLOCK_OPENERS = (":", "{", "(", "[")
_SEARCHED_CHARACTERS = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class NextLine:
    """A line being completed before anybody asked for it.

    Attributes:
        query: What will be asked.
        running: Done once the answer is known.
    """

    query: CompletionQuery
    running: asyncio.Future[Any]

    def is_for(self, query: CompletionQuery) -> bool:
        """Return whether `query` is what was expected, so that waiting is quicker than asking."""
        expected = self.query
        is_same_place = (query.uri, query.offset) == (expected.uri, expected.offset)
        return not self.running.done() and is_same_place and query.text == expected.text


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
