import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from small_artifact import SMALL, write_artifact

from codet5p.lsp_server import workspace_search
from codet5p.lsp_server.features.search import SearchQuery
from codet5p.lsp_server.index.background import IndexEvent
from codet5p.lsp_server.index.encoder import EncoderPlace
from codet5p.lsp_server.index.reranking import RerankConfig
from codet5p.lsp_server.workspace_search import NO_ENCODER, WorkspaceSearch

_SECONDS = 150.0  # the indexing process has the lowest priority
_LONG_AGO_NS = 10**18


class Listener:
    """Remembers what the indexing process said."""

    def __init__(self) -> None:
        self.events: list[IndexEvent] = []

    async def __call__(self, event: IndexEvent) -> None:
        self.events.append(event)

    async def wait_for(self, state: str, count: int = 1) -> None:
        deadline = time.monotonic() + _SECONDS
        while [event.state for event in self.events].count(state) < count:
            assert time.monotonic() < deadline, self.events
            await asyncio.sleep(0.02)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    write(root / "a.py", "def parse_header():\n    pass\n")
    return root


@pytest_asyncio.fixture
async def search(tmp_path: Path) -> AsyncIterator[WorkspaceSearch]:
    search = WorkspaceSearch(tmp_path / "indexes")
    yield search
    search.close()


def write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    os.utime(path, ns=(_LONG_AGO_NS, _LONG_AGO_NS + len(text)))


async def names(search: WorkspaceSearch, text: str) -> list[str]:
    return [hit.name for hit in (await search.search(SearchQuery(text=text))).hits]


async def test_without_folders_there_is_nothing_to_find(search: WorkspaceSearch) -> None:
    assert await names(search, "header") == []
    assert (await search.counts()).pending == 0
    assert not search.has_begun


async def test_something_is_pending_until_the_first_look_is_over(search: WorkspaceSearch, root: Path) -> None:
    listener = Listener()
    search.begin([root], listener)
    assert (await search.search(SearchQuery(text="header"))).pending >= 1
    await listener.wait_for("ready")
    answer = await search.search(SearchQuery(text="header"))
    assert ([hit.name for hit in answer.hits], answer.indexed, answer.pending) == (["parse_header"], 1, 0)


async def test_what_nobody_announced_is_found_by_a_later_search(
    search: WorkspaceSearch, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener()
    search.begin([root], listener)
    await listener.wait_for("ready")
    write(root / "b.py", "def header_of_another():\n    pass\n")
    monkeypatch.setattr(workspace_search, "_RESCAN_SECONDS", 0.0)
    await names(search, "header")
    await listener.wait_for("ready", count=2)
    assert set(await names(search, "header")) == {"parse_header", "header_of_another"}


async def test_an_ignore_file_that_changes_concerns_all_files(search: WorkspaceSearch, root: Path) -> None:
    listener = Listener()
    search.begin([root], listener)
    await listener.wait_for("ready")
    write(root / ".gitignore", "a.py\n")
    search.files_changed([root / ".gitignore", root.parent / "elsewhere.py"])
    await listener.wait_for("ready", count=2)
    assert await names(search, "header") == []


async def test_a_paused_search_answers_from_what_there_is(search: WorkspaceSearch, root: Path) -> None:
    listener = Listener()
    search.begin([root], listener)
    await listener.wait_for("ready")
    search.pause()
    write(root / "b.py", "def header_of_another():\n    pass\n")
    search.files_changed([root / "b.py"])
    assert search.is_paused
    await asyncio.sleep(0.3)
    assert await names(search, "header") == ["parse_header"]
    search.resume()
    await listener.wait_for("ready", count=2)
    assert len(await names(search, "header")) == 2


async def test_folders_can_be_exchanged(search: WorkspaceSearch, root: Path, tmp_path: Path) -> None:
    listener = Listener()
    search.begin([root], listener)
    await listener.wait_for("ready")
    other = tmp_path / "other"
    other.mkdir()
    write(other / "c.py", "def header_elsewhere():\n    pass\n")
    search.begin([other], listener)
    await listener.wait_for("ready", count=2)
    assert await names(search, "header") == ["header_elsewhere"]


async def test_what_is_indexed_gets_vectors_and_queries_too(root: Path, tmp_path: Path) -> None:
    manifest = write_artifact(tmp_path / "artifact", SMALL, modes=("embed",))
    search = WorkspaceSearch(tmp_path / "indexes", EncoderPlace(tmp_path / "artifact", tmp_path / "cache"))
    listener = Listener()
    search.begin([root], listener)
    await listener.wait_for("embedded")
    deadline = time.monotonic() + _SECONDS
    while search.encoder_name is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert search.encoder_name == f"small-{manifest.revision}"
    assert search.encoder_problem is None
    counts = await search.counts()
    assert (counts.vectors, counts.unembedded) == (1, 0)
    assert await names(search, "no word of it") == ["parse_header"]  # the only one there is
    search.close()


async def test_a_damaged_encoder_is_named_and_keywords_go_on(root: Path, tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", SMALL, modes=("embed",))
    weights = next((tmp_path / "artifact").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1])
    search = WorkspaceSearch(tmp_path / "indexes", EncoderPlace(tmp_path / "artifact", tmp_path / "cache"))
    listener = Listener()
    search.begin([root], listener)
    await listener.wait_for("failed")
    deadline = time.monotonic() + _SECONDS
    while search.encoder_problem is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert "truncated" in search.encoder_problem
    assert search.encoder_name is None
    assert await names(search, "header") == ["parse_header"]
    search.close()


async def test_hits_are_matched_if_the_settings_say_so_and_the_model_can(
    search: WorkspaceSearch, root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_artifact(tmp_path / "matching", SMALL, modes=("match",))
    write_artifact(tmp_path / "completing", SMALL, modes=("complete",))
    write(root / "b.py", "def header_of_another():\n    pass\n")
    listener = Listener()
    search.begin([root], listener)
    await listener.wait_for("ready")
    config = RerankConfig(budget_seconds=60, weight=1.0)
    before = [hit.score for hit in (await search.search(SearchQuery(text="header"))).hits]
    search.match_with(EncoderPlace(tmp_path / "matching", tmp_path / "cache"), config)
    matched = [hit.score for hit in (await search.search(SearchQuery(text="header"))).hits]
    assert matched != before
    assert [hit.score for hit in (await search.search(SearchQuery(text="header"), is_quick=True)).hits] == before
    search.match_with(EncoderPlace(tmp_path / "completing", tmp_path / "cache"), config)
    assert [hit.score for hit in (await search.search(SearchQuery(text="header"))).hits] == before
    assert "cannot match" in caplog.text


async def test_without_an_encoder_the_status_says_so(search: WorkspaceSearch) -> None:
    assert (search.encoder_name, search.encoder_problem) == (None, NO_ENCODER)


async def test_a_home_folder_and_a_whole_disk_are_not_indexed(
    search: WorkspaceSearch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        search.begin([Path.home(), Path(Path.home().anchor)], Listener())
    assert caplog.text.count("open a project's folder instead") == 2
    assert (await search.counts()).pending == 0
