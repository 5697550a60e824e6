"""Sentences about functions, written ahead while nothing is asked, so that a hover finds them."""

import asyncio
import contextlib
from functools import partial

from codet5p.core.errors import CodeT5pError
from codet5p.lsp_server.features.docstring.insert import can_insert
from codet5p.lsp_server.features.docstring.lookup import functions_of, nearest_first
from codet5p.lsp_server.features.docstring.model_writer import RememberingWriter
from codet5p.lsp_server.features.docstring.summary import subject_of
from codet5p.lsp_server.handlers.docstring import Target
from codet5p.lsp_server.state import ServerState

__all__ = ["prepare_when_idle"]

_PAUSE_SECONDS = 2.0
_MOST_FUNCTIONS = 8


def prepare_when_idle(state: ServerState, target: Target) -> None:
    """Have sentences written for the functions around a cursor that rests; a newer call takes an older one's place.

    Args:
        state: The server.
        target: The function at the cursor.
    """
    writer = state.active_writer
    if writer is None or not state.settings.docstring.prepare_while_idle:
        return
    if state.pending_preparation is not None:
        state.pending_preparation.cancel()
    state.pending_preparation = asyncio.get_running_loop().create_task(_prepare(state, target, writer))


async def _prepare(state: ServerState, target: Target, writer: RememberingWriter) -> None:
    """Ask for one sentence after the other, nearest first, until a request comes."""
    await asyncio.sleep(_PAUSE_SECONDS)
    text, language = target.document.text, target.function.language
    near = nearest_first(functions_of(text, language, target.path), target.offset)
    for function in [function for function in near if can_insert(text, function)][:_MOST_FUNCTIONS]:
        subject = await asyncio.to_thread(subject_of, text, function, target.path)
        if writer.knows(subject):
            continue
        with contextlib.suppress(CodeT5pError):  # whoever asks for the sentence is told
            await state.scheduler.run_in_background(partial(writer.summarize, subject))
        if not writer.knows(subject):
            return
