import random

import psutil
import pytest

from codet5p.lsp_server.features import syntax
from codet5p.lsp_server.features.syntax import SyntaxTrees, grammar_of_document

URI = "file:///a.py"
TEXT = (
    "class Größe:\n    def mean(self, values):\n        return sum(values) / len(values)\n\n\nx = {'😀': [1, 2]}\n" * 4
)


@pytest.mark.parametrize(
    ("language_id", "uri", "expected"),
    [
        ("python", "file:///a", "python"),
        ("typescript", "file:///a.ts", "typescript"),
        ("typescript", "file:///a.tsx", "tsx"),
        ("typescriptreact", "untitled:a", "tsx"),
        ("javascriptreact", "file:///a.jsx", "javascript"),
        ("plaintext", "file:///a%20b.go", "go"),
        ("markdown", "file:///a.md", None),
    ],
)
def test_the_grammar_follows_the_editors_name_then_the_files(language_id: str, uri: str, expected: str | None) -> None:
    assert grammar_of_document(language_id, uri) == expected


def test_a_tree_made_from_the_one_before_is_that_of_the_whole_text() -> None:
    edits, trees, text = random.Random(5), SyntaxTrees(), TEXT
    for _ in range(120):
        start = edits.randrange(len(text))
        end = min(start + edits.choice((0, 0, 1, 9)), len(text))
        text = text[:start] + edits.choice(("", "x", "(", "\n    ", "é😀", "'", "# ")) + text[end:]
        known = trees.tree(URI, text, "python")
        fresh = SyntaxTrees().tree(URI, text, "python")
        assert known is not None
        assert fresh is not None
        assert known.source == text.encode()
        assert str(known.tree.root_node) == str(fresh.tree.root_node)


def test_the_same_text_is_not_read_again() -> None:
    trees = SyntaxTrees()
    assert trees.tree(URI, TEXT, "python") is trees.tree(URI, TEXT, "python")


def test_another_language_under_the_same_name_is_read_anew() -> None:
    trees = SyntaxTrees()
    trees.tree(URI, "x = 1", "python")
    tree = trees.tree(URI, "x = 1", "javascript")
    assert tree is not None
    assert (tree.language, tree.tree.root_node.type) == ("javascript", "program")


def test_no_grammar_and_a_very_long_text_have_no_tree() -> None:
    assert SyntaxTrees().tree(URI, "x", None) is None
    assert SyntaxTrees().tree(URI, "x" * 200_001, "python") is None


def test_only_the_documents_edited_last_are_kept() -> None:
    trees = SyntaxTrees()
    first = trees.tree("file:///0.py", "x = 1", "python")
    for number in range(1, 5):
        trees.tree(f"file:///{number}.py", "x = 1", "python")
    assert trees.tree("file:///0.py", "x = 1", "python") is not first


def test_the_place_of_a_cursor_counts_characters() -> None:
    tree = SyntaxTrees().tree(URI, "x = '😀 größe' + y  # größe", "python")
    assert tree is not None
    assert [tree.place(prefix) for prefix in ("x = '😀 grö", "x = '😀 größe' + ", "x = '😀 größe' + y  # grö")] == [
        "string",
        "code",
        "comment",
    ]


def test_reading_leaves_nothing_behind() -> None:
    trees, texts = SyntaxTrees(), [TEXT * 40 + f"x = {number}\n" for number in range(60)]
    before = 0
    for number, text in enumerate(texts):
        if number == 20:
            before = psutil.Process().memory_info().rss
        for _ in range(5):
            trees.tree(URI, text, "python")
            trees.forget(URI)
    read = sum(5 * len(text) for text in texts[20:])
    assert psutil.Process().memory_info().rss - before < read / 2


def test_a_document_that_was_slow_to_read_is_left_alone_until_it_is_opened_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trees = SyntaxTrees()
    monkeypatch.setattr(syntax, "_SLOW_SECONDS", -1.0)
    assert trees.tree(URI, TEXT, "python") is not None
    assert trees.tree(URI, TEXT + "x", "python") is None
    assert trees.tree("file:///other.py", TEXT, "python") is not None
    trees.forget(URI)
    assert trees.tree(URI, TEXT, "python") is not None
