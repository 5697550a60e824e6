import pytest

from codet5p.lsp_server.features.blocks import BlockEnd, block_to_show, is_after_opener, is_block_place
from codet5p.lsp_server.features.syntax import SyntaxTrees


def at_mark(text: str) -> tuple[str, int]:
    return text.replace("▮", ""), text.index("▮")


def shown(text: str, generated: str, grammar: str | None = None, *, is_finished: bool = True) -> str:
    document, offset = at_mark(text)
    tree = SyntaxTrees().tree("file:///a", document, grammar)
    return block_to_show(document, offset, generated, is_finished=is_finished, tree=tree)


@pytest.mark.parametrize(("text", "expected"), [("a\n  ▮  \nb", True), ("▮", True), ("a▮", False), ("  ▮)", False)])
def test_a_block_has_room_where_nothing_else_stands_on_the_line(text: str, expected: bool) -> None:
    assert is_block_place(*at_mark(text)) is expected


@pytest.mark.parametrize(
    ("text", "grammar"),
    [
        ("def f():\n    ▮", "python"),
        ("def f():\n\n    ▮\n\nx = 1\n", "python"),
        ("if (x) {\n    ▮\n}\n", "java"),
        ("x = [\n    ▮\n]\n", "python"),
        ("xs.map((x) =>\n  ▮\n", "javascript"),
        ("def f(x)\n  ▮\nend\n", "ruby"),
        ("xs.each do |x|\n  ▮\nend\n", "ruby"),
        ("if x then\n  ▮\n", None),
    ],
)
def test_the_empty_body_of_what_was_opened(text: str, grammar: str | None) -> None:
    assert is_after_opener(*at_mark(text), grammar)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n▮",
        "▮",
        "def f():\n    ▮\n    return x\n",  # not empty
        "def f():\n    x▮",
        "do_it()\n▮",
    ],
)
def test_other_places(text: str) -> None:
    assert not is_after_opener(*at_mark(text), "python")


def test_a_block_ends_with_the_first_visible_character_further_left() -> None:
    end = BlockEnd("    ", max_lines=8)
    pieces = ["x = 1", "\n", "   ", " if x:", "\n        y", "\n\n", "z"]
    assert [end.is_reached(piece) for piece in pieces] == [False] * 6 + [True]


def test_a_block_ends_with_its_last_line() -> None:
    end = BlockEnd("", max_lines=2)
    assert [end.is_reached(piece) for piece in ("a\nb", "c", "\n")] == [False, False, True]


def test_lines_of_the_block_are_kept_and_what_leaves_it_is_not() -> None:
    text = "def f(x):\n    ▮\n"
    assert shown(text, "y = 1\n\n    return y  \n\n\ndef g():\n    pass\n", "python") == "y = 1\n\n    return y"


def test_the_closing_line_belongs_to_the_block_unless_it_stands_there() -> None:
    assert shown("if (x) {\n    ▮", "y();\n}\nz();\n", "javascript") == "y();\n}"
    assert shown("if (x) {\n    ▮\n}\n", "y();\n}\nz();\n", "javascript") == "y();"


def test_half_a_line_is_no_part_of_it() -> None:
    assert shown("def f(x):\n    ▮", "y = 1\n    retu", is_finished=False) == "y = 1"
    assert shown("def f(x):\n    ▮", "retu", is_finished=False) == ""


def test_lines_that_break_the_syntax_are_cut_with_what_follows_them() -> None:
    text = "def f(x):\n    ▮\n\n\nz = 1\n"
    assert shown(text, "y = 1\n    y = = 2\n    return y\n", "python") == "y = 1"
    assert shown(text, "y = = 2\n", "python") == ""


def test_lines_that_stand_below_end_the_block() -> None:
    text = "def f(x):\n    ▮\n    return compute(x)\n"
    assert shown(text, "y = 1\n    return compute(x)\n", "python") == "y = 1"


def test_lines_that_go_round_in_circles_end_the_block() -> None:
    assert shown("def f(x):\n    ▮", "x()\n    x()\n    x()\n    x()\n    x()\n") == "x()\n    x()\n    x()"


def test_lines_end_as_those_of_the_document() -> None:
    assert shown("def f(x):\r\n\t▮\r\n", "y = 1\n\treturn y\nz\n") == "y = 1\r\n\treturn y"
