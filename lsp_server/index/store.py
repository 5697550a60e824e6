"""The writing side of an index: one process at a time, every change whole or not at all.

The database is in WAL mode, so any number of readers go on while one writes. Which process writes is settled by an
exclusive transaction on a small second database: the operating system releases it when its holder ends, however it
ends.
"""

import contextlib
import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import repeat
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from codet5p.core.errors import SearchIndexError
from codet5p.lsp_server.index.chunker import Chunk
from codet5p.lsp_server.index.roles import Role
from codet5p.lsp_server.index.schema import forget_files, upgrade
from codet5p.lsp_server.index.vectors import pack
from codet5p.lsp_server.index.walk import FoundFile
from codet5p.lsp_server.index.words import split_identifier, words_of

__all__ = ["IndexWriter", "KnownFile", "PendingChunk", "default_index_folder", "discard", "index_path", "name_key"]

_LOGGER = logging.getLogger(__name__)
_BUSY_SECONDS = 10.0
_PRIVATE = 0o700
_MAX_STEM_CHARACTERS = 40


_UNEMBEDDED = "FROM chunks c LEFT JOIN vectors v ON v.model = ? AND v.content_hash = c.content_hash WHERE v.id IS NULL"


class PendingChunk(NamedTuple):
    """A chunk that waits for its vector."""

    id: int
    content_hash: bytes
    name: str
    text: str


class KnownFile(NamedTuple):
    """A file as the index knows it."""

    id: int
    size: int
    modified_ns: int
    read_ns: int
    digest: bytes


def default_index_folder() -> Path:
    """Return the folder of the user's cache that holds the indexes of all workspaces."""
    return user_cache_path("codet5p") / "index"


