import io
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread

import numpy as np
import pytest
from numpy.typing import NDArray

from codet5p.core.errors import ArtifactError
from codet5p.lsp_server.index import embedding, worker
from codet5p.lsp_server.index.config import IndexConfig
from codet5p.lsp_server.index.encoder import EncoderPlace
from codet5p.lsp_server.index.store import IndexWriter
from codet5p.lsp_server.index.worker import Worker

_SECONDS = 20.0
_LONG_AGO_NS = 10**18


class OneEmbedder:
    """Gives each text the same vector; waits before each batch while `gate` is closed."""

    name = "one-1"
    gate = Event()
    gate.set()

    def __init__(self, place: EncoderPlace) -> None:
        if place.artifact.name == "broken":
            raise ArtifactError("weights.safetensors is truncated; see codet5p doctor")
        self.num_texts = 0
        self.has_begun = Event()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.has_begun.set()
        assert self.gate.wait(_SECONDS)
        self.num_texts += len(texts)
        return np.ones((len(texts), 1), np.float32)


class Talk:
    """Orders to a worker, and what it says."""

    def __init__(self) -> None:
        self.embedders: list[OneEmbedder] = []
        reading, writing = os.pipe()
        self.orders = os.fdopen(writing, "w", encoding="utf-8")
        self.events: Queue[dict[str, object]] = Queue()
        self._worker = Worker(_Lines(self.events), IndexConfig(files_per_transaction=1), self._open_encoder)
        self._input = os.fdopen(reading, encoding="utf-8")
        self._threads = [Thread(target=self._worker.listen, args=(self._input,)), Thread(target=self._worker.run)]
        for thread in self._threads:
            thread.start()

    def _open_encoder(self, place: EncoderPlace) -> OneEmbedder:
        self.embedders.append(OneEmbedder(place))
        return self.embedders[-1]

    def order(self, **order: object) -> None:
        self.orders.write(json.dumps(order) + "\n")
        self.orders.flush()

    def is_heard(self) -> bool:
        """Return whether the worker has read the last order, and leaves off embedding for it."""
        return self._worker._interrupt.is_set()

    def wait_for(self, state: str) -> dict[str, object]:
        deadline = time.monotonic() + _SECONDS
        while True:
            event = self.events.get(timeout=max(deadline - time.monotonic(), 0.01))
            if event["state"] == state:
                return event

    def end(self) -> None:
        self.orders.close()
        for thread in self._threads:
            thread.join(_SECONDS)
            assert not thread.is_alive()
        self._input.close()


class _Lines(io.TextIOBase):
    def __init__(self, events: Queue[dict[str, object]]) -> None:
        self._events = events

    def write(self, line: str) -> int:
        self._events.put(json.loads(line))
        return len(line)


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    yield talk
    talk.end()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    for number in range(3):
        (root / f"{number}.py").write_text("def f():\n    pass\n", "utf-8")
        os.utime(root / f"{number}.py", ns=(_LONG_AGO_NS, _LONG_AGO_NS))
    return root


def test_a_folder_is_indexed_and_its_changes_follow(talk: Talk, root: Path, tmp_path: Path) -> None:
    talk.order(do="watch", folders=[[str(root), str(tmp_path / "a.sqlite")]])
    assert (event := talk.wait_for("indexing"))["total"] == 3
    assert event["root"] == str(root)
    talk.wait_for("ready")
    (root / "new.py").write_text("def g():\n    pass\n", "utf-8")
    talk.order(do="update", root=str(root), paths=["new.py"])
    assert talk.wait_for("indexing")["total"] == 1
    talk.wait_for("ready")


def test_a_paused_worker_waits_and_goes_on(talk: Talk, root: Path, tmp_path: Path) -> None:
    talk.order(do="pause")
    talk.order(do="watch", folders=[[str(root), str(tmp_path / "a.sqlite")]])
    with pytest.raises(Empty):
        talk.events.get(timeout=0.3)
    talk.order(do="resume")
    talk.wait_for("ready")


def test_while_another_process_writes_this_one_waits(talk: Talk, root: Path, tmp_path: Path) -> None:
    writer = IndexWriter.open(tmp_path / "a.sqlite")
    assert writer is not None
    with writer:
        talk.order(do="watch", folders=[[str(root), str(tmp_path / "a.sqlite")]])
        talk.wait_for("waiting")
    talk.order(do="update", root=str(root), paths=None)
    talk.wait_for("ready")


