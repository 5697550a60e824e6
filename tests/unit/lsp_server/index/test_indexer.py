import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from codet5p.lsp_server.index.config import IndexConfig
from codet5p.lsp_server.index.indexer import Changes, update_index
from codet5p.lsp_server.index.reader import IndexReader
from codet5p.lsp_server.index.store import IndexWriter

_LONG_AGO_NS = 10**18


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[IndexWriter]:
    writer = IndexWriter.open(tmp_path / "index.sqlite")
    assert writer is not None
    with writer:
        yield writer


def write(path: Path, text: str) -> None:
    """Write a file that looks old, so that its times alone say whether it changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    os.utime(path, ns=(_LONG_AGO_NS, _LONG_AGO_NS + len(text)))


def update(writer: IndexWriter, root: Path, **options: frozenset[str]) -> tuple[int, int, int]:
    changes = update_index(writer, root, IndexConfig(), Event(), **options)
    assert changes.remaining == 0
    return changes.indexed, changes.removed, changes.skipped


def symbols(writer: IndexWriter, root: Path) -> list[str]:
    reader = IndexReader(writer.path, root)
    names = sorted(symbol.name for symbol in reader.symbols("", 100))
    reader.close()
    return names


def test_only_what_changed_is_read_again(writer: IndexWriter, root: Path) -> None:
    write(root / "a.py", "def a():\n    pass\n")
    write(root / "b.py", "def b():\n    pass\n")
    assert update(writer, root) == (2, 0, 0)
    assert update(writer, root) == (0, 0, 0)
    write(root / "b.py", "def better():\n    pass\n")
    (root / "a.py").unlink()
    assert update(writer, root) == (1, 1, 0)
    assert symbols(writer, root) == ["better"]


def test_a_file_only_touched_is_not_indexed_again(writer: IndexWriter, root: Path) -> None:
    write(root / "a.py", "def a():\n    pass\n")
    update(writer, root)
    os.utime(root / "a.py")
    assert update(writer, root) == (0, 0, 0)


def test_a_second_change_within_the_clocks_grain_is_seen(writer: IndexWriter, root: Path) -> None:
    (root / "a.py").write_text("def a():\n    pass\n", "utf-8")
    state = (root / "a.py").stat()
    update(writer, root)
    (root / "a.py").write_text("def b():\n    pass\n", "utf-8")
    os.utime(root / "a.py", ns=(state.st_atime_ns, state.st_mtime_ns))
    update(writer, root)
    assert symbols(writer, root) == ["b"]


def test_the_paths_given_are_the_only_ones_looked_at(writer: IndexWriter, root: Path) -> None:
    write(root / "a.py", "def a():\n    pass\n")
    write(root / "b.py", "def b():\n    pass\n")
    assert update(writer, root, paths=frozenset({"a.py", "gone.py", "../a.py", "notes.txt"})) == (1, 0, 0)
    (root / "a.py").unlink()
    assert update(writer, root, paths=frozenset({"a.py"})) == (0, 1, 0)
    assert symbols(writer, root) == []


def test_a_newly_ignored_file_leaves_the_index(writer: IndexWriter, root: Path) -> None:
    write(root / "a.py", "def a():\n    pass\n")
    update(writer, root)
    write(root / ".gitignore", "a.py\n")
    assert update(writer, root) == (0, 1, 0)


def test_a_file_that_is_not_text_is_tried_once(writer: IndexWriter, root: Path) -> None:
    write(root / "a.py", "\0binary")
    assert update(writer, root) == (0, 0, 1)
    assert update(writer, root) == (0, 0, 0)
    write(root / "a.py", "def text_again():\n    pass\n")
    assert update(writer, root) == (1, 0, 0)


def test_a_renamed_file_and_another_branch_need_no_new_vectors(writer: IndexWriter, root: Path) -> None:
    import numpy as np

    write(root / "a.py", "def a():\n    pass\n")
    update(writer, root)
    pending = writer.unembedded("m")
    with writer.changing():
        writer.put_vectors("m", [chunk.content_hash for chunk in pending], np.ones((len(pending), 4), np.float32))
    shutil.move(root / "a.py", root / "moved.py")
    update(writer, root)
    assert writer.unembedded("m") == []
    write(root / "moved.py", "def other_branch():\n    pass\n")
    update(writer, root)
    assert len(writer.unembedded("m")) == 1
    write(root / "moved.py", "def a():\n    pass\n")
    update(writer, root)
    assert writer.unembedded("m") == []


def test_a_stopped_update_keeps_what_it_did_and_says_what_is_left(writer: IndexWriter, root: Path) -> None:
    for number in range(10):
        write(root / f"{number}.py", f"def f{number}():\n    pass\n")
    stop = Event()
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        if done >= 4:
            stop.set()

    changes = update_index(writer, root, IndexConfig(files_per_transaction=2), stop, progress)
    assert changes == Changes(indexed=4, removed=0, skipped=0, remaining=6)
    assert seen == [(0, 10), (2, 10), (4, 10)]
    reader = IndexReader(writer.path, root)
    counts = reader.counts()
    reader.close()
    assert (counts.files, counts.pending) == (4, 6)
    assert update(writer, root) == (6, 0, 0)
