"""Commands that let completion while typing sleep for a while, for editors that have no such switch of their own."""

from typing import Any

from codet5p.lsp_server.state import ServerState

__all__ = ["RESUME_COMPLETION_COMMAND", "SNOOZE_COMPLETION_COMMAND", "resume_completion", "snooze_completion"]

SNOOZE_COMPLETION_COMMAND = "codet5p.snoozeCompletion"
RESUME_COMPLETION_COMMAND = "codet5p.resumeCompletion"
_DEFAULT_MINUTES = 15.0
_MOST_MINUTES = 24 * 60.0


def snooze_completion(state: ServerState, minutes: Any = None) -> None:
    """Let completion while typing sleep; an explicit request is answered all the same.

    Args:
        state: The server.
        minutes: For how long, a day at most; 15 where it is no positive number.
    """
    is_number = isinstance(minutes, int | float) and not isinstance(minutes, bool) and minutes > 0
    state.snooze(60 * min(minutes if is_number else _DEFAULT_MINUTES, _MOST_MINUTES))


def resume_completion(state: ServerState) -> None:
    """Wake completion while typing."""
    state.snooze(0.0)
