"""Model and temperature as one module whose forward pass computes losses, so that wrappers see every trained weight."""

import torch
from torch import Tensor, nn

from codet5p.model.transformer import CodeT5pModel
from codet5p.training.batches import MicroBatch
from codet5p.training.config import StageRecipe
from codet5p.training.distillation import Teachers
from codet5p.training.objectives.sequence_batch import decoder_states, sequence_loss
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_losses import Keys, pair_losses
from codet5p.training.pair_table import PairBatch

__all__ = ["ObjectiveModule"]


class ObjectiveModule(nn.Module):
    """Computes the summed losses of a micro-batch. DDP and FSDP gather and reduce around this forward pass."""

    def __init__(self, model: CodeT5pModel, tokens: TaskTokens, *, temperature: float) -> None:
        super().__init__()
        self.model = model
        self.temperature = nn.Parameter(torch.tensor([temperature]))  # FSDP splits no scalars
        self.tokens = tokens

    def forward(
        self,
        micro: MicroBatch,
        keys: Keys | None,
        stage: StageRecipe,
        generator: torch.Generator,
        teachers: Teachers | None = None,
    ) -> dict[str, Tensor]:
        """Return the sum of each objective's loss, in nats.

        Args:
            micro: On the model's device.
            keys: Contrastive keys, for pairs.
            stage: Its objectives, and which pairs take part in them.
            generator: Draws hard negatives.
            teachers: What is imitated beside the data.

        Returns:
            Float32 scalars by objective.
        """
        if isinstance(micro.batch, PairBatch):
            return pair_losses(
                self.model,
                micro.batch,
                keys,
                self.tokens,
                self.temperature,
                recipe=stage.pairs,
                objectives=stage.objectives,
                generator=generator,
                teachers=teachers,
            )
        if micro.objective == "decoder_only_causal_lm" and teachers is not None:
            hidden_BTD = decoder_states(self.model, micro.batch)
            return {micro.objective: teachers.decoder_loss(self.model, hidden_BTD, micro.batch)}
        return {micro.objective: sequence_loss(self.model, micro.batch)}
