import pytest

from codet5p.lsp_server.features.next_line import query_after_line


@pytest.mark.parametrize(
    ("text", "offset", "expected", "cursor"),
    [
        ("x = 1", 5, "x = 1\n", 6),
        ("def f():\n    x = 1\ny = 2", 18, "def f():\n    x = 1\n    \ny = 2", 23),
        ("if a:\n  b\nif c:", 15, "if a:\n  b\nif c:\n  ", 18),
        ("func f() {\n\tg()\n\tfor {", 22, "func f() {\n\tg()\n\tfor {\n\t\t", 25),
        ("while True:", 11, "while True:\n    ", 16),
        ("a\r\n  b = c", 10, "a\r\n  b = c\r\n  ", 14),
        ("total = 1  \nnext", 9, "total = 1\n  \nnext", 10),
    ],
)
def test_the_next_line_is_indented_as_editors_do(text: str, offset: int, expected: str, cursor: int) -> None:
    query = query_after_line("file:///a", text, offset)

    assert query is not None
    assert (query.text, query.offset) == (expected, cursor)


def test_no_new_line_is_expected_before_text() -> None:
    assert query_after_line("file:///a", "call(x)", 6) is None
