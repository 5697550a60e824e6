"""The layout of an index database, and how an older one becomes a newer one.

    files(id, path, language, role, size, modified_ns, read_ns, digest)
    chunks(id, file_id, name, name_key, kind, first_line, text, content_hash)
    words(name, path, text)          FTS5, contentless; its rowid is the chunk's id
    vectors(id, model, content_hash, vector)         ids grow, so that a reader asks only for what is new to it
    facts(key, value)                chunking version, pending files, number of the last change

Vectors hang on the content of a chunk and on nothing else: a file that is renamed, reverted or checked out on another
branch finds them again.
"""

import sqlite3

from codet5p.lsp_server.index.chunker import CHUNKING_VERSION

__all__ = ["SCHEMA_VERSION", "forget_files", "upgrade"]

_KEYWORDS = """
    CREATE TABLE facts(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE files(
        id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, language TEXT NOT NULL, role TEXT NOT NULL,
        size INTEGER NOT NULL, modified_ns INTEGER NOT NULL, read_ns INTEGER NOT NULL, digest BLOB NOT NULL
    );
    CREATE TABLE chunks(
        id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL REFERENCES files(id), name TEXT NOT NULL,
        name_key TEXT NOT NULL, kind TEXT NOT NULL, first_line INTEGER NOT NULL, text TEXT NOT NULL,
        content_hash BLOB NOT NULL
    );
    CREATE INDEX chunks_by_file ON chunks(file_id);
    CREATE INDEX chunks_by_name ON chunks(name_key);
    CREATE VIRTUAL TABLE words USING fts5(
        name, path, text, content='', tokenize="porter unicode61 remove_diacritics 2"
    );
"""
_VECTORS = """
    CREATE TABLE vectors(
        model TEXT NOT NULL, content_hash BLOB NOT NULL, vector BLOB NOT NULL, PRIMARY KEY(model, content_hash)
    ) WITHOUT ROWID;
    CREATE INDEX chunks_by_content ON chunks(content_hash);
"""
_NUMBERED_VECTORS = """
    DROP TABLE vectors;
    CREATE TABLE vectors(
        id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, content_hash BLOB NOT NULL, vector BLOB NOT NULL
    );
    CREATE UNIQUE INDEX vectors_by_content ON vectors(model, content_hash);
"""
_STEPS = (_KEYWORDS, _VECTORS, _NUMBERED_VECTORS)

SCHEMA_VERSION = len(_STEPS)


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring a database, empty or older, to this schema in one transaction.

    Where only the cutting of files changed, the files are forgotten, to be read again, and the vectors are kept.

    Args:
        connection: In autocommit mode, with the right to write.

    Raises:
        ValueError: If the database is of a newer schema.
    """
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise ValueError(f"schema {version} is newer than {SCHEMA_VERSION}")
        for step in _STEPS[version:]:
            for statement in filter(str.strip, step.split(";\n")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")
        row = connection.execute("SELECT value FROM facts WHERE key = 'chunking'").fetchone()
        if row is None or row[0] != CHUNKING_VERSION:
            forget_files(connection)
            connection.execute("REPLACE INTO facts VALUES ('chunking', ?)", (CHUNKING_VERSION,))


def forget_files(connection: sqlite3.Connection) -> None:
    """Empty the keyword side inside the caller's transaction; the vectors stay."""
    connection.execute("DELETE FROM chunks")
    connection.execute("DELETE FROM files")
    connection.execute("INSERT INTO words(words) VALUES ('delete-all')")
