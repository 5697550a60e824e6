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

from codet5p.lsp_server.index.config import RankingConfig
from codet5p.lsp_server.index.query import Query
from codet5p.lsp_server.index.schema import SCHEMA_VERSION

__all__ = ["Candidate", "Counts", "IndexReader", "Symbol"]

_MAX_NAMESAKES = 50


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
    """Chunks without a vector of the embedder asked about."""


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
        self._vectors: _Vectors | None = None

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
            "SELECT count(*) FROM chunks c LEFT JOIN vectors v ON v.model = ? AND v.content_hash = c.content_hash"
            " WHERE v.vector IS NULL",
            model,
        )
        return Counts(files, chunks, pending, vectors, unembedded)

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
        similar = self._by_meaning(vector, model, config.num_candidates, condition, values)
        missing = [chunk_id for chunk_id in {*names, *similar} if chunk_id not in keywords]
        scores = keywords | dict.fromkeys(missing, 0.0)
        similarities = self._similarities(scores, vector, model)
        return [Candidate(*row, self._root, scores[row[0]], similarities.get(row[0])) for row in self._rows(scores)]

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
        match = " OR ".join(f'"{word}"' for word in query.words)  # words hold letters and digits alone
        rows = self._connection.execute(
            "SELECT rowid, -bm25(words, ?, ?, 1.0) AS score FROM words WHERE words MATCH ?"  # noqa: S608 - no input
            f"{condition.replace('c.id', 'rowid')} ORDER BY score DESC LIMIT ?",
            [config.name_weight, config.path_weight, match, *values, config.num_candidates],
        )
        return dict(rows)

    def _by_name(self, symbols: Sequence[str], condition: str, values: list[str]) -> list[int]:
        if not symbols:
            return []
        sql = f"SELECT c.id FROM chunks c WHERE c.name_key IN ({_marks(symbols)}){condition} LIMIT ?"  # noqa: S608
        return [row[0] for row in self._connection.execute(sql, [*symbols, *values, _MAX_NAMESAKES])]

    def _by_meaning(
        self, vector: NDArray[np.float32] | None, model: str, count: int, condition: str, values: list[str]
    ) -> list[int]:
        if vector is None:
            return []
        vectors = self._loaded_vectors(model)
        if not condition:
            return vectors.nearest(vector, count)
        allowed = {row[0] for row in self._connection.execute(f"SELECT c.id FROM chunks c WHERE 1{condition}", values)}  # noqa: S608
        return vectors.nearest(vector, count, allowed)

    def _similarities(self, ids: Iterable[int], vector: NDArray[np.float32] | None, model: str) -> dict[int, float]:
        return {} if vector is None else self._loaded_vectors(model).similarities(vector, ids)

    def _loaded_vectors(self, model: str) -> "_Vectors":
        """Return all vectors of `model`, read anew whenever the index has changed."""
        change = self._number("SELECT coalesce(max(value), 0) FROM facts WHERE key = 'change'")
        if self._vectors is None or (self._vectors.model, self._vectors.change) != (model, change):
            rows = self._connection.execute(
                "SELECT c.id, v.vector FROM chunks c JOIN vectors v ON v.model = ? AND v.content_hash = c.content_hash",
                (model,),
            ).fetchall()
            self._vectors = _Vectors(model, change, rows)
        return self._vectors

    def _rows(self, ids: Iterable[int]) -> list[tuple[int, str, str, str, int, str, str, str]]:
        wanted = list(ids)
        return self._connection.execute(
            "SELECT c.id, c.name, c.name_key, c.kind, c.first_line, f.path, f.language, f.role"  # noqa: S608 - likewise
            f" FROM chunks c JOIN files f ON f.id = c.file_id WHERE c.id IN ({_marks(wanted)})",
            wanted,
        ).fetchall()


class _Vectors:
    """All vectors of one index in memory.

    Searched by one matrix product: exact, and 50,000 rows of 256 take a few milliseconds, so that an approximate index
    (usearch and the like) would cost a dependency and recall to save nothing a user can notice.
    """

    def __init__(self, model: str, change: int, rows: list[tuple[int, bytes]]) -> None:
        self.model = model
        self.change = change
        self._ids = np.array([row[0] for row in rows], np.int64)
        self._row_of = {row[0]: index for index, row in enumerate(rows)}
        stored = np.frombuffer(b"".join(row[1] for row in rows), np.float16)
        self._matrix_NE = stored.reshape(len(rows), -1).astype(np.float32) if rows else np.zeros((0, 1), np.float32)

    def nearest(self, vector_E: NDArray[np.float32], count: int, allowed: set[int] | None = None) -> list[int]:
        """Return the ids of the `count` rows with the largest dot product."""
        if not len(self._ids):
            return []
        scores = self._matrix_NE @ vector_E
        if allowed is not None:
            scores = np.where(np.isin(self._ids, list(allowed)), scores, -np.inf)
        best = np.argpartition(-scores, min(count, len(scores) - 1))[:count]
        return [int(self._ids[index]) for index in best if np.isfinite(scores[index])]

    def similarities(self, vector_E: NDArray[np.float32], ids: Iterable[int]) -> dict[int, float]:
        """Return the dot product of each id that has a vector."""
        known = [chunk_id for chunk_id in ids if chunk_id in self._row_of]
        if not known:
            return {}
        scores = self._matrix_NE[[self._row_of[chunk_id] for chunk_id in known]] @ vector_E
        return dict(zip(known, scores.tolist(), strict=True))


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
