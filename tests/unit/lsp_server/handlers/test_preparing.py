"""Sentences written ahead."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from fake_writer import FakeWriter
from lsprotocol import types
from server_state import URI, opened

from codet5p.lsp_server.features.docstring.model_writer import RememberingWriter
from codet5p.lsp_server.features.docstring.writer import Subject
from codet5p.lsp_server.handlers import preparing
from codet5p.lsp_server.handlers.docstring import Target, find_target
from codet5p.lsp_server.settings import read_settings
from codet5p.lsp_server.state import ServerState

UTF16 = "utf-16"
TEXT = "".join(f"def f{number}(a):\n    return a\n\n\n" for number in range(20)) + 'def g():\n    """Do."""\n'


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerState]:
    monkeypatch.setattr(preparing, "_PAUSE_SECONDS", 0.0)
    state = ServerState(artifact=tmp_path, cache=tmp_path)
    yield state
    state.scheduler.close()
    state.search.close()


async def target_at(state: ServerState, line: int) -> Target:
    target = await find_target(state, URI, types.Position(line, 4), UTF16)
    assert target is not None
    return target


async def test_the_nearest_functions_without_documentation_are_prepared(state: ServerState) -> None:
    writer = FakeWriter()
    state.docstring_writer = RememberingWriter(writer)
    opened(state, TEXT)
    preparing.prepare_when_idle(state, await target_at(state, 40))
    assert state.pending_preparation is not None
    await state.pending_preparation
    names = [subject.source.split("(")[0] for subject in writer.asked]
    assert names == [f"def f{number}" for number in (10, 11, 9, 12, 8, 13, 7, 14)]
    preparing.prepare_when_idle(state, await target_at(state, 40))
    await state.pending_preparation
    assert len(writer.asked) == 8


async def test_a_request_ends_the_preparation(state: ServerState) -> None:
    class WaitingWriter:
        def __init__(self) -> None:
            self.asked = 0
            self.has_begun = Event()

        def summarize(self, _subject: Subject, stop: Event) -> str | None:
            self.asked += 1
            self.has_begun.set()
            assert stop.wait(10), "nobody stopped it"
            return None

    writer = WaitingWriter()
    state.docstring_writer = RememberingWriter(writer)
    opened(state, TEXT)
    preparing.prepare_when_idle(state, await target_at(state, 40))
    assert await asyncio.to_thread(writer.has_begun.wait, 10)
    assert await state.scheduler.run("completion", lambda _: "answer") == "answer"
    assert state.pending_preparation is not None
    await state.pending_preparation
    assert writer.asked == 1


@pytest.mark.parametrize("settings", [{"prepareWhileIdle": False}, {"generate": False}])
async def test_nothing_is_prepared_against_the_settings(state: ServerState, settings: dict[str, bool]) -> None:
    state.docstring_writer = RememberingWriter(FakeWriter())
    state.apply(read_settings({"docstring": settings})[0])
    opened(state, TEXT)
    preparing.prepare_when_idle(state, await target_at(state, 0))
    assert state.pending_preparation is None
