from threading import Event
from typing import Any

from fake_writer import FakeWriter

from codet5p.lsp_server.engine.sequence_engine import Written
from codet5p.lsp_server.features.docstring.model_writer import ModelWriter, RememberingWriter
from codet5p.lsp_server.features.docstring.writer import Subject

SUBJECT = Subject(source="def add(a, b): return a + b", language="python")


class ScriptedEngine:
    """An encoder-decoder that says what it was told to, and keeps what it was asked."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked: list[tuple[str, str]] = []

    def generate(self, source: str, opening: str, *_: Any) -> Written | None:
        self.asked.append((source, opening))
        return None if self.text is None else Written(text=self.text, ids=(), score=-1.0, is_finished=True)


def test_the_model_is_asked_for_text_about_the_code_and_loaded_once() -> None:
    engine = ScriptedEngine("this method adds two numbers. And more")
    loads = []
    writer = ModelWriter(lambda: loads.append(1) or engine)  # type: ignore[arg-type, return-value, func-returns-value]
    assert writer.summarize(SUBJECT, Event()) == "Adds two numbers."
    assert writer.summarize(SUBJECT, Event()) == "Adds two numbers."
    assert engine.asked == [(SUBJECT.source, "[TDec]")] * 2
    assert loads == [1]


def test_a_text_that_cannot_be_shown_or_was_stopped_is_none() -> None:
    for text in ("", "return a + b", None):
        assert ModelWriter(lambda text=text: ScriptedEngine(text)).summarize(SUBJECT, Event()) is None  # type: ignore[misc]
    stop = Event()
    stop.set()
    engine = ScriptedEngine("Adds two numbers.")
    assert ModelWriter(lambda: engine).summarize(SUBJECT, stop) is None  # type: ignore[arg-type, return-value]
    assert engine.asked == []


def subject(source: str) -> Subject:
    return Subject(source=source, language="python")


def test_the_same_code_is_asked_about_once() -> None:
    inner = FakeWriter()
    writer = RememberingWriter(inner)
    assert not writer.knows(SUBJECT)
    assert [writer.summarize(SUBJECT, Event()) for _ in range(3)] == ["Adds things."] * 3
    assert writer.knows(SUBJECT)
    assert inner.asked == [SUBJECT]


def test_that_there_is_nothing_to_say_is_remembered_too() -> None:
    inner = FakeWriter(None)
    writer = RememberingWriter(inner)
    assert [writer.summarize(SUBJECT, Event()) for _ in range(2)] == [None, None]
    assert len(inner.asked) == 1


def test_the_longest_unused_answers_are_forgotten() -> None:
    writer = RememberingWriter(FakeWriter(), most_sentences=2)
    for source in ("a", "b", "a", "c"):
        writer.summarize(subject(source), Event())
    assert [writer.knows(subject(source)) for source in "abc"] == [True, False, True]


def test_an_answer_that_was_stopped_is_not_kept() -> None:
    class StoppedWriter:
        def summarize(self, _subject: Subject, stop: Event) -> str | None:
            stop.set()
            return None

    writer = RememberingWriter(StoppedWriter())
    assert writer.summarize(SUBJECT, Event()) is None
    assert not writer.knows(SUBJECT)
