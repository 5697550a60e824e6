import pytest

from codet5p.lsp_server.features.docstring.sentence import shown_sentence

CODE = "def add(a, b):\n    # Adds two numbers and logs.\n    return total of both a and b\n"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Adds two numbers.", "Adds two numbers."),
        ("adds two numbers", "Adds two numbers."),
        ("Adds two numbers. Then it rests.", "Adds two numbers."),
        ("Adds two numbers, e.g. 1 and 2, up", "Adds two numbers, e.g. 1 and 2, up."),
        ("  # Adds two\n numbers.", "Adds two."),
        ("This function adds two numbers.", "Adds two numbers."),
        ("Summary: Adds two numbers:", "Adds two numbers."),
        ('"""Adds two numbers."""', "Adds two numbers."),
        ("Adds two numbers and logs.", "Adds two numbers and logs."),
    ],
)
def test_the_first_sentence_is_shown(written: str, shown: str) -> None:
    assert shown_sentence(written, CODE, is_finished=True) == shown


@pytest.mark.parametrize(
    "written",
    [
        "",
        "  \n",
        "Adds.",
        "return total of both a and b",
        "return [a for a in b]",
        "Calls self.total of it.",
        "I think it adds.",
        "Is a bit of a hack.",
        "TODO: adds numbers.",
        "Adds two numbers?",
        "See https://example.org for numbers.",
        "Copyright of the numbers.",
        "Adds the number and adds the number and adds the number.",
        "Adds very very very large numbers.",
        " ".join(["long"] + [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop"]),
        "Adds \ufffd numbers.",
    ],
)
def test_what_a_reader_would_not_forgive_is_not_shown(written: str) -> None:
    assert shown_sentence(written, CODE, is_finished=True) == ""


def test_a_text_that_was_cut_off_is_shown_only_up_to_its_last_full_stop() -> None:
    assert shown_sentence("Adds two numbers to", CODE, is_finished=False) == ""
    assert shown_sentence("Adds two numbers. Then it", CODE, is_finished=False) == "Adds two numbers."
