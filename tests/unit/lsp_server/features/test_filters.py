import pytest

from codet5p.lsp_server.features.filters import cut_to_line, is_repetition, repeats_following, without_overlap


@pytest.mark.parametrize(
    ("text", "is_finished", "line"),
    [
        ("return x\n", True, "return x"),
        ("return x\r\nmore", True, "return x"),
        ("return x\rmore", False, "return x"),
        ("return x  \t", True, "return x"),
        ("", True, ""),
        ("\nnext", True, ""),
        ("foo(bar, ba", False, "foo(bar,"),
        ("foo(bar, ba", True, "foo(bar, ba"),
        ("foo(bar)", False, "foo(bar)"),
        ("half", False, ""),
        ("größ", False, ""),
        ("x = '😀\ufffd", True, "x = '😀"),
        ("x\fy", True, "x\fy"),
    ],
)
def test_a_line_ends_where_it_ends_and_no_word_is_half(text: str, is_finished: bool, line: str) -> None:
    assert cut_to_line(text, is_finished=is_finished) == line


@pytest.mark.parametrize(
    ("suggestion", "rest", "expected"),
    [
        ("values)", ")", "values"),
        ("values))", "))", "values"),
        ("f(x))", ")", "f(x)"),
        ("values", ")", "values"),
        ("a, b", "", "a, b"),
        (")", ")", ""),
        ("x):", "):", "x"),
        ("x)", "):", "x"),
        ("x)", ")   ", "x"),
        ("x)", " )", "x"),
    ],
)
def test_what_stands_right_of_the_cursor_is_not_offered_again(suggestion: str, rest: str, expected: str) -> None:
    assert without_overlap(suggestion, rest) == expected


@pytest.mark.parametrize(
    ("line", "below", "expected"),
    [
        ("    return x", ["    return x"], True),
        ("    return x", ["  return x  # no"], False),
        ("return x", [], False),
        ("return x", ["x = 1", "return x"], False),
        ("self.total += amount", ["x = 1", "y = 2", "self.total += amount"], True),
        ("self.total += amount", ["x = 1", "y = 2", "z = 3", "self.total += amount"], False),
        ("the_value_of_things = compute_everything(1)", ["the_value_of_things = compute_everything(2)"], True),
        ("the_value_of_things = compute_everything(1)", ["x", "the_value_of_things = compute_everything(2)"], False),
    ],
)
def test_what_stands_right_below_is_not_offered(line: str, below: list[str], expected: bool) -> None:
    assert repeats_following(line, below) is expected


@pytest.mark.parametrize("line", ["x = foo.bar.bar.bar.bar.bar", "abcabcabcabc", "a, b, a, b, a, b, a, b, a, b"])
def test_a_line_that_goes_round_in_circles_is_repetition(line: str) -> None:
    assert is_repetition(line, [])


@pytest.mark.parametrize("line", ["# ------------------------", "====================", "x = [1, 2, 3]", "a.b.c.d.e.f"])
def test_rulers_and_lists_are_none(line: str) -> None:
    assert not is_repetition(line, [])


def test_the_third_equal_line_above_makes_it_repetition() -> None:
    assert not is_repetition("pass", ["  pass", "pass"])
    assert is_repetition("pass", ["  pass", "pass", "pass"])
    assert is_repetition("pass", ["x", "pass", "pass", "pass"])
    assert not is_repetition("pass", ["pass", "pass", "pass", "x"])


def test_lines_that_differ_in_more_than_a_letter_are_not_the_same() -> None:
    lines = [f"self.{name} = {name}" for name in ("width", "height", "depth")]
    assert not is_repetition("self.colour = colour", lines)


def test_long_lines_are_judged_too() -> None:
    assert not is_repetition("".join(chr(0x4E00 + i) for i in range(2000)), [])
    assert is_repetition("x" * 2000, [])
