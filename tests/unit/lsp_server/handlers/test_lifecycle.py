import asyncio
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine
from lsprotocol import types
from pygls.exceptions import JsonRpcInternalError
from server_state import loaded_with

from codet5p.core.errors import EngineError
from codet5p.lsp_server.handlers import lifecycle
from codet5p.lsp_server.handlers.lifecycle import apply_settings, load_with_progress, pull_settings
from codet5p.lsp_server.state import ServerState


class FakeProgress:
    def __init__(self, *, is_refused: bool) -> None:
        self.is_refused = is_refused
        self.values: list[Any] = []

    async def create_async(self, _: str) -> None:
        if self.is_refused:
            raise JsonRpcInternalError("no")

    def begin(self, _: str, value: Any) -> None:
        self.values.append(value)

    report = end = begin


class FakeServer:
    """An editor's side: what it can do, what it is shown, and the settings it has."""

    def __init__(self, *, settings: Any = None, has_settings: bool = False, has_progress: bool = False) -> None:
        self.client_capabilities = types.ClientCapabilities(
            workspace=types.WorkspaceClientCapabilities(configuration=has_settings),
            window=types.WindowClientCapabilities(work_done_progress=has_progress),
        )
        self.settings = settings
        self.work_done_progress = FakeProgress(is_refused=False)
        self.shown: list[types.ShowMessageParams] = []

    def window_show_message(self, params: types.ShowMessageParams) -> None:
        self.shown.append(params)

    async def workspace_configuration_async(self, params: types.ConfigurationParams) -> list[Any]:
        assert [item.section for item in params.items] == ["codet5p"]
        if isinstance(self.settings, Exception):
            raise self.settings
        return [self.settings]


async def test_a_problem_is_shown_once_and_the_rest_is_used(empty_state: ServerState) -> None:
    server = FakeServer()
    for _ in range(3):
        apply_settings(server, empty_state, {"completion": {"enable": 5, "maxNewTokens": 7}})  # type: ignore[arg-type]
    assert [params.type for params in server.shown] == [types.MessageType.Warning]
    assert server.shown[0].message.startswith("codet5p: codet5p.completion.enable must be of type bool, got 5")
    assert empty_state.settings.completion.max_new_tokens == 7
    apply_settings(server, empty_state, {"completion": {"enable": 6}})  # type: ignore[arg-type]
    assert len(server.shown) == 2


async def test_settings_are_asked_for_where_the_editor_can_be_asked(empty_state: ServerState) -> None:
    settings = {"completion": {"maxNewTokens": 7}}
    await pull_settings(FakeServer(settings=settings), empty_state)  # type: ignore[arg-type]
    assert empty_state.settings.completion.max_new_tokens == 24
    await pull_settings(FakeServer(settings=settings, has_settings=True), empty_state)  # type: ignore[arg-type]
    assert empty_state.settings.completion.max_new_tokens == 7


@pytest.mark.parametrize("answer", [None, JsonRpcInternalError("no")])
async def test_an_editor_without_an_answer_changes_nothing(empty_state: ServerState, answer: Any) -> None:
    apply_settings(FakeServer(), empty_state, {"completion": {"maxNewTokens": 7}})  # type: ignore[arg-type]
    await pull_settings(FakeServer(settings=answer, has_settings=True), empty_state)  # type: ignore[arg-type]
    assert empty_state.settings.completion.max_new_tokens == 7


async def test_a_missing_artifact_is_shown_and_the_server_stays_up(empty_state: ServerState) -> None:
    server = FakeServer(has_progress=True)
    await load_with_progress(server, empty_state)  # type: ignore[arg-type]
    assert empty_state.last_error == (
        f"no artifact at {empty_state.artifact}: manifest.json is missing; see codet5p doctor"
    )
    assert [(params.type, params.message) for params in server.shown] == [
        (types.MessageType.Error, f"codet5p: {empty_state.last_error}")
    ]
    assert await empty_state.assistant() is None
    assert [type(value) for value in server.work_done_progress.values] == [
        types.WorkDoneProgressBegin,
        types.WorkDoneProgressEnd,
    ]


async def test_loading_shows_how_far_it_is(artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "_REPORT_SECONDS", 0.0)
    state = ServerState(artifact=artifact, cache=tmp_path / "cache", num_threads=1)
    server = FakeServer(has_progress=True)
    await load_with_progress(server, state)  # type: ignore[arg-type]
    values = server.work_done_progress.values
    percentages = [value.percentage for value in values[1:-1]]
    assert percentages == sorted(percentages)
    assert percentages[-1] >= 80
    assert max(percentages) <= 100
    assert values[-1].message == "ready"
    assert state.loaded_assistant is not None
    assert server.shown == []
    state.scheduler.close()


@pytest.mark.parametrize("is_refused", [False, True])
async def test_an_editor_without_progress_is_served_all_the_same(
    artifact: Path, tmp_path: Path, is_refused: bool
) -> None:
    state = ServerState(artifact=artifact, cache=tmp_path / "cache", num_threads=1)
    server = FakeServer(has_progress=is_refused)
    server.work_done_progress.is_refused = is_refused
    await load_with_progress(server, state)  # type: ignore[arg-type]
    assert state.loaded_assistant is not None
    assert server.work_done_progress.values == []
    state.scheduler.close()


async def test_loading_does_not_wait_for_an_editor_that_never_answers(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "_PROGRESS_ANSWER_SECONDS", 0.01)
    state = ServerState(artifact=artifact, cache=tmp_path / "cache", num_threads=1)
    server = FakeServer(has_progress=True)
    monkeypatch.setattr(server.work_done_progress, "create_async", lambda _: asyncio.Event().wait())
    await load_with_progress(server, state)  # type: ignore[arg-type]
    assert state.loaded_assistant is not None
    assert server.work_done_progress.values == []
    state.scheduler.close()


async def test_the_loop_goes_on_while_the_model_loads(
    empty_state: ServerState, artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    was_called = asyncio.Event()

    def load_slowly(*_: Any, **__: Any) -> Any:
        asyncio.run_coroutine_threadsafe(was_called.wait(), loop).result(10)
        return loaded_with(FakeEngine())

    monkeypatch.setattr(lifecycle, "load_engine", load_slowly)
    loading = asyncio.create_task(load_with_progress(FakeServer(), empty_state))  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    assert empty_state.is_loading
    was_called.set()
    await loading
    assert not empty_state.is_loading


async def test_a_failure_of_the_engine_is_told(
    empty_state: ServerState, artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise EngineError("cannot load; see codet5p doctor")

    monkeypatch.setattr(lifecycle, "load_engine", refuse)
    await load_with_progress(FakeServer(), empty_state)  # type: ignore[arg-type]
    assert empty_state.last_error == "cannot load; see codet5p doctor"
