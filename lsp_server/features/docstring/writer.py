"""What the docstring feature needs of a model."""

from threading import Event
from typing import Protocol

__all__ = ["DocstringWriter"]


class DocstringWriter(Protocol):
    """Says in one sentence what a function does."""

    def summarize(self, source: str, language: str, stop: Event) -> str | None:
        """Return one sentence about a function, or None if there is nothing to say.

        Args:
            source: The function's code, dedented and without documentation.
            language: A key of `codet5p.core.syntax.LANGUAGES`.
            stop: Set when the sentence is no longer wanted; None is returned soon after.

        Returns:
            Plain text.
        """
