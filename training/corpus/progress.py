"""Progress of a build on the terminal: one bar a stage, with rates and totals, and one line for each failure."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["BuildProgress", "Stage"]

_MEGABYTE = 1e6


class Stage:
    """One stage of a build on the display."""

    def __init__(self, progress: Progress, name: str, total: int) -> None:
        self._progress = progress
        self._name = name
        self._bytes = 0
        self._failures = 0
        self._task = progress.add_task(name, total=total, detail="")

    def advance(self, size: int, count: int = 1) -> None:
        """Count `count` items of `size` bytes in all as done."""
        self._bytes += size
        self._update(count)

    def fail(self, name: str, reason: str) -> None:
        """Count an item as failed and say why."""
        self._failures += 1
        self._progress.console.print(f"{self._name}: {name} left out: {reason}", markup=False, highlight=False)
        self._update(1)

    def expect_less(self) -> None:
        """Take one item off the total: it will not come."""
        total = self._progress.tasks[self._task].total or 0
        self._progress.update(self._task, total=total - 1)

    def _update(self, count: int) -> None:
        elapsed = self._progress.tasks[self._task].elapsed or 0.0
        rate = f" {self._bytes / _MEGABYTE / elapsed:.1f} MB/s" if self._bytes and elapsed else ""
        size = f"{self._bytes / _MEGABYTE:,.0f} MB{rate}" if self._bytes else ""
        failures = f" {self._failures} left out" if self._failures else ""
        self._progress.update(self._task, advance=count, detail=size + failures)


class BuildProgress:
    """The bars of a build."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Stage]:
        """Show a bar while the body runs.

        Args:
            name: What is being done.
            total: Number of items.

        Yields:
            The stage, to be advanced.
        """
        with self.stages({name: total}) as stages:
            yield stages[name]

    @contextmanager
    def stages(self, totals: Mapping[str, int]) -> Iterator[dict[str, Stage]]:
        """Show a bar for each of several stages that run side by side.

        Args:
            totals: Number of items of each stage by its name.

        Yields:
            The stages by name.
        """
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[detail]}"),
        )
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=self._console) as progress:
            yield {name: Stage(progress, name, total) for name, total in totals.items()}
