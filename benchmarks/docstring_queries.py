"""Functions to be found by what their documentation said: the second half of `benchmarks.search`.

A copy of a repository is made in which no function is documented any more; the first sentence of what was taken out
is the query, and the function it stood at is the one right answer. Semble's annotations ask for files, these for
functions. Documentation of classes and modules stays, as do other comments.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from codet5p.core.syntax import LANGUAGES, Function, extract_functions, language_of_path
from codet5p.lsp_server.index.config import IndexConfig
from codet5p.lsp_server.index.roles import role_of
from codet5p.lsp_server.index.walk import read_content, walk_workspace

__all__ = ["DocumentedFunction", "copy_without_documentation"]

_MIN_QUERY_WORDS = 4
_MAX_QUERY_WORDS = 40
_MIN_CODE_LINES = 3


class DocumentedFunction(NamedTuple):
    """A query with its one answer; lines count from 1, both ends included."""

    query: str
    path: str
    first: int
    last: int


def copy_without_documentation(root: Path, copy: Path, *, count: int, seed: int = 0) -> list[DocumentedFunction]:
    """Write the code of `root` to `copy` without documentation of functions, and return what to search for there.

    Args:
        root: A folder of code; tests, examples and vendored code are copied, and never asked for.
        copy: Folder to write.
        count: Queries, at most; drawn at random from all there are.
        seed: Of the draw.

    Returns:
        Queries of 4 to 40 words that no two functions share, in the order of the draw. A function's name at the head of
        its documentation, as Go has it, is taken off; one that names it elsewhere is no query.
    """
    found: list[DocumentedFunction] = []
    for file in sorted(walk_workspace(root, IndexConfig())):
        content = read_content(root, file.path, IndexConfig())
        if content is None:
            continue
        language = language_of_path(file.path)
        text, queries = content.text, []
        if language in LANGUAGES:
            text, queries = _stripped(content.text, language, file.path)
        target = copy / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8", errors="replace")
        if role_of(file.path, content.text) == "source":
            found += queries
    times = Counter(item.query.lower() for item in found)
    unique = [item for item in found if times[item.query.lower()] == 1]
    random.Random(seed).shuffle(unique)
    return unique[:count]


def _stripped(text: str, language: str, path: str) -> tuple[str, list[DocumentedFunction]]:
    """Return the text without its functions' documentation, and the queries with their places in what is left."""
    summaries = {}
    bare = text
    for function in reversed(extract_functions(text, language, path)):
        if function.documentation is None or function.documentation_span is None:
            continue
        summaries[_key(function)] = _without_name(function.documentation.summary, function.name)
        bare = _without(bare, function)
    functions = {_key(function): function for function in extract_functions(bare, language, path)}
    return bare, list(_queries(path, summaries, functions))


def _key(function: Function) -> tuple[str, str]:
    return function.qualified_name, function.signature


def _without(text: str, function: Function) -> str:
    """Return the text without one function's documentation, and without the line that it leaves empty."""
    assert function.documentation_span is not None
    start, end = function.documentation_span
    before, after = text[:start], text[end:]
    is_inside = function.body.start <= start and end <= function.body.end
    if is_inside and not text[end : function.body.end].strip():
        return f"{before}pass{after}"  # nothing else was in the body
    if before.rpartition("\n")[2].strip() or after.partition("\n")[0].strip():
        return before + after
    return before.rstrip(" \t").removesuffix("\n") + "\n" + after.partition("\n")[2]


def _without_name(summary: str, name: str) -> str:
    """Return the summary without the function's name at its head; nothing where the name stands elsewhere too."""
    rest = re.sub(rf"^\W*{re.escape(name)}\b(?:\([^)]*\))?[\s:`'-]*", "", summary)
    return "" if re.search(rf"\b{re.escape(name)}\b", rest) else rest


def _queries(
    path: str, summaries: dict[tuple[str, str], str], functions: dict[tuple[str, str], Function]
) -> Iterator[DocumentedFunction]:
    for key, summary in summaries.items():
        function = functions.get(key)
        if function is None or function.documentation is not None:
            continue  # removing documentation changed how the rest is read
        first, last = (line + 1 for line in function.lines)
        is_long_enough = last - first + 1 >= _MIN_CODE_LINES
        if is_long_enough and _MIN_QUERY_WORDS <= len(summary.split()) <= _MAX_QUERY_WORDS:
            yield DocumentedFunction(summary, path, first, last)
