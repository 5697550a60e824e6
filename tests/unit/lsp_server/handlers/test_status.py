import json
from collections.abc import Callable

from server_state import opened

from codet5p import __version__
from codet5p.core.errors import ArtifactError
from codet5p.lsp_server.handlers.status import status
from codet5p.lsp_server.state import ServerState


async def test_while_loading(empty_state: ServerState) -> None:
    found = await status(empty_state)
    assert (found["state"], found["error"], found["model"], found["threads"]) == ("loading", None, None, None)
    assert found["version"] == __version__
    assert 10 < found["memoryMb"] < 100_000


async def test_when_ready(state_with: Callable[..., ServerState]) -> None:
    state = state_with()
    opened(state, "x")
    state.statistics.count("shown")
    state.snooze(120)
    state.statistics.record_latency(0.1234)
    found = await status(state)
    assert (found["state"], found["model"], found["revision"], found["threads"]) == (
        "ready",
        "small",
        "0123456789ab",
        2,
    )
    assert (found["documents"], found["counts"]) == (1, {"shown": 1})
    assert 118 <= found["snoozedSeconds"] <= 120
    assert found["latency"] == {"p50": 123.4, "p95": 123.4}
    assert json.loads(json.dumps(found)) == found


async def test_after_a_failure(empty_state: ServerState) -> None:
    empty_state.finish_loading(ArtifactError("truncated; see codet5p doctor"))
    found = await status(empty_state)
    assert (found["state"], found["error"]) == ("error", "truncated; see codet5p doctor")
