"""What is measured between two reports: mean losses, speed, and how much of the machine's matrix rate is used."""

import time
from collections import defaultdict
from collections.abc import Sequence

from torch import Tensor

from codet5p.core.model_config import CodeT5pConfig
from codet5p.training.batches import MicroBatch
from codet5p.training.flops import training_flops
from codet5p.training.stage_run import StepResult

__all__ = ["Meter"]


class Meter:
    """Collects steps, and gives their means when asked; losses stay on the device until then."""

    def __init__(self, config: CodeT5pConfig, matrix_rate: float | None) -> None:
        self._config = config
        self._matrix_rate = matrix_rate
        self._reset()

    def _reset(self) -> None:
        self._since = time.monotonic()
        self._losses: defaultdict[str, list[Tensor]] = defaultdict(list)
        self._tokens = 0
        self._waited = self._flops = 0.0
        self._skipped = 0
        self._last: StepResult | None = None

    def add(self, micro_batches: Sequence[MicroBatch], result: StepResult, *, waited_seconds: float) -> None:
        """Count one step.

        Args:
            micro_batches: This process's share.
            result: What the step did.
            waited_seconds: Time in which the step's data was not there yet.
        """
        for name, loss in result.losses.items():
            self._losses[name].append(loss)
        self._tokens += sum(micro.batch.num_tokens for micro in micro_batches)
        self._flops += sum(training_flops(self._config, micro.batch) for micro in micro_batches)
        self._waited += waited_seconds
        self._skipped += not result.is_applied
        self._last = result

    def take(self, num_processes: int) -> dict[str, float]:
        """Return the measurements since the last call, by name, and begin anew.

        Args:
            num_processes: Each is taken to do as much as this one.

        Returns:
            Mean losses under `loss.<objective>`, nats; learning rate and gradient norm of the last step; tokens
            (padding included) and seconds; the share of the time spent waiting for data; with a GPU the share of its
            measured bfloat16 matrix rate.
        """
        assert self._last is not None, "a report follows at least one step"
        seconds = max(1e-9, time.monotonic() - self._since)
        measured = {f"loss.{name}": float(sum(losses)) / len(losses) for name, losses in self._losses.items()}
        measured |= {
            "learning_rate": self._last.learning_rate,
            "gradient_norm": self._last.gradient_norm,
            "tokens_per_second": self._tokens * num_processes / seconds,
            "data_wait_share": self._waited / seconds,
            "skipped_steps": float(self._skipped),
        }
        if self._matrix_rate is not None:
            measured["utilisation"] = self._flops / seconds / self._matrix_rate
        self._reset()
        return measured
