"""A file cut into what a search can return: functions, methods, classes without their methods, and top-level blocks.

Chunks do not overlap, so a line is found once. A class is its head up to the first method; a nested function belongs
to the one around it; comments right above a definition belong to it. Languages without a grammar are cut at blank lines
before unindented text. Positions are whole lines, counted from 0.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

import tree_sitter

from codet5p.core.syntax import LANGUAGES, extract_functions, language_of_path
from codet5p.core.syntax.languages import parse, syntax_query
from codet5p.lsp_server.index.config import IndexConfig

__all__ = ["CHUNKING_VERSION", "INDEXED_EXTENSIONS", "Chunk", "Kind", "chunk_file", "indexed_language"]

Kind = Literal["function", "method", "class", "block"]

CHUNKING_VERSION = 1
"""Raised with every change to what chunks or words come out of a file, so that older indexes are made anew."""

_WITHOUT_GRAMMAR = {
    ".bash": "shell", ".clj": "clojure", ".dart": "dart", ".erl": "erlang", ".ex": "elixir", ".exs": "elixir",
    ".fs": "fsharp", ".groovy": "groovy", ".hs": "haskell", ".jl": "julia", ".kt": "kotlin", ".kts": "kotlin",
    ".lua": "lua", ".m": "objective-c", ".ml": "ocaml", ".pl": "perl", ".pm": "perl", ".proto": "protobuf",
    ".ps1": "powershell", ".r": "r", ".rs": "rust", ".scala": "scala", ".sh": "shell", ".sql": "sql",
    ".svelte": "svelte", ".swift": "swift", ".vue": "vue", ".zig": "zig",
}  # fmt: skip
INDEXED_EXTENSIONS = (
    *(extension for language in LANGUAGES.values() for extension in language.extensions),
    *_WITHOUT_GRAMMAR,
)
"""Endings of the files that are indexed, with their dot."""

_COMMENT_LINE = re.compile(r"\s*(?:#(?!\s*(?:include|define|if|endif|pragma))|//|/\*|\*|--\s|;;)")
_DECLARED_TYPE = re.compile(
    r"^(?:(?:export|default|pub(?:\([^)]*\))?|public|internal|abstract|sealed|final|declare|typedef|data)\s+)*"
    r"(?:class|struct|enum|interface|trait|type|protocol|record|union|object|impl|message)\s+(?:<[^>]*>\s*)?([A-Za-z_]\w*)",
    re.MULTILINE,
)
_DECLARED_FUNCTION = re.compile(
    r"^(?:(?:export|pub(?:\([^)]*\))?|public|private|static|async|local|unsafe)\s+)*"
    r"(?:fn|func|fun|def|defp|function|sub|proc)\s+([A-Za-z_][\w.:]*)",
    re.MULTILINE,
)
_DECLARED_VALUE = re.compile(
    r"^(?:#define\s+|(?:export|pub|public|static)\s+)*(?:const\s+|let\s+|var\s+|val\s+)?"
    r"([A-Za-z_]\w*)\s*(?::[^=\n]*)?(?:=(?!=)|\s\S)",
    re.MULTILINE,
)
_IMPORT = re.compile(r"\s*(?:import|from|using|use|require|include|#include|package|namespace|__all__)\b")
_KEY_BLOCK = "PRIVATE KEY-----"
_MIN_BLOCK_LINES = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A piece of a file that a search can return.

    Attributes:
        name: Qualified name, such as `Parser.parse`; empty for a block that declares nothing.
        kind: What it is.
        first_line: Its first line, counted from 0.
        text: Its whole lines, without the last line end.
    """

    name: str
    kind: Kind
    first_line: int
    text: str

    @property
    def content_hash(self) -> bytes:
        """16 bytes that equal chunks share, wherever they lie."""
        return blake2b(f"{self.name}\0{self.text}".encode("utf-8", "replace"), digest_size=16).digest()


def indexed_language(path: str) -> str | None:
    """Return the language of a file to index, or None for one that is not code."""
    return language_of_path(path) or _WITHOUT_GRAMMAR.get(PurePosixPath(path).suffix.lower())


def chunk_file(text: str, path: str, config: IndexConfig | None = None) -> list[Chunk]:
    """Return the chunks of a file in the order of their lines; broken syntax only makes them coarser.

    Args:
        text: Its content.
        path: Its path, whose ending tells the language.
        config: Sizes.

    Returns:
        Chunks that do not overlap; those that hold a private key are left out.

    Raises:
        ValueError: If the file is not code.
    """
    config = config or IndexConfig()
    language = indexed_language(path)
    if language is None:
        raise ValueError(f"{path} is not code")
    # Rows of the grammar end in line feeds alone; an editor also ends lines at a lone carriage return.
    text = re.sub(r"\r(?!\n)", "\n", text)
    lines = text.split("\n")
    units = _units(text, language, path) if language in LANGUAGES else []
    # A file of nothing but imports, which re-exports, is still a place to find.
    found = list(_cut(lines, units, config)) or list(_windows(lines, 0, len(lines) - 1, "block", "", config))
    return [chunk for chunk in sorted(found, key=lambda chunk: chunk.first_line) if _KEY_BLOCK not in chunk.text]


class _Unit(NamedTuple):
    """A definition: lines `first` to `last`, both included."""

    first: int
    last: int
    kind: Kind
    name: str


def _units(text: str, language: str, path: str) -> list[_Unit]:
    """Return functions and classes, an outer one before those inside it."""
    functions = [
        _Unit(*function.lines, "method" if function.container else "function", function.qualified_name)
        for function in extract_functions(text, language, path)
    ]
    classes = list(_classes(text, language, path))
    return sorted(functions + classes, key=lambda unit: (unit.first, -unit.last, unit.kind != "class"))


