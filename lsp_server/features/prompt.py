"""From the text before the cursor to a prompt: a window of whole lines, cut so that its start can be reused.

The window has two parts. The static part ends at a line end some lines before the cursor; its state stays in the
engine, so while the user types on only the tail is processed. When the tail has grown too long, or text in the static
part has changed, a new window is laid.

Where the parts meet, and at the cursor, tokens must be those of the whole text. A byte-level BPE with GPT-2's
pre-tokenizer never joins a token across a boundary between a visible character and a line end, so the static part ends
right after a visible character.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass

from codet5p.core.tokenizer import Tokenizer

__all__ = ["Prompt", "PromptWindows"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_MAX_DOCUMENTS = 32
_CHARACTERS_PER_TOKEN = 6  # upper estimate for code, so that enough text is encoded to fill the window


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """A prompt in tokens.

    Attributes:
        static_ids: Tokens of the window's static part, behind the start token where the file begins there; may be empty
            at the start of a file.
        tail_ids: Tokens from there to the cursor; not empty.
        required_prefix: Bytes before the cursor left to the first generated token.
    """

    static_ids: tuple[int, ...]
    tail_ids: tuple[int, ...]
    required_prefix: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class _Window:
    """The static part: characters `start` to `end` of the document, which read `text`."""

    start: int
    end: int
    text: str
    ids: tuple[int, ...]

    def fits(self, prefix: str) -> bool:
        """Return whether the text still stands there, before the current line and with a token boundary behind it."""
        return (
            self.end <= _static_end(prefix)
            and prefix[self.start : self.end] == self.text
            and (self.end == 0 or prefix[self.end].isspace())
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tail:
    """The text from the window to the cursor.

    Of an endless line, as in a minified file, only the last tokens are kept; `is_whole` says whether they reach back to
    the window.
    """

    ids: tuple[int, ...]
    required_prefix: bytes
    is_whole: bool


class PromptWindows:
    """The windows of the documents edited last."""

    def __init__(self, tokenizer: Tokenizer, *, max_static_tokens: int, max_tail_tokens: int, start_id: int) -> None:
        """Create windows of at most `max_static_tokens` plus about `max_tail_tokens`.

        Args:
            tokenizer: The model's tokenizer.
            max_static_tokens: Size of the static part, at most.
            max_tail_tokens: Length of the tail from which a new window is laid.
            start_id: Token before the first of a file, as in training; a window that begins later has none.
        """
        self._tokenizer = tokenizer
        self._max_static_tokens = max_static_tokens
        self._max_tail_tokens = max_tail_tokens
        self._start_id = start_id
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def prompt(self, uri: str, prefix: str) -> Prompt:
        """Return the prompt for the cursor behind `prefix`.

        Args:
            uri: The document.
            prefix: All of its text before the cursor.

        Returns:
            The prompt; the window is laid anew where it must be.
        """
        window = self._windows.get(uri)
        if window is not None and window.fits(prefix):
            tail = self._encode_tail(prefix[window.end :])
            if len(tail.ids) <= self._max_tail_tokens or window.end == _static_end(prefix):
                self._windows.move_to_end(uri)
                return self._assemble(window, tail)
        window = self._lay(uri, prefix)
        return self._assemble(window, self._encode_tail(prefix[window.end :]))

    def next_static(self, uri: str, prefix: str) -> tuple[int, ...] | None:
        """Return the static tokens worth preparing while the user pauses, having moved the window there.

        Args:
            uri: The document.
            prefix: All of its text before the cursor.

        Returns:
            The tokens of a window that ends before the current line, or None where the tail is still short.
        """
        window = self._windows.get(uri)
        if window is None or 2 * len(self._encode_tail(prefix[window.end :]).ids) <= self._max_tail_tokens:
            return None
        moved = self._lay(uri, prefix)
        return None if moved.ids == window.ids else moved.ids

    def forget(self, uri: str) -> None:
        """Drop the document's window."""
        self._windows.pop(uri, None)

    def _lay(self, uri: str, prefix: str) -> _Window:
        end = _static_end(prefix)
        start = _line_start(prefix, max(end - self._max_static_tokens * _CHARACTERS_PER_TOKEN, 0))
        ids = self._tokenizer.encode(prefix[start:end])
        while len(ids) + (start == 0) > self._max_static_tokens:
            # Drop whole lines; the share of characters to drop is that of the tokens above the limit.
            excess = 1 - self._max_static_tokens / (len(ids) + 1)
            start = _line_start(prefix, min(start + max(int((end - start) * excess), 1), end))
            ids = self._tokenizer.encode(prefix[start:end])
        opening = (self._start_id,) if start == 0 and ids else ()
        window = _Window(start=start, end=end, text=prefix[start:end], ids=(*opening, *ids))
        if not ids and end:  # one endless line, of which nothing could be recognised again
            self._windows.pop(uri, None)
            return window
        self._windows[uri] = window
        self._windows.move_to_end(uri)
        if len(self._windows) > _MAX_DOCUMENTS:
            self._windows.popitem(last=False)
        return window

    def _assemble(self, window: _Window, tail: _Tail) -> Prompt:
        opens_file = window.end == 0 and tail.is_whole
        return Prompt(
            static_ids=window.ids if tail.is_whole else (),  # never two pieces of text with a gap between them
            tail_ids=(self._start_id, *tail.ids) if opens_file or not tail.ids else tail.ids,
            required_prefix=tail.required_prefix,
        )

    def _encode_tail(self, text: str) -> _Tail:
        """Return the tail that `text` makes.

        After white space the next word takes the last space into its own token, so exactly that space is left over;
        the tokens before are those of the text followed by a word. Elsewhere the last token is left over.
        """
        near = text[-self._max_static_tokens * _CHARACTERS_PER_TOKEN :]
        ids: list[int] = []
        required = b""
        if near[-1:] == " ":
            ids, required = self._tokenizer.encode(near[:-1]), b" "
        elif near[-1:].isspace():
            ids = self._tokenizer.encode(near + "x")[:-1]
        elif near:
            *ids, last = self._tokenizer.encode(near)
            required = self._tokenizer.token_bytes[last]
        kept = tuple(ids[-self._max_static_tokens :])
        return _Tail(ids=kept, required_prefix=required, is_whole=len(near) == len(text) and len(kept) == len(ids))


def _static_end(prefix: str) -> int:
    """Return the end of the last visible character before the current line; 0 where there is none."""
    line_start = max(prefix.rfind("\n"), prefix.rfind("\r")) + 1
    return len(prefix[:line_start].rstrip())


def _line_start(prefix: str, offset: int) -> int:
    """Return the first line start at or behind `offset`."""
    if offset == 0:
        return 0
    line_end = _LINE_END.search(prefix, offset - 1)
    return len(prefix) if line_end is None else line_end.end()
