"""The reading side of an index: candidates by keywords, by name and by meaning, and the text of what was found.

A reader belongs to one thread. It holds no transaction between calls, so a writer is never in its way.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codet5p.lsp_server.index.chunker import Chunk
from codet5p.lsp_server.index.config import RankingConfig
from codet5p.lsp_server.index.query import Query
from codet5p.lsp_server.index.schema import SCHEMA_VERSION
from codet5p.lsp_server.index.vectors import VectorTable

__all__ = ["Candidate", "Counts", "IndexReader", "Symbol"]

_MAX_NAMESAKES = 50
_MIN_BEGINNING = 3
_MIN_STEM = 5
_MAX_ENDING = 4
"""Letters that may lie between a half-typed word and its stem, as `configura` is longer than `configur`."""
_MAX_MARKS = 10_000
"""Values in one statement; SQLite takes 32,766."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that may become a hit; numbers grow with likeness.

    Attributes:
        id: The chunk, in its own index.
        name: Its qualified name; may be empty.
        name_key: What equal spellings of its name share.
        kind: Function, method, class or block.
        first_line: Its first line, from 0.
        path: Its file, relative to its root.
        language: Its language.
        role: What its file is to the workspace.
        root: The folder whose index it comes from.
        bm25: BM25 of the query's words; 0 without any.
        similarity: Cosine with the query's vector; None without a vector.
    """

    id: int
    name: str
    name_key: str
    kind: str
    first_line: int
    path: str
    language: str
    role: str
    root: Path
    bm25: float
    similarity: float | None = None

    @property
    def place(self) -> tuple[Path, str]:
        """What tells its file from those of all folders."""
        return self.root, self.path


class Symbol(NamedTuple):
    """A definition as `workspace/symbol` lists it."""

    path: str
    name: str
    kind: str
    first_line: int
    num_lines: int


class Counts(NamedTuple):
    """How much an index holds."""

    files: int = 0
    chunks: int = 0
    pending: int = 0
    """Files known to have changed and not read yet."""
    vectors: int = 0
    unembedded: int = 0
    """Distinct pieces of code without a vector of the embedder asked about."""


class IndexReader:
    """Reads one index. Everything raises `sqlite3.Error` where the database is missing or damaged."""

    def __init__(self, path: Path, root: Path) -> None:
        """Open the database at `path`, which indexes the folder `root`, for reading only."""
        self._root = root
        self._path = path
        self._inode = path.stat().st_ino
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA trusted_schema = OFF")
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version != SCHEMA_VERSION:
                raise sqlite3.DatabaseError(f"schema {version}, not {SCHEMA_VERSION}")
        except sqlite3.Error:
            self._connection.close()
            raise
        self._vectors: VectorTable | None = None
        self._change = -1

    @property
    def is_current(self) -> bool:
        """Whether the file it reads still is the one at its path; a damaged index is replaced by a new file."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def counts(self, model: str | None = None) -> Counts:
        """Return how much there is; with the name of an embedder, also how much of it is embedded."""
        files, chunks = (self._number(f"SELECT count(*) FROM {table}") for table in ("files", "chunks"))  # noqa: S608
        pending = self._number("SELECT coalesce(max(value), 0) FROM facts WHERE key = 'pending'")
        if model is None:
            return Counts(files, chunks, pending)
        vectors = self._number("SELECT count(*) FROM vectors WHERE model = ?", model)
        unembedded = self._number(
            "SELECT count(DISTINCT c.content_hash) FROM chunks c LEFT JOIN vectors v"
            " ON v.model = ? AND v.content_hash = c.content_hash WHERE v.id IS NULL",
            model,
        )
        return Counts(files, chunks, pending, vectors, unembedded)

    def progress(self) -> Counts:
        """Return how many files there are and wait, which costs no look at their chunks."""
        files = self._number("SELECT count(*) FROM files")
        return Counts(files, pending=self._number("SELECT coalesce(max(value), 0) FROM facts WHERE key = 'pending'"))

    def has_vectors(self, model: str) -> bool:
        """Return whether anything of this index is embedded by `model`."""
        return bool(self._number("SELECT EXISTS (SELECT 1 FROM vectors WHERE model = ?)", model))

    def chunks_of(self, path: str) -> list[Chunk]:
        """Return the chunks of a file as they were indexed, in the order of their lines."""
        rows = self._connection.execute(
            "SELECT c.name, c.kind, c.first_line, c.text FROM chunks c JOIN files f ON f.id = c.file_id"
            " WHERE f.path = ? ORDER BY c.first_line",
            (path,),
        )
        return [Chunk(name=name, kind=kind, first_line=first, text=text) for name, kind, first, text in rows]

    def candidates(
        self,
        query: Query,
        config: RankingConfig,
        vector: NDArray[np.float32] | None = None,
        model: str = "",
    ) -> list[Candidate]:
        """Return the best chunks by keywords, those that bear a name in the query, and the best by meaning.

        Args:
            query: Words, names and filters.
            config: How many, and what a word in a name or path counts.
            vector: The query's vector, float32 [width]; None without an embedder.
            model: The embedder's name.

        Returns:
            Candidates in no particular order, each once.
        """
        condition, values = _condition(query, self._root.name)
        keywords = self._by_keywords(query, config, condition, values)
        names = self._by_name(query.symbols, condition, values)
        similar = self._by_meaning(vector, model, config, condition, values)
        missing = [chunk_id for chunk_id in {*names, *similar} if chunk_id not in keywords]
        scores = keywords | dict.fromkeys(missing, 0.0)
        rows = self._rows(scores)
        similarities = self._similarities([row[-1] for row in rows], vector, model)
        return [Candidate(*row[:-1], self._root, scores[row[0]], similarities.get(row[-1])) for row in rows]

    def texts(self, ids: Iterable[int]) -> dict[int, str]:
        """Return the texts of chunks."""
        wanted = list(ids)
        rows = self._connection.execute(
            f"SELECT id, text FROM chunks WHERE id IN ({_marks(wanted)})",  # noqa: S608 - question marks only
            wanted,
        )
        return dict(rows)

    def symbols(self, text: str, limit: int) -> list[Symbol]:
        """Return named definitions whose name holds the characters of `text` in their order, the closest first."""
        key = "".join(filter(str.isalnum, text.rsplit(".", 1)[-1])).lower()
        in_order = "%" + "%".join(key) + "%"
        rows = self._connection.execute(
            "SELECT f.path, c.name, c.kind, c.first_line, 1 + length(c.text) - length(replace(c.text, char(10), ''))"
            " FROM chunks c JOIN files f ON f.id = c.file_id WHERE c.name_key LIKE ? AND c.name != ''"
            " ORDER BY c.name_key = ? DESC, instr(c.name_key, ?) = 1 DESC, instr(c.name_key, ?) > 0 DESC,"
            " f.role = 'source' DESC, c.kind = 'block', length(c.name), f.path, c.first_line LIMIT ?",
            (in_order, key, key, key, limit),
        )
        return [Symbol(*row) for row in rows]

    def _number(self, sql: str, *values: object) -> int:
        return int(self._connection.execute(sql, values).fetchone()[0])

    def _by_keywords(self, query: Query, config: RankingConfig, condition: str, values: list[str]) -> dict[int, float]:
        if not query.words:
            return {}
        *terms, last = [f'"{word}"' for word in query.words]  # words hold letters and digits alone
        if query.may_end_in_a_beginning:
            last = self._beginning(query.words[-1])
        match = " OR ".join([*terms, last])
        rows = self._connection.execute(
            "SELECT rowid, -bm25(words, ?, ?, 1.0) AS score FROM words WHERE words MATCH ?"  # noqa: S608 - no input
            f"{condition.replace('c.id', 'rowid')} ORDER BY score DESC LIMIT ?",
            [config.name_weight, config.path_weight, match, *values, config.num_candidates],
        )
        return dict(rows)

    def _beginning(self, word: str) -> str:
        """Return the term for a word that may be half typed: itself if it is anywhere, else what begins like it."""
        term = f'"{word}"'
        if len(word) < _MIN_BEGINNING or self._is_anywhere(term):
            return term
        shortest = max(_MIN_STEM, len(word) - _MAX_ENDING)
        beginnings = [word, *(word[:length] for length in range(len(word) - 1, shortest - 1, -1))]
        return next((f'"{start}"*' for start in beginnings if self._is_anywhere(f'"{start}"*')), term)

    def _is_anywhere(self, term: str) -> bool:
        return bool(self._number("SELECT EXISTS (SELECT 1 FROM words WHERE words MATCH ?)", term))

    def _by_name(self, symbols: Sequence[str], condition: str, values: list[str]) -> list[int]:
        if not symbols:
            return []
        sql = f"SELECT c.id FROM chunks c WHERE c.name_key IN ({_marks(symbols)}){condition} LIMIT ?"  # noqa: S608
        return [row[0] for row in self._connection.execute(sql, [*symbols, *values, _MAX_NAMESAKES])]

    def _by_meaning(
        self, vector: NDArray[np.float32] | None, model: str, config: RankingConfig, condition: str, values: list[str]
    ) -> list[int]:
        """Return the chunks with the nearest vectors; vectors of vanished chunks, and filters, make it look farther."""
        if vector is None:
            return []
        found: list[int] = []
        count = config.num_candidates
        for nearest in self._loaded_vectors(model).nearest(vector, 2 * count):
            near = [content for content, cosine in nearest if cosine >= config.min_similarity]
            found = self._chunks_with(near, condition, values)
            if len(found) >= count or len(near) < len(nearest):
                break
        return found[:count]

    def _chunks_with(self, contents: Sequence[bytes], condition: str, values: list[str]) -> list[int]:
        """Return the chunks with these content hashes, in the order of the hashes."""
        rank = {content: position for position, content in enumerate(contents)}
        rows: list[tuple[int, bytes]] = []
        for start in range(0, len(contents), _MAX_MARKS):
            part = contents[start : start + _MAX_MARKS]
            sql = f"SELECT c.id, c.content_hash FROM chunks c WHERE c.content_hash IN ({_marks(part)}){condition}"  # noqa: S608
            rows += self._connection.execute(sql, [*part, *values])
        return [chunk_id for chunk_id, _ in sorted(rows, key=lambda row: (rank[row[1]], row[0]))]

    def _similarities(
        self, contents: Sequence[bytes], vector: NDArray[np.float32] | None, model: str
    ) -> dict[bytes, float]:
        return {} if vector is None else self._loaded_vectors(model).similarities(vector, contents)

    def _loaded_vectors(self, model: str) -> VectorTable:
        """Return all vectors of `model`; what is new is read whenever the index has changed."""
        if self._vectors is None or self._vectors.model != model:
            self._vectors, self._change = VectorTable(model), -1
        change = self._number("SELECT coalesce(max(value), 0) FROM facts WHERE key = 'change'")
        if change != self._change:
            self._vectors.refresh(self._connection)
            self._change = change
        return self._vectors

    def _rows(self, ids: Iterable[int]) -> list[tuple[int, str, str, str, int, str, str, str, bytes]]:
        wanted = list(ids)
        return self._connection.execute(
            "SELECT c.id, c.name, c.name_key, c.kind, c.first_line, f.path, f.language, f.role, c.content_hash"  # noqa: S608
            f" FROM chunks c JOIN files f ON f.id = c.file_id WHERE c.id IN ({_marks(wanted)})",
            wanted,
        ).fetchall()


def _condition(query: Query, root_name: str) -> tuple[str, list[str]]:
    """Return the SQL that holds the query's filters, and its values; empty without filters."""
    parts: list[str] = []
    values: list[str] = []
    if query.language is not None:
        parts.append("f.language = ?")
        values.append(query.language)
    if query.kind is not None:
        parts.append("k.kind = ?")
        values.append(query.kind)
    if query.path is not None:
        is_pattern = any(mark in query.path for mark in "*?")
        parts.append("(? || '/' || f.path) GLOB ?" if is_pattern else "instr(lower(? || '/' || f.path), ?) > 0")
        values += [root_name, f"*{query.path}" if is_pattern else query.path.lower()]
    if not parts:
        return "", []
    inner = f"SELECT k.id FROM chunks k JOIN files f ON f.id = k.file_id WHERE {' AND '.join(parts)}"  # noqa: S608
    return f" AND c.id IN ({inner})", values


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