def index_path(folder: Path, root: Path) -> Path:
    """Return where the index of a workspace lies: named after it, and told apart by its whole path."""
    resolved = root.resolve()
    digest = blake2b(str(resolved).encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
    stem = "".join(c if c.isalnum() else "-" for c in resolved.name)[:_MAX_STEM_CHARACTERS]
    return folder / f"{stem or 'root'}-{digest}.sqlite"


def name_key(name: str) -> str:
    """Return what equal spellings of a name share: the last component of `Parser.parse_line` gives `parseline`."""
    return "".join(split_identifier(name.rsplit(".", 1)[-1]))


def discard(path: Path) -> None:
    """Remove a database with its side files."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


class IndexWriter:
    """The one writer of an index. Use `IndexWriter.open`; close it, or the next writer has to wait."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._lock = lock

    @classmethod
    def open(cls, path: Path, *, is_check_wanted: bool = False) -> "IndexWriter | None":
        """Return the writer of the index at `path`, or None while another process is it.

        A database that is damaged, or of a newer version, is replaced by an empty one, and the log says so.

        Args:
            path: The database; folders are made, private to the user.
            is_check_wanted: Read all of it in search of damage.

        Returns:
            The writer, or None.

        Raises:
            SearchIndexError: If the place cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
            lock = _acquire(path)
            if lock is None:
                return None
            try:
                connection = _connect(path, is_check_wanted=is_check_wanted)
            except (sqlite3.DatabaseError, ValueError) as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                _LOGGER.warning("the search index %s cannot be used (%s); it is made anew", path, error)
                discard(path)
                connection = _connect(path)
        except (OSError, sqlite3.Error) as error:
            raise SearchIndexError(
                f"cannot write the search index {path}: {error}; free some space or set another folder with --cache"
            ) from None
        return cls(path, connection, lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up the right to write."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA optimize")
        self._connection.close()
        self._lock.close()

    @property
    def path(self) -> Path:
        """The database."""
        return self._path

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Make what the body writes one change: all of it is kept, or none.

        Yields:
            Nothing; the methods that write are called inside.

        Raises:
            SearchIndexError: If it cannot be written, as on a full disk; the index stays as it was.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield
                self._connection.execute(
                    "INSERT INTO facts VALUES ('change', 1) ON CONFLICT(key) DO UPDATE SET value = value + 1"
                )
        except sqlite3.OperationalError as error:
            raise SearchIndexError(
                f"cannot write the search index {self._path}: {error}; free some space and run codet5p index"
            ) from None
        except sqlite3.DatabaseError as error:
            raise SearchIndexError(
                f"the search index {self._path} is damaged ({error}); run codet5p index --rebuild"
            ) from None

    def known_files(self) -> dict[str, KnownFile]:
        """Return the files in the index by path."""
        rows = self._connection.execute("SELECT path, id, size, modified_ns, read_ns, digest FROM files")
        return {row[0]: KnownFile(*row[1:]) for row in rows}

    def put(self, file: FoundFile, *, language: str, role: Role, digest: bytes, chunks: Sequence[Chunk]) -> None:
        """Add a file with its chunks, in the place of what was known of it."""
        self.remove(file.path)
        cursor = self._connection.execute(
            "INSERT INTO files(path, language, role, size, modified_ns, read_ns, digest) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (file.path, language, role, file.size, file.modified_ns, time.time_ns(), digest),
        )
        file_id, path_words = cursor.lastrowid, " ".join(words_of(file.path))
        for chunk in chunks:
            text = chunk.text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates cannot be stored
            cursor = self._connection.execute(
                "INSERT INTO chunks(file_id, name, name_key, kind, first_line, text, content_hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (file_id, chunk.name, name_key(chunk.name), chunk.kind, chunk.first_line, text, chunk.content_hash),
            )
            self._connection.execute(
                "INSERT INTO words(rowid, name, path, text) VALUES (?, ?, ?, ?)",
                (cursor.lastrowid, " ".join(words_of(chunk.name)), path_words, " ".join(words_of(text))),
            )

    def touch(self, file: FoundFile) -> None:
        """Note that a file was found unchanged in content."""
        self._connection.execute(
            "UPDATE files SET size = ?, modified_ns = ?, read_ns = ? WHERE path = ?",
            (file.size, file.modified_ns, time.time_ns(), file.path),
        )

    def remove(self, path: str) -> None:
        """Remove a file with its chunks; their vectors stay."""
        row = self._connection.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if row is None:
            return
        path_words = " ".join(words_of(path))
        for chunk_id, name, text in self._connection.execute(
            "SELECT id, name, text FROM chunks WHERE file_id = ?", row
        ).fetchall():
            # A contentless table has to be told what it held.
            self._connection.execute(
                "INSERT INTO words(words, rowid, name, path, text) VALUES ('delete', ?, ?, ?, ?)",
                (chunk_id, " ".join(words_of(name)), path_words, " ".join(words_of(text))),
            )
        self._connection.execute("DELETE FROM chunks WHERE file_id = ?", row)
        self._connection.execute("DELETE FROM files WHERE id = ?", row)

    def set_pending(self, count: int) -> None:
        """Tell readers how many files are known to be changed and not indexed yet."""
        self._connection.execute("REPLACE INTO facts VALUES ('pending', ?)", (count,))

    def count_unembedded(self, model: str) -> int:
        """Return how many distinct contents have no vector of `model`."""
        sql = f"SELECT count(DISTINCT c.content_hash) {_UNEMBEDDED}"
        return int(self._connection.execute(sql, (model,)).fetchone()[0])

    def unembedded(self, model: str, *, after: int = 0, limit: int = -1) -> list[PendingChunk]:
        """Return chunks whose content has no vector of `model`, in the order of their ids.

        Args:
            model: What the vectors are kept under.
            after: Only chunks with a larger id.
            limit: How many, at most; all where negative.

        Returns:
            The chunks; equal contents may be among them.
        """
        rows = self._connection.execute(
            f"SELECT c.id, c.content_hash, c.name, c.text {_UNEMBEDDED} AND c.id > ? ORDER BY c.id LIMIT ?",
            (model, after, limit),
        )
        return [PendingChunk(*row) for row in rows]

    def put_vectors(self, model: str, hashes: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Store one vector for each content hash; as int8, which costs a cosine about 1e-3."""
        rows = zip(repeat(model), hashes, pack(vectors), strict=False)
        self._connection.executemany("REPLACE INTO vectors(model, content_hash, vector) VALUES (?, ?, ?)", rows)

    def prune_vectors(self, model: str | None) -> int:
        """Remove the vectors of vanished chunks, and those of other models than `model`; return how many."""
        return self._connection.execute(
            "DELETE FROM vectors WHERE model IS NOT ? OR content_hash NOT IN (SELECT content_hash FROM chunks)",
            (model,),
        ).rowcount

    def forget_files(self) -> None:
        """Empty the keyword side, so that every file is read again; the vectors stay."""
        forget_files(self._connection)

    def compact(self) -> None:
        """Give unused space back to the disk."""
        self._connection.execute("INSERT INTO words(words) VALUES ('optimize')")
        self._connection.execute("VACUUM")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _acquire(path: Path) -> sqlite3.Connection | None:
    lock = sqlite3.connect(path.with_suffix(".lock"), timeout=0.0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("PRAGMA locking_mode = EXCLUSIVE")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if "locked" in str(error):
            return None
        raise
    return lock


def _connect(path: Path, *, is_check_wanted: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA trusted_schema = OFF")
        upgrade(connection)
        if is_check_wanted:
            _check(connection)
    except BaseException:
        connection.close()
        raise
    path.chmod(_PRIVATE & ~0o111)
    return connection


def _check(connection: sqlite3.Connection) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise ValueError(verdict)
    connection.execute("INSERT INTO words(words) VALUES ('integrity-check')")
