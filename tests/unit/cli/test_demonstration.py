import asyncio

import pytest
from pygls.lsp.client import LanguageClient

from codet5p.cli import demonstration
from codet5p.cli.demonstration import demonstrate, example_workspace
from codet5p.core.errors import EngineError


async def test_a_server_that_ends_at_once_is_an_error_in_one_line() -> None:
    with pytest.raises(EngineError, match=r"^the server ended before it answered; see codet5p doctor$"):
        await demonstrate(example_workspace(), ["--no-such-option"])


async def test_a_suggestion_that_does_not_come_is_an_error_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class SilentClient(LanguageClient):
        async def text_document_inline_completion_async(self, *_: object) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(demonstration, "_ANSWER_SECONDS", 0.01)
    with pytest.raises(
        EngineError, match=r"^no suggestion came within 0 s; try again when this computer is less busy$"
    ):
        await demonstration._ask(SilentClient("silent", "0"), "file:///a.py", 0, 0)
