"""A progress bar over bytes, for people: shown in a terminal only, and only once it takes a moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["byte_progress"]


@contextmanager
def byte_progress(description: str, total: int | None, console: Console) -> Iterator["_Advance"]:
    """Draw a bar while the body runs; nothing is drawn before its first advance.

    Args:
        description: What is being done.
        total: Bytes in all, or None where that is not known.
        console: Where to draw, usually stderr.

    Yields:
        A function that advances the bar by a number of bytes.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True)
    advance = _Advance(progress, description, total)
    try:
        yield advance
    finally:
        advance.erase()


class _Advance:
    def __init__(self, progress: Progress, description: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=total)
        self._is_drawn = False

    def __call__(self, count: int) -> None:
        if not self._is_drawn and self._progress.console.is_interactive:
            self._progress.start()
            self._is_drawn = True
        self._progress.advance(self._task, count)

    def erase(self) -> None:
        if self._is_drawn:
            self._progress.stop()
