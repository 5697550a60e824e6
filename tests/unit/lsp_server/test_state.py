import asyncio
from collections.abc import Callable

import pytest
from fakes import FakeEngine
from server_state import loaded_with

from codet5p.core.errors import ArtifactError
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.settings import CompletionSettings, Settings
from codet5p.lsp_server.state import ServerState, completer_for


async def test_requests_wait_until_the_engine_is_there(empty_state: ServerState) -> None:
    assert empty_state.is_loading
    waiting = [asyncio.create_task(empty_state.assistant()) for _ in range(2)]
    await asyncio.sleep(0)
    assert empty_state.loaded_assistant is None
    empty_state.finish_loading(loaded_with(FakeEngine()))
    first, second = await asyncio.gather(*waiting)
    assert first is second is empty_state.loaded_assistant
    assert first is not None
    assert not empty_state.is_loading


async def test_one_who_gives_up_waiting_does_not_spoil_it_for_the_others(empty_state: ServerState) -> None:
    impatient = asyncio.create_task(empty_state.assistant())
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    empty_state.finish_loading(loaded_with(FakeEngine()))
    assert await empty_state.assistant() is not None


async def test_a_failure_is_kept_and_ends_the_waiting(empty_state: ServerState) -> None:
    empty_state.finish_loading(ArtifactError("no artifact; see codet5p doctor"))
    assert await empty_state.assistant() is None
    assert empty_state.last_error == "no artifact; see codet5p doctor"
    assert not empty_state.is_loading


async def test_an_engine_whose_tokenizer_cannot_begin_a_file_is_a_failure(
    empty_state: ServerState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_tokens(_: Tokenizer, token: str) -> int:
        raise ValueError(f"the vocabulary has no token {token!r}")

    monkeypatch.setattr(Tokenizer, "token_id", without_tokens)
    empty_state.finish_loading(loaded_with(FakeEngine()))
    assert await empty_state.assistant() is None
    assert str(empty_state.last_error).endswith("has no token '<|endoftext|>'; see codet5p doctor")


async def test_settings_count_from_the_next_request_on(state_with: Callable[..., ServerState]) -> None:
    state = state_with()
    state.apply(Settings(completion=CompletionSettings(max_new_tokens=5, time_limit_milliseconds=250)))
    assistant = state.loaded_assistant
    assert assistant is not None
    assert assistant.completer.limits.max_new_tokens == 5
    assert assistant.completer.limits.time_limit_seconds == 0.25


async def test_settings_that_came_while_loading_count_too(empty_state: ServerState) -> None:
    empty_state.apply(Settings(completion=CompletionSettings(max_new_tokens=5)))
    empty_state.finish_loading(loaded_with(FakeEngine()))
    assistant = await empty_state.assistant()
    assert assistant is not None
    assert assistant.completer.limits.max_new_tokens == 5


def test_a_completer_has_default_limits() -> None:
    assert completer_for(loaded_with(FakeEngine())).limits.max_new_tokens == CompletionSettings().max_new_tokens
