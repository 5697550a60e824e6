"""A stand-in for the model that writes docstrings."""

from threading import Event

from codet5p.lsp_server.features.docstring.writer import Subject

__all__ = ["FakeWriter"]


class FakeWriter:
    """A `DocstringWriter` that always says the same, and keeps what it was asked about."""

    def __init__(self, sentence: str | None = "Adds things.") -> None:
        self.sentence = sentence
        self.asked: list[Subject] = []

    def summarize(self, subject: Subject, stop: Event) -> str | None:
        assert not stop.is_set()
        self.asked.append(subject)
        return self.sentence
