"""Running a recipe: stages in order, in legs that resume where the last one stopped."""

import copy
import dataclasses
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from codet5p.core.errors import CodeT5pError, ConfigError
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.checkpoint import save_checkpoint
from codet5p.training.acceleration import (
    attention_kernels,
    check_support,
    is_sharded,
    make_accelerator,
    set_compiled,
    store_residual_in_bfloat16,
)
from codet5p.training.batches import StageBatches, make_loader, micro_batches_of_a_step
from codet5p.training.config import StageRecipe, TrainingRecipe
from codet5p.training.curves import CurveLog, plot_curves
from codet5p.training.flops import matrix_rate
from codet5p.training.meter import Meter
from codet5p.training.objective_module import ObjectiveModule
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.preparation import load_stage_data, prepare_model
from codet5p.training.profiling import StepProfiler, profiled_steps
from codet5p.training.progress import Progress
from codet5p.training.random_state import random_state, restore_random_state
from codet5p.training.run_checkpoint import latest_checkpoint, load_run, prune_checkpoints, save_run
from codet5p.training.stage_run import StageRun
from codet5p.training.validation import held_out_losses

__all__ = ["TrainingResult", "run_training"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingResult:
    """How a leg ended.

    Attributes:
        is_finished: Whether all stages are done; otherwise the next leg goes on.
        steps: Steps done over all stages and legs.
        model: Folder of the resulting model, once finished.
        losses: Latest mean of each objective.
    """

    is_finished: bool
    steps: int
    model: Path | None
    losses: dict[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Start:
    """Where a leg begins."""

    module: ObjectiveModule
    tokenizer: Tokenizer
    tokenizer_json: str
    state: dict[str, Any] | None


def run_training(
    recipe: TrainingRecipe, *, minutes: float | None = None, profile_folder: Path | None = None
) -> TrainingResult:
    """Train as `recipe` says, from its latest checkpoint if there is one.

    Args:
        recipe: The run.
        minutes: Length of this leg; None runs to the end.
        profile_folder: Where a profile of five steps is written; None records none.

    Returns:
        How it ended.
    """
    accelerator = make_accelerator(recipe.run)
    for stage in recipe.stages:
        check_support(accelerator, stage)
        micro_batches_of_a_step(stage, accelerator.num_processes)  # raises before any data is read
    start = _start(recipe)
    start.module.to(accelerator.device)
    leg = _Leg(recipe, accelerator, start, minutes)
    first_stage = 0 if start.state is None else int(start.state["stage"])
    with profiled_steps(profile_folder) as leg.profiler:
        for number in range(first_stage, len(recipe.stages)):
            state = start.state if number == first_stage else None
            if not leg.run_stage(number, state) or (number + 1 < len(recipe.stages) and leg.is_over()):
                return leg.result(is_finished=False)
    return leg.result(is_finished=True)


def _start(recipe: TrainingRecipe) -> _Start:
    checkpoint = latest_checkpoint(recipe.output / "checkpoints")
    if checkpoint is None:
        prepared = prepare_model(recipe)
        model, tokenizer, tokenizer_json, state = prepared.model, prepared.tokenizer, prepared.tokenizer_json, None
    else:
        model, state = load_run(checkpoint)
        _check_same_recipe(recipe, state["recipe"], checkpoint)
        path = checkpoint / "model" / "tokenizer.json"
        tokenizer, tokenizer_json = Tokenizer.from_file(path), path.read_text("utf-8")
        _LOG.info("resuming from %s", checkpoint)
    module = ObjectiveModule(
        model.float(), TaskTokens.from_tokenizer(tokenizer), temperature=recipe.stages[0].pairs.temperature
    )
    return _Start(module=module, tokenizer=tokenizer, tokenizer_json=tokenizer_json, state=state)


def recipe_as_json(recipe: TrainingRecipe) -> dict[str, Any]:
    """Return the resolved recipe as JSON values."""
    resolved: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(recipe), default=str))
    return resolved


def _check_same_recipe(recipe: TrainingRecipe, saved: Mapping[str, Any], checkpoint: Path) -> None:
    """Refuse to resume a run under a recipe that would not continue it; lengths and output settings may change."""
    comparable = [_lasting(recipe_as_json(recipe)), _lasting(saved)]
    for key in comparable[0]:
        if comparable[0][key] != comparable[1].get(key):
            raise ConfigError(
                f"{checkpoint} was made with another {key}; restore it in the recipe, or choose another output"
            )


