"""Long files cut at definitions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codet5p.training.corpus.splitting import split_at_definitions
from codet5p.training.corpus.text_rules import lexical_tokens

PYTHON = "import os\n\n" + "".join(f"def f{i}(a):\n    # {i}\n    return a + {i}\n\n\n" for i in range(40))
JAVA = "class A {\n" + "".join(f"  int f{i}(int a) {{\n    return a + {i};\n  }}\n" for i in range(40)) + "}\n"


@pytest.mark.parametrize(("text", "language"), [(PYTHON, "python"), (JAVA, "java")])
def test_pieces_are_short_and_give_the_text_again(text: str, language: str) -> None:
    pieces = split_at_definitions(text, language, 100)
    assert "".join(pieces) == text
    assert len(pieces) > 3
    assert max(len(lexical_tokens(piece)) for piece in pieces) <= 100


def test_cuts_fall_between_definitions() -> None:
    pieces = split_at_definitions(PYTHON, "python", 100)
    assert all(piece.lstrip().startswith("def f") for piece in pieces[1:])


def test_the_members_of_a_long_class_are_parted() -> None:
    pieces = split_at_definitions(JAVA, "java", 100)
    assert all(piece.count("return") > 1 for piece in pieces[:-1])
    assert all(piece.lstrip().startswith(("class", "int f")) for piece in pieces[:-1])


def test_a_short_text_stays_whole() -> None:
    assert split_at_definitions("x = 1\n", "python", 100) == ["x = 1\n"]


def test_a_single_long_statement_stays_whole() -> None:
    text = "x = [" + "1, " * 200 + "]\n"
    assert "".join(split_at_definitions(text, "python", 50)) == text


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=400), st.sampled_from(["python", "c", "ruby", "tsx"]))
def test_any_text_comes_back_whole(text: str, grammar: str) -> None:
    assert "".join(split_at_definitions(text, grammar, 5)) == text.encode("utf-8", "replace").decode()
