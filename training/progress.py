"""Live progress on the terminal; plain lines where there is none."""

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as _RichProgress

from codet5p.training.config import StageRecipe

__all__ = ["Progress", "describe"]

_LOG = logging.getLogger(__name__)


class Progress:
    """A bar with the latest losses for people; a log line for each report where the output is not a terminal."""

    def __init__(self, stage: StageRecipe, done_share: float, *, shown: bool) -> None:
        console = Console(stderr=True)
        self._shown = shown
        self._stage = stage
        self._bar = _RichProgress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[place]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[measured]}"),
            console=console,
            disable=not (shown and console.is_terminal),
        )
        self._done_share = done_share
        self._task = self._bar.add_task(stage.name, total=1.0, place="", measured="")

    def __enter__(self) -> Self:
        self._bar.start()
        self._bar.update(self._task, completed=self._done_share)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def report(self, step: int, done_share: float, measured: Mapping[str, float]) -> None:
        """Show where the stage is.

        Args:
            step: Steps done.
            done_share: How much of the stage is done, from 0 to 1.
            measured: Losses, rates and norms by name.
        """
        text = describe(measured)
        place = f"{step}/{self._stage.steps}" if self._stage.minutes is None else f"step {step}, {done_share:.0%}"
        if self._bar.disable:
            if self._shown:
                _LOG.info("%s %s  %s", self._stage.name, place, text)
        else:
            self._bar.update(self._task, completed=done_share, place=place, measured=text)


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