def _classes(text: str, language: str, path: str) -> Iterator[_Unit]:
    grammar = "tsx" if path.endswith(".tsx") else language
    source = text.encode("utf-8", "replace")
    captures = tree_sitter.QueryCursor(syntax_query(grammar)).captures(parse(source, grammar).root_node)
    open_classes: list[tuple[int, str]] = []
    for node in sorted(captures.get("container", []), key=lambda node: (node.start_byte, -node.end_byte)):
        name = node.child_by_field_name("name")
        if name is None:
            continue
        while open_classes and open_classes[-1][0] < node.end_byte:
            open_classes.pop()
        spelling = source[name.start_byte : name.end_byte].decode("utf-8", "replace")
        qualified = ".".join([outer for _, outer in open_classes] + [spelling])
        open_classes.append((node.end_byte, spelling))
        parent = node.parent
        is_wrapped = parent is not None and parent.type in LANGUAGES[language].wrappers
        first = parent.start_point.row if parent is not None and is_wrapped else node.start_point.row
        yield _Unit(first, node.end_point.row, "class", qualified)


def _cut(lines: list[str], units: list[_Unit], config: IndexConfig) -> Iterator[Chunk]:
    owners: list[_Unit | None] = [None] * len(lines)
    whole: list[_Unit] = []
    end_of_function = -1
    for found in units:
        if found.first <= end_of_function:
            continue  # inside a function, or on the line where one ends
        unit = found._replace(first=_with_comments_above(lines, found.first, owners))
        if unit.kind != "class":
            whole.append(unit)
            end_of_function = unit.last
        owners[unit.first : unit.last + 1] = [unit] * (min(unit.last, len(lines) - 1) + 1 - unit.first)
    for unit in whole:
        yield from _windows(lines, unit.first, unit.last, unit.kind, unit.name, config)
    yield from _remainders(lines, owners, config)


def _with_comments_above(lines: list[str], first: int, owners: list[_Unit | None]) -> int:
    here = owners[first]
    while first > 0 and owners[first - 1] is here and _COMMENT_LINE.match(lines[first - 1]):
        if here is not None and first - 1 == here.first:
            break
        first -= 1
    return first


def _remainders(lines: list[str], owners: list[_Unit | None], config: IndexConfig) -> Iterator[Chunk]:
    """Yield class heads, what stands between methods, and top-level blocks: all lines that no function owns."""
    start = 0
    for end in range(1, len(lines) + 1):
        if end < len(lines) and owners[end] is owners[start]:
            continue
        owner = owners[start]
        if owner is None:
            yield from _blocks(lines, start, end - 1, config)
        elif owner.kind == "class":
            is_head = start == owner.first
            if is_head or _num_telling_lines(lines[start:end]) >= _MIN_BLOCK_LINES:
                yield from _windows(lines, start, end - 1, "class" if is_head else "block", owner.name, config)
        start = end


def _blocks(lines: list[str], first: int, last: int, config: IndexConfig) -> Iterator[Chunk]:
    """Yield top-level code in pieces that begin at unindented lines behind blank ones; small neighbours are joined."""
    start = first
    for index in range(first, last + 2):
        is_end = index == last + 1
        if not is_end and not _starts_piece(lines, index, first):
            continue
        is_long = index - start >= config.block_lines
        if index > start and (is_end or is_long or _starts_type(lines[index]) or _starts_type(lines[start])):
            yield from _block(lines, start, index - 1, config)
            start = index


def _block(lines: list[str], first: int, last: int, config: IndexConfig) -> Iterator[Chunk]:
    piece = lines[first : last + 1]
    telling = [line for line in piece if line.strip() and not _COMMENT_LINE.match(line)]
    if not telling or _is_only_imports(telling):
        return
    text = "\n".join(telling)
    if (declared := _DECLARED_TYPE.search(text)) is not None:
        yield from _windows(lines, first, last, "class", declared[1], config)
    elif (declared := _DECLARED_FUNCTION.search(text)) is not None:
        yield from _windows(lines, first, last, "function", declared[1], config)
    else:
        declared = _DECLARED_VALUE.match(text)
        yield from _windows(lines, first, last, "block", declared[1] if declared else "", config)


def _is_only_imports(telling: list[str]) -> bool:
    """Tell whether each unindented line begins an import, or closes a list of imported names."""
    tops = [line for line in telling if not line[0].isspace() and line[0] not in ")]}"]
    return all(_IMPORT.match(line) for line in tops)


def _starts_piece(lines: list[str], index: int, first: int) -> bool:
    line = lines[index]
    is_top = bool(line) and not line[0].isspace() and line[0] not in ")]}"
    return is_top and (index == first or not lines[index - 1].strip())


def _starts_type(line: str) -> bool:
    return _DECLARED_TYPE.match(line) is not None or _DECLARED_FUNCTION.match(line) is not None


def _num_telling_lines(lines: list[str]) -> int:
    return sum(1 for line in lines if any(map(str.isalnum, line)) and not _COMMENT_LINE.match(line))


def _windows(lines: list[str], first: int, last: int, kind: Kind, name: str, config: IndexConfig) -> Iterator[Chunk]:
    """Yield the lines as one chunk, or as several where they are many; blank lines around are cut off."""
    last = min(last, len(lines) - 1)
    while first <= last and not lines[first].strip():
        first += 1
    while last >= first and not lines[last].strip():
        last -= 1
    for start in range(first, last + 1, config.max_chunk_lines):
        piece = lines[start : min(start + config.max_chunk_lines, last + 1)]
        yield Chunk(name=name, kind=kind, first_line=start, text="\n".join(line.rstrip("\r") for line in piece))
