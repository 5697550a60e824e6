"""What the docstring feature needs of a model."""

from dataclasses import dataclass
from threading import Event
from typing import Protocol

__all__ = ["DocstringWriter", "Subject"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """The function that a sentence is wanted about.

    Attributes:
        source: Its code, dedented and without documentation.
        language: A key of `codet5p.core.syntax.LANGUAGES`.
        name_says: What its name says, such as `Reads the config`, in the third person; empty if that is nothing.
    """

    source: str
    language: str
    name_says: str = ""


class DocstringWriter(Protocol):
    """Says in one sentence what a function does."""

    def summarize(self, subject: Subject, stop: Event) -> str | None:
        """Return one sentence about a function, or None if the model has nothing to say that can be shown.

        Args:
            subject: The function.
            stop: Set when the sentence is no longer wanted; None is returned soon after.

        Returns:
            Plain text in the third person, with its full stop.
        """
