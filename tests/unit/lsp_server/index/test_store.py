import logging
import sqlite3
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from codet5p.core.errors import SearchIndexError
from codet5p.lsp_server.index import schema
from codet5p.lsp_server.index.chunker import chunk_file
from codet5p.lsp_server.index.config import IndexConfig, RankingConfig
from codet5p.lsp_server.index.indexer import update_index
from codet5p.lsp_server.index.query import parse_query
from codet5p.lsp_server.index.reader import IndexReader
from codet5p.lsp_server.index.store import IndexWriter, index_path, name_key
from codet5p.lsp_server.index.walk import FoundFile

_CODE = "def parse_header(line):\n    return line\n"


def remove_and_fail(writer: IndexWriter) -> None:
    with writer.changing():
        writer.remove("a.py")
        raise ValueError("in the middle")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "index" / "a.sqlite"


def opened(database: Path) -> IndexWriter:
    writer = IndexWriter.open(database, is_check_wanted=True)
    assert writer is not None
    return writer


def put(writer: IndexWriter, path: str, text: str) -> None:
    file = FoundFile(path, len(text), 0)
    with writer.changing():
        writer.put(file, language="python", role="source", digest=b"d", chunks=chunk_file(text, path))


def names(database: Path, words: str) -> list[str]:
    reader = IndexReader(database, Path("/root"))
    found = reader.candidates(parse_query(words), RankingConfig())
    reader.close()
    return sorted(candidate.name for candidate in found)


def test_what_is_put_is_found_by_any_form_of_its_words_and_no_more_once_removed(database: Path) -> None:
    with opened(database) as writer:
        put(writer, "a.py", _CODE)
        assert names(database, "parsing of HEADERS") == ["parse_header"]
        with writer.changing():
            writer.remove("a.py")
        assert names(database, "parsing of HEADERS") == []
        put(writer, "b.py", _CODE)
    with opened(database):  # which checks that the full-text index agrees with itself
        assert names(database, "parse header") == ["parse_header"]


def test_there_is_one_writer_at_a_time(database: Path) -> None:
    with opened(database):
        assert IndexWriter.open(database) is None
    opened(database).close()


def test_a_failed_change_leaves_everything_as_it_was(database: Path) -> None:
    with opened(database) as writer:
        put(writer, "a.py", _CODE)
        with pytest.raises(ValueError, match="in the middle"):
            remove_and_fail(writer)
        assert names(database, "parse") == ["parse_header"]


@pytest.mark.parametrize("damage", ["not a database", "middle"])
def test_a_damaged_database_is_made_anew_and_the_log_says_so(
    database: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(database) as writer:
        for number in range(200):
            put(writer, f"{number}.py", _CODE.replace("header", f"header{number}"))
    content = bytearray(database.read_bytes())
    if damage == "middle":
        content[8192:16384] = b"\xaa" * 8192
    else:
        content[:] = b"nonsense " * 1000
    database.write_bytes(content)
    with caplog.at_level(logging.WARNING), opened(database) as writer:
        assert writer.known_files() == {}
    assert "is made anew" in caplog.text


def test_a_newer_schema_is_replaced_and_not_misread(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened(database).close()
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(sqlite3.DatabaseError, match="schema 99"):
        IndexReader(database, Path("/root"))
    opened(database).close()
    assert "schema 99 is newer" in caplog.text


def test_an_older_schema_is_migrated_and_keeps_its_files(
    database: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as older:
        older.setattr(schema, "_STEPS", schema._STEPS[:1])
        older.setattr(schema, "SCHEMA_VERSION", 1)
        with opened(database) as writer:
            put(writer, "a.py", _CODE)
    with opened(database) as writer:
        assert list(writer.known_files()) == ["a.py"]
        assert len(writer.unembedded("m")) == 1  # the table of the newer step is there
    assert caplog.text == ""


def test_another_way_of_cutting_reads_files_anew_and_keeps_vectors(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(database) as writer:
        put(writer, "a.py", _CODE)
        (chunk,) = writer.unembedded("m")
        with writer.changing():
            writer.put_vectors("m", [chunk.content_hash], np.ones((1, 4), np.float32))
    monkeypatch.setattr(schema, "CHUNKING_VERSION", 99)
    with opened(database) as writer:
        assert writer.known_files() == {}
        put(writer, "a.py", _CODE)
        assert writer.unembedded("m") == []


def test_a_full_disk_is_an_error_that_names_the_remedy(database: Path) -> None:
    with opened(database) as writer:
        put(writer, "a.py", _CODE)
        pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
        writer._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(SearchIndexError, match=r"database or disk is full; free some space"):
            put(writer, "b.py", "\n".join(f"def function_{n}():\n    return {n}\n" for n in range(2000)))
        assert list(writer.known_files()) == ["a.py"]


def test_a_place_that_cannot_be_written_is_an_error_that_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(SearchIndexError, match=r"cannot write the search index .*--cache"):
        IndexWriter.open(tmp_path / "file" / "a.sqlite")


def test_pruning_drops_only_vectors_that_nothing_needs(database: Path) -> None:
    with opened(database) as writer:
        put(writer, "a.py", _CODE)
        (chunk,) = writer.unembedded("m")
        with writer.changing():
            writer.put_vectors("m", [chunk.content_hash, b"gone" * 4], np.ones((2, 4), np.float32))
            assert writer.prune_vectors("m") == 1
        writer.compact()
        assert writer.unembedded("m") == []


def test_the_index_is_private_to_its_user(database: Path) -> None:
    opened(database).close()
    assert (database.stat().st_mode & 0o077, database.parent.stat().st_mode & 0o077) == (0, 0)


def test_folders_of_one_name_have_indexes_of_their_own(tmp_path: Path) -> None:
    first, second = (index_path(tmp_path, tmp_path / parent / "app") for parent in "ab")
    assert first != second
    assert first.name.startswith("app-")


def test_spellings_of_one_name_share_a_key() -> None:
    assert name_key("Parser.parseLine") == name_key("parse_line") == "parseline"


def test_lone_surrogates_in_a_file_are_stored_as_question_marks(database: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.py").write_bytes(b"def f():\n    return '\xed\xa0\x80'\n")
    with opened(database) as writer:
        assert update_index(writer, root, IndexConfig(), Event()).indexed == 1
    assert names(database, "f") == ["f"]
