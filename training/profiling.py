"""A profile of a few training steps: where the time goes, and that data is not what it waits for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile, schedule

__all__ = ["StepProfiler", "profiled_steps"]

_SKIPPED, _WARM, _RECORDED = 3, 2, 5


class StepProfiler:
    """Is told when a step ends; without a profile that costs nothing."""

    def __init__(self, profiler: profile | None) -> None:
        self._profiler = profiler

    def step(self) -> None:
        """Note that a training step has ended."""
        if self._profiler is not None:
            self._profiler.step()


@contextmanager
def profiled_steps(folder: Path | None) -> Iterator[StepProfiler]:
    """Record five steps after the first five, and write what they did.

    Args:
        folder: Where `trace.json` (for chrome://tracing or Perfetto) and `operators.txt` go; None records nothing.

    Yields:
        What the trainer calls after each step.
    """
    if folder is None:
        yield StepProfiler(None)
        return
    folder.mkdir(parents=True, exist_ok=True)
    activities = [ProfilerActivity.CPU]
    order = "self_cpu_time_total"
    if torch.cuda.is_available():
        activities.append(ProfilerActivity.CUDA)
        order = "self_cuda_time_total"

    def write(profiler: profile) -> None:
        profiler.export_chrome_trace(str(folder / "trace.json"))
        table = profiler.key_averages().table(sort_by=order, row_limit=40)
        (folder / "operators.txt").write_text(table + "\n", "utf-8")

    plan = schedule(wait=_SKIPPED, warmup=_WARM, active=_RECORDED, repeat=1)
    with profile(activities=activities, schedule=plan, on_trace_ready=write) as profiler:
        yield StepProfiler(profiler)
