from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types

from codet5p.lsp_server.handlers.indexing import IndexingProgress
from codet5p.lsp_server.index.background import IndexEvent


class Bars:
    """The editor's progress bars, and what was said in them."""

    def __init__(self) -> None:
        self.token: types.ProgressToken = ""
        self.said: list[str] = []

    async def create_async(self, token: types.ProgressToken) -> None:
        self.token = token

    def begin(self, token: types.ProgressToken, value: types.WorkDoneProgressBegin) -> None:
        assert token == self.token
        self.said.append(f"begin, cancellable: {value.cancellable}")

    def report(self, token: types.ProgressToken, value: types.WorkDoneProgressReport) -> None:
        assert token == self.token
        self.said.append(f"{value.message}, {value.percentage} %")

    def end(self, token: types.ProgressToken, value: types.WorkDoneProgressEnd) -> None:
        assert token == self.token
        self.said.append(f"end: {value.message}")


class Search:
    """Counts how often it was paused."""

    is_paused = False
    num_pauses = 0

    def pause(self) -> None:
        self.is_paused = True
        self.num_pauses += 1


class Window:
    """An editor that shows bars and messages."""

    def __init__(self) -> None:
        self.work_done_progress = Bars()
        self.messages: list[str] = []
        self.client_capabilities = types.ClientCapabilities(window=types.WindowClientCapabilities(True))

    def window_show_message(self, params: types.ShowMessageParams) -> None:
        self.messages.append(params.message)


@pytest.fixture
def window() -> Window:
    return Window()


@pytest.fixture
def search() -> Search:
    return Search()


@pytest.fixture
def progress(window: Window, search: Search) -> IndexingProgress:
    server: Any = window
    state: Any = SimpleNamespace(search=search)
    return IndexingProgress(server, state)


def event(state: Any, done: int = 0, total: int = 0, message: str = "") -> IndexEvent:
    return IndexEvent(Path("root"), state, done, total, message)


@pytest.mark.asyncio
async def test_many_files_have_a_bar_until_they_are_read(progress: IndexingProgress, window: Window) -> None:
    for step in (event("indexing", 0, 200), event("indexing", 150, 200), event("ready")):
        await progress.show(step)
    bar = window.work_done_progress.said
    assert bar == [
        "begin, cancellable: True",
        "indexing 0 of 200 files, 0 %",
        "indexing 150 of 200 files, 75 %",
        "end: indexed",
    ]


@pytest.mark.asyncio
async def test_a_few_files_have_none(progress: IndexingProgress, window: Window) -> None:
    for step in (event("indexing", 0, 99), event("ready"), event("embedding", 0, 499), event("embedded")):
        await progress.show(step)
    assert window.work_done_progress.said == []


@pytest.mark.asyncio
async def test_cancelling_the_bar_pauses_and_ends_it(
    progress: IndexingProgress, window: Window, search: Search
) -> None:
    await progress.show(event("indexing", 0, 200))
    progress.cancelled("another bar")
    assert search.num_pauses == 0
    progress.cancelled(window.work_done_progress.token)
    assert search.num_pauses == 1
    await progress.show(event("indexing", 32, 200))  # the batch that was at hand begins no new bar
    assert window.work_done_progress.said[-1] == "end: paused"


@pytest.mark.asyncio
async def test_a_pause_takes_the_bar_away_and_going_on_begins_another(
    progress: IndexingProgress, window: Window, search: Search
) -> None:
    await progress.show(event("indexing", 64, 228))
    progress.pause()
    await progress.show(event("indexing", 96, 228))
    bar = window.work_done_progress.said
    assert bar[-1] == "end: paused"
    search.is_paused = False
    await progress.show(event("indexing", 96, 228))
    assert bar[-2:] == ["begin, cancellable: True", "indexing 96 of 228 files, 42 %"]


@pytest.mark.asyncio
async def test_a_failure_is_told_once(progress: IndexingProgress, window: Window) -> None:
    for _ in range(2):
        await progress.show(event("failed", message="the disk is full"))
    assert window.messages == ["codet5p: the disk is full"]
