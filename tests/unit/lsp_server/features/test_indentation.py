import pytest

from codet5p.lsp_server.features.indentation import indentation_of, indentation_step, repaired_indentation


@pytest.mark.parametrize(("line", "expected"), [("  x", "  "), ("\t x", "\t "), ("x", ""), ("   ", "   "), ("", "")])
def test_the_white_space_at_the_start_of_a_line(line: str, expected: str) -> None:
    assert indentation_of(line) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a:\n  b\n", "  "), ("a {\n\t\tb\n", "\t"), ("a\nb\n", "    "), ("a:\n\n    b", "    "), ("", "    ")],
)
def test_one_level_is_that_of_the_first_indented_line(text: str, expected: str) -> None:
    assert indentation_step(text) == expected


@pytest.mark.parametrize(
    ("suggestion", "line", "above", "step", "expected"),
    [
        ("    return x", "", "def f(x):", "    ", "    return x"),
        ("    return x", "    ", "    y = 1", "    ", "return x"),
        ("    return x", "", "y = 1", "    ", "return x"),
        ("        return x", "", "def f(x):", "    ", "    return x"),
        ("    x,", "    ", "    f(", "    ", "    x,"),
        ("\treturn x", "", "def f(x):", "  ", "  return x"),
        ("    return x", "", "def f(x):", "\t", "\treturn x"),
        ("  return x", "", "def f(x):", "\t", "\treturn x"),
        ("return x", "    ", "y = 1", "    ", "return x"),
        (" + 1", "y = x", "z = 1", "    ", " + 1"),
    ],
)
def test_a_strict_language_gets_no_deeper_line_than_the_one_above_allows(
    suggestion: str, line: str, above: str, step: str, expected: str
) -> None:
    assert repaired_indentation(suggestion, line, above, step, is_strict=True) == expected


def test_other_languages_may_indent_what_goes_on_but_in_the_style_of_the_file() -> None:
    assert repaired_indentation("    .then(", "", "load()", "  ", is_strict=False) == "    .then("
    assert repaired_indentation("\t.then(", "", "load()", "  ", is_strict=False) == "  .then("
    assert repaired_indentation("    .then(", "", "load()", "\t", is_strict=False) == "\t.then("
