"""A stand-in for the model that writes docstrings."""

from threading import Event

__all__ = ["FakeWriter"]


class FakeWriter:
    """A `DocstringWriter` that always says the same, and keeps what it was asked about."""

    def __init__(self, sentence: str | None = "Adds things.") -> None:
        self.sentence = sentence
        self.asked: list[tuple[str, str]] = []

    def summarize(self, source: str, language: str, stop: Event) -> str | None:
        assert not stop.is_set()
        self.asked.append((language, source))
        return self.sentence
