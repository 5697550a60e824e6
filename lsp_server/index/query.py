"""What a user types into the search line: words, and filters such as `lang:go`, `path:src/` and `kind:class`."""

import re
from dataclasses import dataclass

from codet5p.lsp_server.index.granularity import means_function
from codet5p.lsp_server.index.words import query_words, split_identifier

__all__ = ["MAX_QUERY_CHARACTERS", "Query", "parse_query"]

MAX_QUERY_CHARACTERS = 10_000
_FILTER = re.compile(r"(?<!\S)(lang|language|path|kind):(\S+)", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_LOOKS_LIKE_CODE = re.compile(r"\w_\w|[a-z]\w*[A-Z]|[A-Z]\w*[a-z]\w*[A-Z]")
_ASKS_FOR_TESTS = frozenset({"test", "tests", "testing", "spec", "fixture", "fixtures", "unittest", "mock", "mocks"})
_LANGUAGES = {
    "py": "python", "js": "javascript", "jsx": "javascript", "javascriptreact": "javascript", "ts": "typescript",
    "tsx": "typescript", "typescriptreact": "typescript", "rb": "ruby", "c++": "cpp", "cxx": "cpp", "c#": "csharp",
    "cs": "csharp", "golang": "go", "rs": "rust", "kt": "kotlin", "sh": "shell", "bash": "shell",
    "shellscript": "shell",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A search line, taken apart.

    Attributes:
        text: The line without its filters: what an embedder gets.
        words: Distinct words to look up.
        symbols: Keys of names that the line may mention as such, in the manner of `store.name_key`.
        language: Only this language.
        path: Only files with this in their path; `*` and `?` make it a pattern for the whole path.
        kind: Only this kind of chunk.
        asks_for_tests: Whether tests are what is looked for.
        means_function: Whether one function is meant, and not the file where something is dealt with.
        may_end_in_a_beginning: Whether the last word may still be typed: one that is nowhere is then looked up as the
            beginning of others.
    """

    text: str
    words: tuple[str, ...]
    symbols: tuple[str, ...]
    language: str | None = None
    path: str | None = None
    kind: str | None = None
    asks_for_tests: bool = False
    means_function: bool = False
    may_end_in_a_beginning: bool = False


def parse_query(line: str, *, language: str | None = None, path: str | None = None) -> Query:
    """Return the parts of a search line. Every text is a valid one; nothing in it is ever run or read as SQL.

    Args:
        line: What was typed; cut off behind 10,000 characters.
        language: A filter given apart from the line, which has precedence.
        path: Likewise.

    Returns:
        The query; without words it finds nothing.
    """
    line = line[:MAX_QUERY_CHARACTERS].replace("\0", " ")
    filters = {key.lower(): value for key, value in _FILTER.findall(line)}
    text = _FILTER.sub(" ", line).strip()
    wanted = (language or filters.get("lang") or filters.get("language") or "").lower()
    words = tuple(query_words(text))
    return Query(
        text=text,
        words=words,
        symbols=_symbols(text),
        language=_LANGUAGES.get(wanted, wanted) or None,
        path=(path or filters.get("path") or "").replace("\\", "/") or None,
        kind=filters["kind"].lower() if "kind" in filters else None,
        asks_for_tests=bool(_ASKS_FOR_TESTS & set(words)),
        means_function=means_function(text),
        may_end_in_a_beginning=True,
    )


def _symbols(text: str) -> tuple[str, ...]:
    """Return the keys of a query's identifiers: all of a one-word query, else those that are spelled like code."""
    identifiers = _IDENTIFIER.findall(text)
    if len(identifiers) > 1:
        identifiers = [word for word in identifiers if _LOOKS_LIKE_CODE.search(word)]
    return tuple(dict.fromkeys("".join(split_identifier(word)) for word in identifiers[:16]))