def _lasting(recipe: Mapping[str, Any]) -> dict[str, Any]:
    lasting = {
        key: value for key, value in recipe.items() if key not in ("run", "output", "name", "tokenizer", "model")
    }
    lasting["stages"] = [
        {key: value for key, value in stage.items() if key not in ("steps", "minutes", "schedule")}
        for stage in recipe["stages"]
    ]
    lasting["data"] = {kind: [source["weight"] for source in sources] for kind, sources in recipe["data"].items()}
    return lasting


class _Leg:
    """One call of `run_training`: clock, curves and checkpoints around the steps."""

    def __init__(self, recipe: TrainingRecipe, accelerator: Accelerator, start: _Start, minutes: float | None) -> None:
        self._recipe, self._accelerator, self._start = recipe, accelerator, start
        self._began = self._last_checkpoint = time.monotonic()
        self._seconds = None if minutes is None else minutes * 60
        self._rate = matrix_rate(accelerator.device)
        self._steps = self._first_step = 0 if start.state is None else int(start.state["total_steps"])
        self._curves = CurveLog(recipe.output, first_step=self._steps) if accelerator.is_main_process else None
        self._losses: dict[str, float] = {}
        self.profiler = StepProfiler(None)
        self._result = start.module.model
        if recipe.run.precision == "bfloat16":
            store_residual_in_bfloat16(start.module.model)

    def run_stage(self, number: int, state: Mapping[str, Any] | None) -> bool:
        """Run stage `number` to its end, or until the leg is over; return whether it was finished."""
        stage = self._recipe.stages[number]
        seed = (self._recipe.seed, number)
        data = load_stage_data(stage, self._recipe, self._start.tokenizer)
        set_compiled(self._start.module.model, is_compiled=self._recipe.run.compile and stage.has_fixed_shapes)
        run = StageRun(stage, self._start.module, self._accelerator, seed=seed)
        torch.manual_seed(self._recipe.seed + number)
        if state is not None:
            run.load_state_dict(state, with_optimizers=self._recipe.run.checkpoint_optimizer != "none")
            restore_random_state(state["random"])
        batches = StageBatches(
            stage,
            data,
            seed=seed,
            rank=self._accelerator.process_index,
            world_size=self._accelerator.num_processes,
        )
        with attention_kernels(self._recipe.run.attention):
            is_finished = self._take_steps(number, run, batches)
        if is_finished:
            self._finish_stage(stage, run)
        self._result = run.whole_model()
        run.close()
        return is_finished

    def _take_steps(self, number: int, run: StageRun, batches: StageBatches) -> bool:
        stage, settings = run.stage, self._recipe.run
        loader = iter(
            make_loader(
                batches,
                first_step=run.step,
                workers=settings.workers,
                pin_memory=self._accelerator.device.type == "cuda",
            )
        )
        meter = Meter(self._start.module.model.config, self._rate)
        bad_steps = 0
        with Progress(stage, run.done_share, shown=self._accelerator.is_main_process) as progress:
            while run.done_share < 1:
                asked = time.monotonic()
                micro_batches = [next(loader) for _ in range(batches.per_step)]
                waited = time.monotonic() - asked
                result = run.take_step(micro_batches)
                self._steps += 1
                self.profiler.step()
                meter.add(micro_batches, result, waited_seconds=waited)
                bad_steps = 0 if result.is_applied else bad_steps + 1
                if bad_steps >= settings.max_bad_steps:
                    raise CodeT5pError(
                        f"no finite loss or gradient for {bad_steps} steps in stage {stage.name}; lower its "
                        "peak_learning_rate and resume from the last checkpoint"
                    )
                if run.step % settings.report_every == 0 or run.done_share >= 1:
                    self._report(run, meter, progress)
                if settings.validate_every and run.step % settings.validate_every == 0 and run.done_share < 1:
                    self._validate(stage, run)
                is_over = self.is_over()
                if run.done_share >= 1 or is_over or self._checkpoint_is_due():
                    self._save(number, run)
                if is_over:
                    break
        return run.done_share >= 1

    def _report(self, run: StageRun, meter: Meter, progress: Progress) -> None:
        measured = self._mean_over_processes(meter.take(self._accelerator.num_processes))
        self._losses.update({key.removeprefix("loss."): value for key, value in measured.items() if "loss." in key})
        progress.report(run.step, run.done_share, measured)
        if self._curves is not None:
            self._curves.add({"step": float(self._steps), "stage": run.stage.name, **measured})

    def _mean_over_processes(self, measured: dict[str, float]) -> dict[str, float]:
        """Average the losses: each process has measured its share of the step, scaled to the whole."""
        names = [name for name in measured if name.startswith("loss.")]
        if self._accelerator.num_processes == 1:
            return measured
        own = torch.tensor([measured[name] for name in names], device=self._accelerator.device)
        means = self._accelerator.reduce(own, reduction="mean")
        return measured | dict(zip(names, means.tolist(), strict=True))

    def _validate(self, stage: StageRecipe, run: StageRun) -> None:
        if (
            is_sharded(self._accelerator)
            or not self._accelerator.is_main_process
            or not any(getattr(self._recipe.data, f"validation_{kind}") for kind in ("code", "pairs", "examples"))
        ):
            return
        data = load_stage_data(stage, self._recipe, self._start.tokenizer, held_out=True)
        module = self._start.module
        with self._accelerator.autocast():
            losses = held_out_losses(
                module, run.stage, data, self._start.tokenizer, rows=self._recipe.run.validation_rows
            )
        if self._curves is not None and losses:
            named = {f"validation.{name}": value for name, value in losses.items()}
            self._curves.add({"step": float(self._steps), "stage": stage.name, **named})
            _LOG.info("held-out: %s", ", ".join(f"{name} {value:.4f}" for name, value in losses.items()))

    def is_over(self) -> bool:
        """Return whether the leg's time is up; it never is before the first step, so that every leg gets on."""
        if self._seconds is None or self._steps == self._first_step:
            return False
        is_over = torch.tensor(float(time.monotonic() - self._began >= self._seconds), device=self._accelerator.device)
        if self._accelerator.num_processes > 1:
            torch.distributed.broadcast(is_over, 0)  # the first process's clock decides for all
        return bool(is_over)

    def _checkpoint_is_due(self) -> bool:
        if self._accelerator.num_processes > 1:
            return False  # clocks differ; several processes save at the end of a stage or leg
        return time.monotonic() - self._last_checkpoint >= self._recipe.run.checkpoint_minutes * 60

    def _save(self, number: int, run: StageRun) -> None:
        self._last_checkpoint = time.monotonic()
        own_state, model = run.state_dict(), run.whole_model()
        if not self._accelerator.is_main_process:
            return
        settings, stage_is_done = self._recipe.run, run.done_share >= 1
        recipe = recipe_as_json(self._recipe)
        state = {
            **own_state,
            "stage": number,
            "total_steps": self._steps,
            "recipe": recipe,
            "random": random_state(),
        }
        if settings.checkpoint_optimizer == "none":
            state["optimizers"] = []
        folder = self._recipe.output / "checkpoints"
        if settings.checkpoint_weights == "bfloat16":
            model = copy.deepcopy(model).bfloat16()
        save_run(
            folder,
            self._steps,
            model,
            state,
            tokenizer_json=self._start.tokenizer_json,
            extra={"recipe": recipe, "stage": run.stage.name, "step": run.step, "finished": stage_is_done},
            compress_optimizer=settings.checkpoint_optimizer == "int8",
        )
        prune_checkpoints(folder, settings.keep_checkpoints)

    def _finish_stage(self, stage: StageRecipe, run: StageRun) -> None:
        """Validate, and leave the averaged weights in the model if there are any."""
        if run.average is not None:
            run.average.copy_to(self._start.module)
        self._validate(stage, run)

    def result(self, *, is_finished: bool) -> TrainingResult:
        """Write curves and, once all stages are done, the model; return how the leg ended."""
        output = self._recipe.output
        if self._accelerator.is_main_process and self._curves is not None:
            plot_curves(self._curves.path, output / "curves.png")
            if is_finished:
                save_checkpoint(
                    output / "model",
                    self._result,
                    tokenizer_json=self._start.tokenizer_json,
                    extra={"recipe": recipe_as_json(self._recipe), "steps": self._steps},
                )
        self._accelerator.wait_for_everyone()
        return TrainingResult(
            is_finished=is_finished,
            steps=self._steps,
            model=output / "model" if is_finished else None,
            losses=dict(self._losses),
        )
