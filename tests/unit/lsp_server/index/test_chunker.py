import pytest
from hypothesis import given
from hypothesis import strategies as st

from codet5p.core.syntax import LANGUAGES
from codet5p.lsp_server.index.chunker import chunk_file, indexed_language
from codet5p.lsp_server.index.config import IndexConfig

_PYTHON = '''"""A module about parsing."""

import os
from sys import (
    path,
)

LIMIT = 3


# Reads one line.
@cached
def read(line):
    def inner():
        return line

    return inner


class Parser:
    """Parses."""

    depth = 0

    def parse(self, text):
        return text

    class Options:
        strict = True

    first = 1
    second = 2
'''


def described(text: str, path: str) -> list[tuple[str, str, int]]:
    return [(chunk.name, chunk.kind, chunk.first_line) for chunk in chunk_file(text, path)]


def test_python_is_cut_into_blocks_functions_classes_and_methods() -> None:
    assert described(_PYTHON, "a.py") == [
        ("", "block", 0),
        ("read", "function", 10),
        ("Parser", "class", 19),
        ("Parser.parse", "method", 24),
        ("Parser.Options", "class", 27),
        ("Parser", "block", 30),
    ]


def test_a_definition_takes_the_comment_and_decorator_above_it_along() -> None:
    (chunk,) = [chunk for chunk in chunk_file(_PYTHON, "a.py") if chunk.name == "read"]
    assert chunk.text.startswith("# Reads one line.\n@cached\ndef read(line):")
    assert chunk.text.endswith("return inner")


def test_a_class_is_its_head_up_to_the_first_method() -> None:
    (head,) = [chunk for chunk in chunk_file(_PYTHON, "a.py") if (chunk.name, chunk.kind) == ("Parser", "class")]
    assert head.text == 'class Parser:\n    """Parses."""\n\n    depth = 0'


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.go", "package a\n\ntype Point struct {\n\tX int\n}\n\nfunc (p Point) Add() int { return p.X }\n",
         [("Point", "class", 2), ("Point.Add", "method", 6)]),
        ("a.c", "#include <a.h>\n\nstruct point {\n  int x;\n};\n\nint add(int a) {\n  return a;\n}\n",
         [("point", "class", 2), ("add", "function", 6)]),
        ("a.ts", "export interface Shape {\n  area(): number;\n}\n\nexport const f = () => {\n  return 1;\n};\n",
         [("Shape", "class", 0), ("f", "function", 4)]),
        ("a.rs", "use std::io;\n\npub struct Point {\n    x: i32,\n}\n\npub fn add(a: i32) -> i32 {\n    a\n}\n",
         [("Point", "class", 2), ("add", "function", 6)]),
        ("a.java", "class A {\n  int x;\n  int f() {\n    return x;\n  }\n}\n",
         [("A", "class", 0), ("A.f", "method", 2)]),
    ],
)  # fmt: skip
def test_other_languages_are_cut_too(path: str, text: str, expected: list[tuple[str, str, int]]) -> None:
    assert described(text, path) == expected


def test_a_long_function_becomes_parts_of_one_name() -> None:
    text = "def f():\n" + "    x = 1\n" * 250
    chunks = chunk_file(text, "a.py", IndexConfig(max_chunk_lines=100))
    assert [(chunk.name, chunk.first_line, chunk.text.count("\n") + 1) for chunk in chunks] == [
        ("f", 0, 100),
        ("f", 100, 100),
        ("f", 200, 51),
    ]


def test_a_file_that_only_imports_is_still_found() -> None:
    assert described("from a import b as b\nfrom c import d as d\n", "a.py") == [("", "block", 0)]


def test_a_private_key_is_not_taken_in() -> None:
    text = 'KEY = """-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"""\n\n\ndef f():\n    return KEY\n'
    assert described(text, "a.py") == [("f", "function", 5)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_kinds_give_the_same_chunks(line_end: str) -> None:
    expected = [(chunk.name, chunk.first_line, chunk.text) for chunk in chunk_file(_PYTHON, "a.py")]
    chunks = chunk_file(_PYTHON.replace("\n", line_end), "a.py")
    assert [(chunk.name, chunk.first_line, chunk.text) for chunk in chunks] == expected


def test_equal_code_has_equal_content_wherever_it_lies() -> None:
    first, second = (chunk_file(lead + "def f():\n    return 1\n", "a.py")[-1] for lead in ("", "x = 1\n\n\n"))
    assert first.first_line != second.first_line
    assert first.content_hash == second.content_hash


def test_what_is_not_code_is_refused() -> None:
    assert indexed_language("notes.txt") is None
    with pytest.raises(ValueError, match=r"notes\.txt is not code"):
        chunk_file("", "notes.txt")


@pytest.mark.parametrize("language", LANGUAGES)
@given(text=st.text(alphabet="def class(){}:;\n\r\t #/*\"'x😀\ud800\x00=", max_size=200))
def test_any_text_is_cut_into_whole_lines_that_do_not_overlap(language: str, text: str) -> None:
    chunks = chunk_file(text, f"a{LANGUAGES[language].extensions[0]}")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = 0
    for chunk in chunks:
        assert chunk.first_line >= end
        end = chunk.first_line + chunk.text.count("\n") + 1
        assert chunk.text.split("\n") == lines[chunk.first_line : end]
