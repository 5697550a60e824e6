"""How much of a stage's time is used, over all its legs and the same on every process."""

import time

import torch
from accelerate import Accelerator

__all__ = ["StageClock"]


class StageClock:
    """Counts a stage's minutes. It runs from its making on; what earlier legs used is added."""

    def __init__(self, minutes: float | None, accelerator: Accelerator) -> None:
        self._seconds = None if minutes is None else 60 * minutes
        self._accelerator = accelerator
        self._began = time.monotonic()
        self._before = 0.0

    @property
    def used_seconds(self) -> float:
        """Seconds of this leg and of those before, on this process's clock."""
        return self._before + time.monotonic() - self._began

    def go_on_from(self, used_seconds: float) -> None:
        """Add what earlier legs used; the leg begins now."""
        self._before, self._began = used_seconds, time.monotonic()

    def share(self) -> float:
        """Return the used share of the stage's minutes, 0 without such a bound; the first process's clock counts."""
        if self._seconds is None:
            return 0.0
        share = torch.tensor(self.used_seconds / self._seconds, device=self._accelerator.device)
        if self._accelerator.num_processes > 1:
            torch.distributed.broadcast(share, 0)
        return min(1.0, float(share))