def test_when_the_other_process_ends_this_one_takes_over_by_itself(
    talk: Talk, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_TAKE_OVER_SECONDS", 0.05)
    writer = IndexWriter.open(tmp_path / "a.sqlite")
    assert writer is not None
    with writer:
        talk.order(do="watch", folders=[[str(root), str(tmp_path / "a.sqlite")]])
        talk.wait_for("waiting")
        with pytest.raises(Empty):
            talk.events.get(timeout=0.5)  # it tries again and again, and says so once
    talk.wait_for("ready")


def test_while_one_window_is_paused_another_takes_over_and_later_hands_back(
    talk: Talk, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_TAKE_OVER_SECONDS", 0.05)
    folders = [[str(root), str(tmp_path / "a.sqlite")]]
    talk.order(do="watch", folders=folders)
    talk.wait_for("ready")
    other = Talk()
    try:
        other.order(do="watch", folders=folders)
        other.wait_for("waiting")
        talk.order(do="pause")
        other.wait_for("ready")
        talk.order(do="resume")
        talk.wait_for("waiting")
    finally:
        other.end()
    talk.wait_for("ready")


def test_a_folder_left_while_its_index_is_opened_is_free_for_others(
    talk: Talk, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_writer, is_open, may_go_on = IndexWriter.open, Event(), Event()

    def open_slowly(path: Path, *, is_check_wanted: bool = False) -> IndexWriter | None:
        writer = open_writer(path, is_check_wanted=is_check_wanted)
        is_open.set()
        assert may_go_on.wait(_SECONDS)
        return writer

    with monkeypatch.context() as patches:
        patches.setattr(IndexWriter, "open", open_slowly)
        talk.order(do="watch", folders=[[str(root), str(tmp_path / "a.sqlite")]])
        assert is_open.wait(_SECONDS)
    talk.order(do="watch", folders=[])
    while not talk.is_heard():
        time.sleep(0.01)
    may_go_on.set()
    deadline = time.monotonic() + _SECONDS
    while (writer := IndexWriter.open(tmp_path / "a.sqlite")) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    writer.close()


def test_a_place_that_cannot_be_written_is_reported_and_tried_again(talk: Talk, root: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way", "utf-8")
    talk.order(do="watch", folders=[[str(root), str(tmp_path / "folder" / "a.sqlite")]])
    assert "cannot write the search index" in str(talk.wait_for("failed")["message"])
    (tmp_path / "folder").unlink()
    talk.order(do="update", root=str(root), paths=["0.py"])
    talk.wait_for("ready")


def test_what_is_not_an_order_is_passed_over(
    talk: Talk, root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    talk.orders.write("nonsense\n{}\n[]\n")
    talk.order(do="dance")
    talk.order(do="update", root="/elsewhere", paths=None)
    talk.order(do="watch", folders=[[str(root), str(tmp_path / "a.sqlite")]])
    talk.wait_for("ready")
    assert caplog.text.count("not an order") == 4


def test_a_folder_no_longer_watched_is_free_for_others(talk: Talk, root: Path, tmp_path: Path) -> None:
    talk.order(do="watch", folders=[[str(root), str(tmp_path / "a.sqlite")]])
    talk.wait_for("ready")
    talk.order(do="watch", folders=[])
    deadline = time.monotonic() + _SECONDS
    while (writer := IndexWriter.open(tmp_path / "a.sqlite")) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    writer.close()


def test_vectors_come_after_the_keywords_and_only_for_what_is_new(talk: Talk, root: Path, tmp_path: Path) -> None:
    (root / "1.py").write_text("def other():\n    pass\n", "utf-8")
    folders = [[str(root), str(tmp_path / "a.sqlite")]]
    talk.order(do="watch", folders=folders, encoder=["encoder", "cache"])
    talk.wait_for("ready")
    assert talk.wait_for("embedding")["total"] == 2  # files 0 and 2 are equal
    talk.wait_for("embedded")
    (root / "0.py").rename(root / "renamed.py")
    (root / "new.py").write_text("def new():\n    pass\n", "utf-8")
    talk.order(do="update", root=str(root), paths=None)
    assert talk.wait_for("embedding")["total"] == 1
    talk.wait_for("embedded")
    (embedder,) = talk.embedders
    assert embedder.num_texts == 3


def test_an_edit_does_not_wait_for_vectors(
    talk: Talk, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_BATCH", 1)
    for number in range(3):
        (root / f"{number}.py").write_text(f"def f{number}():\n    pass\n", "utf-8")
    closed = Event()
    monkeypatch.setattr(OneEmbedder, "gate", closed)
    talk.order(do="watch", folders=[[str(root), str(tmp_path / "a.sqlite")]], encoder=["encoder", "cache"])
    talk.wait_for("ready")
    while not talk.embedders:
        time.sleep(0.01)
    (embedder,) = talk.embedders
    assert embedder.has_begun.wait(_SECONDS)
    (root / "new.py").write_text("def new():\n    pass\n", "utf-8")
    talk.order(do="update", root=str(root), paths=["new.py"])
    while not talk.is_heard():
        time.sleep(0.01)
    closed.set()
    states = [str(talk.events.get(timeout=_SECONDS)["state"])]
    while states[-1] != "embedded":
        states.append(str(talk.events.get(timeout=_SECONDS)["state"]))
    first_ready = states.index("ready")
    assert states[:first_ready].count("embedding") == 1  # the batch that was at hand
    assert states[first_ready + 1 :] == ["embedding"] * 3 + ["embedded"]


def test_without_a_working_encoder_keywords_have_to_do(talk: Talk, root: Path, tmp_path: Path) -> None:
    talk.order(do="watch", folders=[[str(root), str(tmp_path / "a.sqlite")]], encoder=["broken", "cache"])
    talk.wait_for("ready")
    message = str(talk.wait_for("failed")["message"])
    assert message == "weights.safetensors is truncated; see codet5p doctor; search goes by keywords alone"
    (root / "new.py").write_text("def new():\n    pass\n", "utf-8")
    talk.order(do="update", root=str(root), paths=["new.py"])
    talk.wait_for("ready")
