import pytest

from codet5p.core.syntax import extract_functions
from codet5p.lsp_server.features.docstring.voice import in_voice, is_third_person

THIRD = 'def f():\n    """Returns it."""\n'
IMPERATIVE = 'def f():\n    """Return it."""\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", False), (THIRD, True), (IMPERATIVE, False), (THIRD + IMPERATIVE, False), (THIRD * 2 + IMPERATIVE, True)],
)
def test_a_file_keeps_its_voice(text: str, expected: bool) -> None:
    assert is_third_person(extract_functions(text, "python"), "python") is expected


def test_python_is_imperative_and_the_others_are_not() -> None:
    assert not is_third_person([], "python")
    assert is_third_person([], "java")


@pytest.mark.parametrize(
    ("third", "imperative"),
    [("Copies the file.", "Copy the file."), ("Sets up it.", "Set up it."), ("Matches a.", "Match a.")],
)
def test_the_first_verb_is_changed_into_the_voice_wanted(third: str, imperative: str) -> None:
    for sentence in (third, imperative):
        assert in_voice(sentence, third_person_wanted=True) == third
        assert in_voice(sentence, third_person_wanted=False) == imperative


def test_a_sentence_without_a_known_verb_stays() -> None:
    assert in_voice("Whether it is so.", third_person_wanted=True) == "Whether it is so."
