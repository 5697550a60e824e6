"""One stage in progress: every piece of state that changes during training, and the step that changes it."""

import math
from collections import defaultdict
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, gather
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from codet5p.model.checkpoint import assign_weights
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.acceleration import is_sharded
from codet5p.training.batches import MicroBatch
from codet5p.training.config import PAIR_OBJECTIVES, StageRecipe
from codet5p.training.distillation import Teachers
from codet5p.training.ema import WeightAverage
from codet5p.training.freezing import apply_freezing
from codet5p.training.momentum import KeyQueue, MomentumEncoder
from codet5p.training.objective_module import ObjectiveModule
from codet5p.training.optimizers import build_optimizers
from codet5p.training.pair_losses import Keys, pair_counts
from codet5p.training.pair_table import PairBatch
from codet5p.training.schedule import learning_rate_factor
from codet5p.training.sharded_state import load_whole_optimizer_state, whole_optimizer_state, whole_weights
from codet5p.training.stage_clock import StageClock

__all__ = ["StageRun", "StepResult"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StepResult:
    """What one step did.

    Attributes:
        losses: Loss of each objective, nats, still on the device; the mean over all processes is that of the step.
        gradient_norm: Before clipping.
        learning_rate: Of AdamW.
        is_applied: False if loss or gradient was not finite and the weights were left alone.
    """

    losses: dict[str, Tensor]
    gradient_norm: float
    learning_rate: float
    is_applied: bool


class StageRun:
    """A stage's module, optimizers, momentum encoder, key queue and weight average."""

    def __init__(
        self, stage: StageRecipe, module: ObjectiveModule, accelerator: Accelerator, *, seed: tuple[int, ...]
    ) -> None:
        self.stage = stage
        self.step = 0
        self.time_share = 0.0
        self.num_trained = apply_freezing(module, stage)
        self._module = module
        self._accelerator = accelerator
        self._seed = seed
        self._has_keys = stage.uses(PAIR_OBJECTIVES[:2]) and stage.pairs.keys == "momentum"
        self._teachers = self._load_teachers(module)
        module.train()
        self.wrapped, *self.optimizers = accelerator.prepare(module, *build_optimizers(module, stage.optimizer))
        self.momentum = MomentumEncoder(module.model) if self._has_keys else None
        self.queue = self._new_queue() if self._has_keys and stage.pairs.queue else None
        self.average = WeightAverage(module) if stage.ema_decay else None
        self._clock = StageClock(stage.minutes, accelerator)

    @property
    def done_share(self) -> float:
        """How much of the stage is done, by steps or by minutes, whichever is more; 1 at its end."""
        return max(self.step / self.stage.steps, self.time_share)

    def _load_teachers(self, module: ObjectiveModule) -> Teachers | None:
        recipe = self.stage.distillation
        if recipe.decoder is None and recipe.texts is None:
            return None
        return Teachers.from_recipe(recipe, module.model)

    def _new_queue(self) -> KeyQueue:
        return KeyQueue(
            self.stage.pairs.queue,
            embedding_dim=self._module.model.config.embedding_dim,
            max_text_tokens=self.stage.pairs.max_text_tokens,
            max_code_tokens=self.stage.pairs.max_code_tokens,
            device=self._accelerator.device,
        )

    def take_step(self, micro_batches: list[MicroBatch]) -> StepResult:
        """Compute gradients over `micro_batches`, update the weights, then everything that follows them.

        Args:
            micro_batches: This process's share of the step, on the CPU.

        Returns:
            Losses and gradient norm.
        """
        learning_rate = self._set_learning_rate()
        counts = self._label_counts(micro_batches)
        sums, new_keys = self._backward(micro_batches, counts)
        if self.step < self.stage.pairs.temperature_held_steps and self._module.temperature.grad is not None:
            self._module.temperature.grad.zero_()
        clipped = self._accelerator.clip_grad_norm_(self.wrapped.parameters(), self.stage.optimizer.max_gradient_norm)
        norm = 0.0 if clipped is None else float(clipped)  # DeepSpeed clips within its step and may tell nothing
        is_applied = math.isfinite(norm)
        if is_applied:
            for optimizer in self.optimizers:
                optimizer.step()
            self._follow(new_keys)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        self.step += 1
        self.time_share = self._clock.share()
        losses = {name: total * self._accelerator.num_processes / counts[name] for name, total in sums.items()}
        return StepResult(losses=losses, gradient_norm=norm, learning_rate=learning_rate, is_applied=is_applied)

    def _backward(
        self, micro_batches: list[MicroBatch], counts: Mapping[str, float]
    ) -> tuple[dict[str, Tensor], list[dict[str, Tensor]]]:
        """Add up gradients; return the summed losses and the keys for the queue."""
        sums: defaultdict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=self._accelerator.device))
        new_keys: list[dict[str, Tensor]] = []
        for place, micro_batch in enumerate(micro_batches):
            is_last = place == len(micro_batches) - 1
            if self._accelerator.distributed_type == DistributedType.DEEPSPEED:
                self._accelerator.gradient_state._set_sync_gradients(is_last)  # noqa: SLF001 - what accumulate() calls
            micro = micro_batch.to(self._accelerator.device)
            keys = None
            if self.momentum is not None and isinstance(micro.batch, PairBatch):
                columns = self._key_columns(micro.batch)
                keys = Keys(micro.batch, columns, self.queue, keep_width=self.stage.pairs.has_fixed_widths)
                new_keys.append(columns)
            with nullcontext() if is_last else self._accelerator.no_sync(self.wrapped):
                losses = self.wrapped(micro, keys, self.stage, self._generator(place), self._teachers)
                weighted = [self.stage.objectives[name] * loss / counts[name] for name, loss in losses.items()]
                # DDP averages gradients over processes, while the counts are those of all processes together.
                total = sum(weighted) * self._accelerator.num_processes
                self._accelerator.backward(total + self._zero_of_all() if is_last and self._is_ddp else total)
            for name, loss in losses.items():
                sums[name] += loss.detach()
        return dict(sums), new_keys

    @property
    def _is_ddp(self) -> bool:
        return isinstance(self.wrapped, DistributedDataParallel)

    def _zero_of_all(self) -> Tensor:
        """Return zero, with a gradient of zero for every trained weight.

        DDP adds up over processes in the last pass of a step and waits for every weight there, also for those that only
        earlier passes used, as the decoder beside contrastive learning.
        """
        trained = (parameter for parameter in self._module.parameters() if parameter.requires_grad)
        return torch.stack([parameter.flatten()[0].float() for parameter in trained]).sum() * 0

    def _key_columns(self, batch: PairBatch) -> dict[str, Tensor]:
        assert self.momentum is not None
        with self._accelerator.autocast():
            text_keys_BE, code_keys_BE = self.momentum.keys(batch)
        layout = self.queue or self._new_queue()
        return layout.columns(batch, text_keys_BE, code_keys_BE)

    def _follow(self, new_keys: list[dict[str, Tensor]]) -> None:
        """Update what follows the weights: temperature bounds, momentum encoder, queue, average."""
        pairs, model = self.stage.pairs, self._module.model
        with torch.no_grad():
            self._module.temperature.clamp_(pairs.lowest_temperature, pairs.highest_temperature)
        if self.momentum is not None:
            self.momentum.update(model, pairs.momentum)
        if self.queue is not None:
            self.queue.enqueue(self._gathered(new_keys))
        if self.average is not None:
            self.average.update(self._module, self.stage.ema_decay)

    def _gathered(self, new_keys: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Join the keys of all processes in the order in which one process would have made them."""
        world = self._accelerator.num_processes
        joined = {name: torch.stack([columns[name] for columns in new_keys]) for name in new_keys[0]}
        if world > 1:
            micro = {name: tensor.shape[0] for name, tensor in joined.items()}
            joined = {
                name: gather(tensor).view(world, micro[name], *tensor.shape[1:]).transpose(0, 1).flatten(0, 1)
                for name, tensor in joined.items()
            }
        return {name: tensor.flatten(0, 1) for name, tensor in joined.items()}

    def _generator(self, place: int) -> torch.Generator:
        """Return the generator of one micro-batch of this step, the same whichever process computes it."""
        number = place * self._accelerator.num_processes + self._accelerator.process_index
        seed = np.random.SeedSequence((*self._seed, self.step, number)).generate_state(1, np.uint64)[0]
        return torch.Generator(self._accelerator.device).manual_seed(int(seed) >> 1)

    def _label_counts(self, micro_batches: list[MicroBatch]) -> dict[str, float]:
        """Return how much each objective's sum is divided by: labels, or pairs, of the whole step."""
        counts: dict[str, float] = dict.fromkeys(self.stage.objectives, 0.0)
        for micro in micro_batches:
            if isinstance(micro.batch, PairBatch):
                own = pair_counts(micro.batch, self.stage.pairs)
            else:
                own = {micro.objective: float(micro.batch.num_labels)}
            for name in counts.keys() & own.keys():
                counts[name] += own[name]
        if self._accelerator.num_processes > 1:
            local = torch.tensor(list(counts.values()), dtype=torch.float64, device=self._accelerator.device)
            total = gather(local).view(self._accelerator.num_processes, -1).sum(0)
            counts = dict(zip(counts, total.tolist(), strict=True))
        return {name: max(1.0, count) for name, count in counts.items()}

    def _set_learning_rate(self) -> float:
        factor = learning_rate_factor(self.step, self.stage.steps, self.stage.schedule, time_share=self.time_share)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
        return self.stage.optimizer.peak_learning_rate * factor

    def close(self) -> None:
        """Take the module out of its wrappers, so that another stage can prepare it anew."""
        self._accelerator.unwrap_model(self.wrapped, keep_fp32_wrapper=False)
        # Accelerate returns a module with this mark as it is: without autocast, for its wrappers were just taken off.
        self._module.__dict__.pop("_is_accelerate_prepared", None)
        self._accelerator.free_memory()

    def whole_model(self) -> CodeT5pModel:
        """Return the trained model with all its weights; with split weights a copy, on the first process only."""
        model = self._module.model
        if not is_sharded(self._accelerator):
            return model
        if self._accelerator.distributed_type == DistributedType.FSDP:
            named = whole_weights(self.wrapped)
        else:
            named = self._accelerator.get_state_dict(self.wrapped) or {}
        weights = {name.removeprefix("model."): tensor for name, tensor in named.items() if name.startswith("model.")}
        with torch.device("meta"):
            copy = CodeT5pModel(model.config)
        if weights:
            assign_weights(copy, weights)
        return copy

    def _temperature(self) -> float:
        temperature = self._module.temperature.detach()
        return float(temperature.full_tensor() if isinstance(temperature, DTensor) else temperature)

    def _optimizer_states(self) -> list[dict[str, Any]]:
        if self._accelerator.distributed_type == DistributedType.DEEPSPEED:
            return []  # ZeRO keeps it in its own form; a resumed run starts it anew
        if is_sharded(self._accelerator):
            return [whole_optimizer_state(self.wrapped, optimizer.optimizer) for optimizer in self.optimizers]
        return [optimizer.state_dict() for optimizer in self.optimizers]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the model's weights that the next step depends on; all processes call it together."""
        return {
            "step": self.step,
            "seconds": self._clock.used_seconds,
            "temperature": self._temperature(),
            "optimizers": self._optimizer_states(),
            "momentum": None if self.momentum is None else self.momentum.model.state_dict(),
            "queue": None if self.queue is None else self.queue.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any], *, with_optimizers: bool = True) -> None:
        """Take over what `state_dict` returned.

        Args:
            state: Of the same stage.
            with_optimizers: False starts them anew.
        """
        self.step = int(state["step"])
        self._clock.go_on_from(float(state["seconds"]))
        self.time_share = self._clock.share()
        with torch.no_grad():
            self._module.temperature.fill_(state["temperature"])
        if with_optimizers:
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                if is_sharded(self._accelerator):
                    load_whole_optimizer_state(self.wrapped, optimizer.optimizer, saved)
                else:
                    optimizer.load_state_dict(saved)
        if self.momentum is not None:
            self.momentum.model.load_state_dict(state["momentum"])
        if self.queue is not None:
            self.queue.load_state_dict(state["queue"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
