import pytest

from codet5p.core.syntax.brackets import end_of_balance, open_brackets


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("", ""),
        ("f(a, [b, {", "([{"),
        ("f(a)[0]", ""),
        ("f(')', \"]\", `}`", "("),
        ("f('it\\'s )', (", "(("),
        ('x = """ ( """ + (', "("),
        ("// don't (", "("),
        ("a) + (b", "("),
        ("f(a]", "("),
        ("größe(😀", "("),
    ],
)
def test_brackets_that_are_open(text: str, opened: str) -> None:
    assert open_brackets(text) == opened


@pytest.mark.parametrize(
    ("text", "opened", "kept"),
    [
        ("a)", "(", "a)"),
        ("a))", "(", "a)"),
        ("a)", "", "a"),
        ("[a](b)", "", "[a](b)"),
        ("a]", "(", "a"),
        ("')' + a)", "", "')' + a"),
        ("a})", "({", "a})"),
        ("a)}", "({", "a"),
    ],
)
def test_a_text_is_balanced_up_to_the_first_bracket_that_closes_too_much(text: str, opened: str, kept: str) -> None:
    assert text[: end_of_balance(text, opened)] == kept
