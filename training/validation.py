"""Losses on held-out data, in nats a token, and bits per byte of code."""

import math
from collections import defaultdict
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from codet5p.core.tokenizer import Tokenizer
from codet5p.training.batches import StageBatches, StageData
from codet5p.training.config import PAIR_OBJECTIVES, StageRecipe
from codet5p.training.objective_module import ObjectiveModule
from codet5p.training.objectives.cross_entropy import IGNORED_LABEL
from codet5p.training.objectives.sequence_batch import sequence_loss
from codet5p.training.pair_losses import pair_counts, pair_losses
from codet5p.training.pair_table import PairBatch

__all__ = ["bytes_of_labels", "held_out_losses"]


def bytes_of_labels(labels_BT: Tensor, token_lengths: np.ndarray) -> int:
    """Return how many bytes of text the labels stand for.

    Args:
        labels_BT: Token ids or `IGNORED_LABEL`.
        token_lengths: Bytes of each token, from the tokenizer's `token_bytes`.

    Returns:
        The sum; special tokens stand for none.
    """
    labels = labels_BT.numpy()
    return int(token_lengths[labels[labels != IGNORED_LABEL]].sum())


@torch.no_grad()
def held_out_losses(
    module: ObjectiveModule, stage: StageRecipe, data: StageData, tokenizer: Tokenizer, *, rows: int
) -> dict[str, float]:
    """Return the mean loss of each objective of `stage` on held-out data, always over the same rows.

    Args:
        module: The model; dropout is off while this runs.
        stage: Objectives and widths.
        data: Held-out sources; objectives without data are left out.
        tokenizer: Counts bytes.
        rows: Rows of each objective.

    Returns:
        Nats per label (per pair for contrastive, against the other held-out pairs of a micro-batch), and
        `bits_per_byte` where decoder-only causal LM is trained. Matching is left out: its negatives come from the
        training queue.
    """
    objectives = {
        name: weight for name, weight in stage.objectives.items() if _has_data(name, data) and name != "matching"
    }
    if not objectives:
        return {}
    small = replace(
        stage,
        steps=1,
        objectives=objectives,
        code=replace(stage.code, rows=_multiple(rows, stage.code.micro_rows), by_objective={}),
        pairs=replace(stage.pairs, rows=_multiple(rows, stage.pairs.micro_rows), queue=0),
        examples=replace(stage.examples, rows=_multiple(rows, stage.examples.micro_rows)),
    )
    batches = StageBatches(small, data, seed=(0,))
    device = module.temperature.device
    sums: defaultdict[str, float] = defaultdict(float)
    counts: defaultdict[str, float] = defaultdict(float)
    code_bytes = 0
    lengths = np.array([len(token) for token in tokenizer.token_bytes])
    was_training = module.training
    module.eval()
    for number in range(len(batches)):
        micro = batches[number]
        if isinstance(micro.batch, PairBatch):
            _add_pairs(module, micro.batch.to(device), small, sums, counts)
            continue
        sums[micro.objective] += float(sequence_loss(module.model, micro.batch.to(device)))
        counts[micro.objective] += micro.batch.num_labels
        if micro.objective == "decoder_only_causal_lm":
            code_bytes += bytes_of_labels(micro.batch.labels_BT, lengths)
    module.train(was_training)
    means = {name: sums[name] / max(1.0, counts[name]) for name in sums}
    if code_bytes:
        means["bits_per_byte"] = sums["decoder_only_causal_lm"] / math.log(2) / code_bytes
    return means


def _multiple(rows: int, micro_rows: int) -> int:
    return max(1, rows // micro_rows) * micro_rows


def _has_data(objective: str, data: StageData) -> bool:
    if objective in PAIR_OBJECTIVES:
        return data.pairs is not None
    return data.examples is not None if objective == "source_to_target" else bool(data.code)


def _add_pairs(
    module: ObjectiveModule,
    batch: PairBatch,
    stage: StageRecipe,
    sums: dict[str, float],
    counts: dict[str, float],
) -> None:
    losses = pair_losses(
        module.model,
        batch,
        None,
        module.tokens,
        module.temperature,
        recipe=stage.pairs,
        objectives=stage.objectives,
        generator=torch.Generator(batch.text_ids_BS.device),
    )
    own = pair_counts(batch, stage.pairs)
    for name, loss in losses.items():
        sums[name] += float(loss)
        counts[name] += own[name]
