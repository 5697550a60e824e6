"""Live progress on the terminal; plain lines where there is none."""

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as _RichProgress

__all__ = ["Progress", "describe"]

_LOG = logging.getLogger(__name__)


class Progress:
    """A bar with the latest losses for people; a log line for each report where the output is not a terminal."""

    def __init__(self, name: str, first_step: int, steps: int, *, shown: bool) -> None:
        console = Console(stderr=True)
        self._shown = shown
        self._steps = steps
        self._name = name
        self._bar = _RichProgress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[measured]}"),
            console=console,
            disable=not (shown and console.is_terminal),
        )
        self._task = self._bar.add_task(name, total=steps, completed=first_step, measured="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def report(self, step: int, measured: Mapping[str, float]) -> None:
        """Show where the stage is.

        Args:
            step: Steps done.
            measured: Losses, rates and norms by name.
        """
        text = describe(measured)
        if self._bar.disable:
            if self._shown:
                _LOG.info("%s %d/%d  %s", self._name, step, self._steps, text)
        else:
            self._bar.update(self._task, completed=step, measured=text)


def describe(measured: Mapping[str, float]) -> str:
    """Return measurements as one line, losses first.

    Args:
        measured: By name; `loss.` in front of a name is dropped.

    Returns:
        Such as `span_denoising 2.113  lr 1.2e-04  gradient 0.81  612,345 tokens/s`.
    """
    parts = [f"{key.removeprefix('loss.')} {value:.3f}" for key, value in measured.items() if key.startswith("loss.")]
    parts.append(f"lr {measured['learning_rate']:.1e}")
    parts.append(f"gradient {measured['gradient_norm']:.2f}")
    parts.append(f"{measured['tokens_per_second']:,.0f} tokens/s")
    if "utilisation" in measured:
        parts.append(f"utilisation {measured['utilisation']:.0%}")
    if measured["skipped_steps"]:
        parts.append(f"skipped {measured['skipped_steps']:.0f}")
    return "  ".join(parts)
