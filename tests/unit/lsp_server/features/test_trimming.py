import pytest

from codet5p.lsp_server.features.syntax import SyntaxTrees
from codet5p.lsp_server.features.trimming import line_to_show


def shown(text: str, generated: str, grammar: str | None = None) -> str:
    """Return what is shown of a finished line at the mark ▮."""
    document, offset = text.replace("▮", ""), text.index("▮")
    tree = SyntaxTrees().tree("file:///a", document, grammar)
    return line_to_show(document, offset, generated, is_finished=True, tree=tree)


@pytest.mark.parametrize(
    ("text", "generated", "expected"),
    [
        ("f(a, ▮", "b))\n", "b)"),
        ("f(a, ▮)", "bc))\n", "bc"),
        ("f(g(▮)", "x))\n", "x)"),
        ("x = ▮", "10)\n", "10"),
        ("x = y▮", " + 1)\n", " + 1"),
        ("x = f(\n    a,\n    ▮", "b)\n", "b)"),
        ("{\n" * 3 + "▮", "} else {\n", "} else {"),
    ],
)
def test_brackets_are_closed_once(text: str, generated: str, expected: str) -> None:
    assert shown(text, generated) == expected


def test_blocks_that_begin_out_of_sight_may_be_closed() -> None:
    assert shown("{\n" + "x = 1;\n" * 2000 + "▮", "} else {\n") == "} else {"
    assert shown("(\n" + "x = 1;\n" * 2000 + "▮", "1) + 2\n") == ""


def test_a_line_that_breaks_the_syntax_is_not_shown_where_there_is_a_grammar() -> None:
    assert shown("def f(x):\n    ▮\n    return x\n", "else x:\n", "python") == ""
    assert shown("def f(x):\n    ▮\n    return x\n", "else x:\n") == "else x:"
    assert shown("def f(x):\n    ▮\n    return x\n", "if x:\n", "python") == "if x:"


def test_a_line_is_not_indented_twice() -> None:
    assert shown("def f(x):\n    y = 1\n    ▮\n", "    return x\n", "python") == "return x"


def test_the_line_below_is_not_offered_above_itself() -> None:
    assert shown("total = 0\n▮\nfor x in values:\n    total += x\n", "for x in values:\n", "python") == ""
    assert shown("x = 1\n▮\ny = 2\nself.total += x\n", "self.total += x\n", "python") == ""
