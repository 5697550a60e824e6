import pytest

from codet5p.lsp_server.features import soundness
from codet5p.lsp_server.features.soundness import keeps_syntax
from codet5p.lsp_server.features.syntax import SyntaxTrees

JAVA = "class A {\n    int f(int x) {\n        %s\n        return x;\n    }\n}\n"
GO = "package a\n\nfunc f(x int) int {\n\t%s\n\treturn x\n}\n"
SCRIPT = "function f(x) {\n  %s\n  return x;\n}\n"
PYTHON = "def f(x):\n    %s\n    return x\n"
RUBY = "def f(x)\n  %s\n  x\nend\n"
PHP = "<?php\nfunction f($x) {\n    %s\n    return $x;\n}\n"
C = "int f(int x) {\n    %s\n    return x;\n}\n"


def is_kept(language: str, frame: str, line: str) -> bool:
    """Return the verdict on a line, written with the mark ▮ where the suggestion begins."""
    typed, suggestion = line.split("▮")
    before, after = frame.split("%s")
    text = before + typed + after
    tree = SyntaxTrees().tree("file:///a", text, language)
    assert tree is not None
    return keeps_syntax(tree, text, len(before + typed), suggestion)


@pytest.mark.parametrize(
    ("language", "frame", "line"),
    [
        ("python", PYTHON, "▮y = x + 1"),
        ("python", PYTHON, "for y▮ in x:"),
        ("python", PYTHON, "▮if x and (y or"),
        ("python", PYTHON, "▮try:"),
        ("python", PYTHON, "▮with open(x) as file, open(y,"),
        ("python", PYTHON, "▮match x:"),
        ("python", PYTHON, "▮@property"),
        ("python", PYTHON, '▮"""Return the size.'),
        ("python", PYTHON, "▮y = 'unfinished"),
        ("python", PYTHON, "y = {▮"),
        ("python", PYTHON, "from a ▮import ("),
        ("python", PYTHON, "▮# what for"),
        ("java", JAVA, "▮for (int i = 0; i < x; i++) {"),
        ("java", JAVA, "▮if (x > 1)"),
        ("java", JAVA, "String s = list.stream().▮map(y ->"),
        ("java", JAVA, "▮try {"),
        ("java", JAVA, "▮int y = x +"),
        ("go", GO, "▮if err := g(); err != nil {"),
        ("go", GO, "▮y := []int{"),
        ("go", GO, "▮switch x {"),
        ("javascript", SCRIPT, "▮const y = xs.map((z) => {"),
        ("javascript", SCRIPT, "▮return <div className={x}>"),
        ("typescript", SCRIPT, "▮const y: Map<string, number> = new Map("),
        ("ruby", RUBY, "▮x.each do |y|"),
        ("ruby", RUBY, "▮if x > 1"),
        ("php", PHP, "▮foreach ($x as $key => $value) {"),
        ("c", C, "▮while (x--) {"),
        ("c", C, "▮#ifdef DEBUG"),
        ("cpp", C, "▮std::vector<int> y = {"),
        ("csharp", JAVA, "▮var y = x switch {"),
    ],
)
def test_lines_that_can_go_on_are_kept_in_ten_languages(language: str, frame: str, line: str) -> None:
    assert is_kept(language, frame, line)


@pytest.mark.parametrize(
    ("language", "frame", "line"),
    [
        ("python", PYTHON, "▮y = x + 1)"),
        ("python", PYTHON, "▮the quick brown fox"),
        ("python", PYTHON, "y ▮= = 1"),
        ("python", PYTHON, "▮else:"),
        ("java", JAVA, "▮int y = x; }"),
        ("java", JAVA, "▮the quick brown fox and"),
        ("go", GO, "▮y := x)"),
        ("javascript", SCRIPT, "▮const y = = x;"),
        ("typescript", SCRIPT, "▮the quick brown fox and"),
        ("ruby", RUBY, "▮y = [1, 2))"),
        ("php", PHP, "▮$y = $x);"),
        ("c", C, "▮int y = x; }"),
        ("cpp", C, "▮the quick brown fox and"),
        ("csharp", JAVA, "▮var y = x];"),
    ],
)
def test_lines_that_no_ending_saves_are_refused(language: str, frame: str, line: str) -> None:
    assert not is_kept(language, frame, line)


def test_what_stands_right_of_the_cursor_counts() -> None:
    text = "def f(x):\n    return g(x)\n"
    tree = SyntaxTrees().tree("file:///a", text, "python")
    assert tree is not None
    cursor = text.index(")\n", 15)
    assert keeps_syntax(tree, text, cursor, ", y")
    assert not keeps_syntax(tree, text, cursor, "), y")


def test_in_a_document_full_of_errors_a_suggestion_may_keep_them_but_not_add_any() -> None:
    text = "class (:\n\n\ndef f(x):\n    \n    return x\n"
    tree = SyntaxTrees().tree("file:///a", text, "python")
    assert tree is not None
    cursor = text.index("    \n") + 4
    assert keeps_syntax(tree, text, cursor, "y = x + 1")
    assert not keeps_syntax(tree, text, cursor, "y = ) x +")


def test_judging_that_takes_too_long_lets_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "_TIME_LIMIT_SECONDS", -1.0)
    assert is_kept("python", PYTHON, "▮the quick brown fox")
