"""A server's state around a `FakeEngine`."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fakes import FakeEngine
from server_state import loaded_with

from codet5p.lsp_server.state import ServerState


@pytest.fixture
async def empty_state(tmp_path: Path) -> AsyncIterator[ServerState]:
    """The state of a server that has not begun to load."""
    state = ServerState(artifact=tmp_path / "artifact", cache=tmp_path / "cache")
    yield state
    if state.pending_chore is not None:
        state.pending_chore.cancel()
    state.scheduler.close()


@pytest.fixture
def state_with(empty_state: ServerState) -> Callable[..., ServerState]:
    """Return the state of a server whose engine gives these answers."""

    def ready(*answers: str | Exception | None) -> ServerState:
        empty_state.finish_loading(loaded_with(FakeEngine(*answers)))
        return empty_state

    return ready
