"""A function fits a screen and a file has one subject."""

import ast
from collections.abc import Iterator
from pathlib import Path

from source_files import ROOT, source_files

MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 500

# Path or path:function, and why it may be larger.
EXCEPTIONS: dict[str, str] = {}


def functions_of(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each function's name and its lines without the docstring."""
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first, last = node.lineno, node.end_lineno or node.lineno
            docstring = node.body[0] if ast.get_docstring(node) is not None else None
            hidden = 0 if docstring is None else (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
            yield f"{path}:{node.name}", last - first + 1 - hidden


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = dict(function for path in source_files() for function in functions_of(path))
    long = {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES and name not in EXCEPTIONS}
    assert len(lengths) > 100
    assert long == {}


def test_no_file_is_longer_than_one_subject() -> None:
    lengths = {str(path): len((ROOT / path).read_text("utf-8").splitlines()) for path in source_files()}
    assert {path: n for path, n in lengths.items() if n > MAX_FILE_LINES and path not in EXCEPTIONS} == {}


def test_every_exception_is_still_one_and_has_its_reason() -> None:
    known = {str(path) for path in source_files()}
    known |= {name for path in source_files() for name, _ in functions_of(path)}
    assert set(EXCEPTIONS) <= known
    assert all(EXCEPTIONS.values())
