"""The first sentence of a new documentation text: by the model where it can be trusted, else what the name says."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from codet5p.core.syntax import Function, code_without_documentation
from codet5p.lsp_server.features.docstring.facts import read_facts
from codet5p.lsp_server.features.docstring.naming import phrase_of_name
from codet5p.lsp_server.features.docstring.voice import in_voice, is_third_person
from codet5p.lsp_server.features.docstring.writer import DocstringWriter, Subject

__all__ = ["Summary", "subject_of", "summary_by_model", "summary_by_name"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """One sentence about a function.

    Attributes:
        text: In the voice of its file, with a full stop.
        is_by_model: Whether a model wrote it; otherwise it repeats what the name says.
    """

    text: str
    is_by_model: bool


def subject_of(text: str, function: Function, path: str = "") -> Subject:
    """Return what a writer needs to know about `function`.

    Args:
        text: The text that `function` was extracted from.
        function: One of its functions.
        path: The file's name, as given to `extract_functions`.

    Returns:
        The subject.
    """
    phrase = phrase_of_name(function, read_facts(text, function, path))
    return Subject(
        source=code_without_documentation(text, function),
        language=function.language,
        name_says=phrase.text(third_person_wanted=True) if phrase is not None else "",
    )


def summary_by_name(subject: Subject, functions: Sequence[Function]) -> Summary | None:
    """Return what the name of a function says as a sentence, or None if it says nothing.

    Args:
        subject: The function.
        functions: Those of its file, whose documentation shows the voice.

    Returns:
        The sentence.
    """
    if not subject.name_says:
        return None
    return Summary(text=_voiced(f"{subject.name_says}.", subject, functions), is_by_model=False)


def summary_by_model(
    subject: Subject, functions: Sequence[Function], writer: DocstringWriter, stop: Event
) -> Summary | None:
    """Return the model's sentence, or None if it has none that can be shown.

    Args:
        subject: The function.
        functions: Those of its file, whose documentation shows the voice.
        writer: The model.
        stop: Set when the sentence is no longer wanted.

    Returns:
        The sentence.
    """
    sentence = " ".join((writer.summarize(subject, stop) or "").split())
    return Summary(text=_voiced(sentence, subject, functions), is_by_model=True) if sentence else None


def _voiced(sentence: str, subject: Subject, functions: Sequence[Function]) -> str:
    return in_voice(sentence, third_person_wanted=is_third_person(functions, subject.language))
