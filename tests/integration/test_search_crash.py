"""The indexing process killed at random points: the index opens, is consistent, and goes on."""

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest

from codet5p.lsp_server.features.search import Searcher, SearchQuery
from codet5p.lsp_server.index.config import IndexConfig, RankingConfig
from codet5p.lsp_server.index.indexer import update_index
from codet5p.lsp_server.index.store import IndexWriter

_NUM_KILLS = 100
_NUM_FILES = 150
_MANY_ROUNDS = 1000
_PROGRAM = """
import sys
from pathlib import Path
from threading import Event
from codet5p.lsp_server.index.config import IndexConfig
from codet5p.lsp_server.index.indexer import update_index
from codet5p.lsp_server.index.store import IndexWriter

database, root = map(Path, sys.argv[1:])
writer = IndexWriter.open(database)
print("begun", flush=True)
for line in sys.stdin:
    with writer.changing():
        writer.forget_files()
    update_index(writer, root, IndexConfig(files_per_transaction=3), Event())
"""


@pytest.mark.timeout(600)
def test_an_indexer_killed_a_hundred_times_leaves_an_index_that_opens_and_goes_on(tmp_path: Path) -> None:
    root, database = tmp_path / "root", tmp_path / "index.sqlite"
    root.mkdir()
    for number in range(_NUM_FILES):
        (root / f"file{number}.py").write_text(_source(number), "utf-8")
    chance = random.Random(0)
    for kill in range(_NUM_KILLS):
        (root / f"file{chance.randrange(_NUM_FILES)}.py").write_text(_source(1000 + kill), "utf-8")
        _index_and_kill(database, root, chance.uniform(0.0, 0.4))
        _check_consistency(database)
    with _opened(database) as writer:
        assert update_index(writer, root, IndexConfig(), Event()).remaining == 0
        assert len(writer.known_files()) == _NUM_FILES
    searcher = Searcher([(root, database)], RankingConfig())
    answer = searcher.search(SearchQuery(text=f"zebra{1000 + _NUM_KILLS - 1}"))
    searcher.close()
    assert answer.hits[0].name == f"zebra{1000 + _NUM_KILLS - 1}"
    assert (answer.indexed, answer.pending) == (_NUM_FILES, 0)


def _source(number: int) -> str:
    return "\n".join(f"def {name}{number}(value):\n    return value\n" for name in ("zebra", "okapi", "tapir"))


def _index_and_kill(database: Path, root: Path, seconds: float) -> None:
    """Kill an indexer after `seconds`, of which it spends every moment indexing, again and again."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM, database, root],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        assert process.stdout.readline() == "begun\n"
        process.stdin.write("go\n" * _MANY_ROUNDS)
        process.stdin.flush()
        time.sleep(seconds)
        assert process.poll() is None, "the indexer ended by itself"
        process.kill()
        process.wait()


def _check_consistency(database: Path) -> None:
    """Check what a crash could break: the file, the full-text index, and chunks without a file or words."""
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.execute("INSERT INTO words(words) VALUES ('integrity-check')")
    orphans = "SELECT count(*) FROM chunks WHERE file_id NOT IN (SELECT id FROM files)"
    assert connection.execute(orphans).fetchone() == (0,)
    chunks = connection.execute("SELECT count(*) FROM chunks").fetchone()
    assert connection.execute("SELECT count(*) FROM words").fetchone() == chunks
    connection.rollback()
    connection.close()


def _opened(database: Path) -> IndexWriter:
    writer = IndexWriter.open(database, is_check_wanted=True)
    assert writer is not None
    return writer
