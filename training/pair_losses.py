"""The objectives on text-code pairs, computed together because they share what the encoder made of both sides.

Shape legend: B pairs, P pairs that take part in an objective, N keys (B from this batch first, then the queue), S text
tokens, T code tokens, D width.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from codet5p.model.transformer import CodeT5pModel
from codet5p.training.config import PairRecipe
from codet5p.training.distillation import Teachers
from codet5p.training.momentum import KeyQueue
from codet5p.training.objectives.bimodal_causal_lm import decoder_input_and_labels
from codet5p.training.objectives.contrastive import contrastive_loss, duplicate_mask
from codet5p.training.objectives.cross_entropy import summed_cross_entropy
from codet5p.training.objectives.matching import hard_negatives, matching_decoder_input, matching_loss, state_at_end
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_table import PairBatch, every

__all__ = ["Keys", "pair_counts", "pair_losses"]


class Keys:
    """Momentum keys of a micro-batch and of the queue, with what they stand for; read-only."""

    def __init__(
        self, batch: PairBatch, columns: dict[str, Tensor], queue: KeyQueue | None, *, keep_width: bool = False
    ) -> None:
        """Join the keys; `keep_width` leaves the tokens behind them in the widths of the queue, one shape for all."""
        self._columns = columns
        self._queue = queue if queue is not None and queue.filled else None
        self._keep_width = keep_width
        self.text_NE = self._joined("text_keys_QE")
        self.code_NE = self._joined("code_keys_QE")
        self.duplicates_BN = duplicate_mask(batch.content_ids_B2, self._joined("content_ids_Q2"))

    def _joined(self, name: str) -> Tensor:
        own = self._columns[name]
        return own if self._queue is None else torch.cat([own, self._queue[name]])

    def excluded(self) -> Tensor:
        """Return which keys are no negatives, bool [B, N]: a pair's own and its duplicates."""
        excluded_BN = self.duplicates_BN.clone()
        excluded_BN.fill_diagonal_(fill_value=True)
        return excluded_BN

    def tokens(self, side: str, numbers_P: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens behind keys, cut to the longest of them unless the width is kept.

        Args:
            side: `text` or `code`.
            numbers_P: Key numbers.

        Returns:
            `[CLS]` and content, int64, and the mask of real tokens.
        """
        suffix = "ids_QS" if side == "text" else "ids_QT"
        lengths_P = self._picked(f"{side}_lengths_Q", numbers_P)
        ids_PS = self._picked(f"{side}_{suffix}", numbers_P).long()
        if not self._keep_width:
            ids_PS = ids_PS[:, : int(lengths_P.max())]
        return ids_PS, torch.arange(ids_PS.size(1), device=ids_PS.device) < lengths_P[:, None]

    def _picked(self, name: str, numbers_P: Tensor) -> Tensor:
        own = self._columns[name]
        if self._queue is None:
            return own[numbers_P]
        is_own = (numbers_P < len(own)).view(-1, *[1] * (own.dim() - 1))
        from_queue = self._queue[name][(numbers_P - len(own)).clamp(min=0)]
        return torch.where(is_own, own[numbers_P.clamp(max=len(own) - 1)], from_queue)


def pair_counts(batch: PairBatch, recipe: PairRecipe) -> dict[str, float]:
    """Return what the summed loss of each pair objective is divided by: pairs, or predicted tokens.

    Args:
        batch: The pairs.
        recipe: Which of them take part in what.

    Returns:
        Counts by objective, `[EOS]` among the predicted tokens.
    """
    taking_part = {name: batch.one_in(recipe.one_in.get(name, 1)) for name in ("matching", *_WRITTEN_SIDE)}
    return {
        "contrastive": float(len(batch)),
        "matching": float(len(taking_part["matching"])),
        "text_to_code": float(taking_part["text_to_code"].code_mask_BT.sum()),
        "code_to_text": float(taking_part["code_to_text"].text_mask_BS.sum()),
    }


_WRITTEN_SIDE = {"text_to_code": "code", "code_to_text": "text"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _EncodedPairs:
    """Pairs, and what the encoder made of both sides."""

    batch: PairBatch
    text_BSD: Tensor
    code_BTD: Tensor

    def one_in(self, share: int) -> Self:
        """Return those of `PairBatch.one_in`; nothing is copied."""
        if share == 1:
            return self
        return type(self)(
            batch=self.batch.one_in(share), text_BSD=every(self.text_BSD, share), code_BTD=every(self.code_BTD, share)
        )


def pair_losses(  # noqa: PLR0913 - everything a pure function of model, data and chance depends on
    model: CodeT5pModel,
    batch: PairBatch,
    keys: Keys | None,
    tokens: TaskTokens,
    temperature: Tensor,
    *,
    recipe: PairRecipe,
    objectives: Collection[str],
    generator: torch.Generator,
    teachers: Teachers | None = None,
) -> dict[str, Tensor]:
    """Return the summed loss of each objective on `batch`, in nats.

    Args:
        model: Encoder, decoder and heads.
        batch: On the model's device.
        keys: Needed for matching; where there are none, contrastive compares with the batch itself.
        tokens: Task tokens.
        temperature: The learned temperature, already clamped.
        recipe: Which pairs take part in what.
        objectives: Any of contrastive, matching, text_to_code and code_to_text.
        generator: Draws the hard negatives.
        teachers: The similarities between texts to imitate; their loss is added to the contrastive one.

    Returns:
        Sums over pairs (contrastive, matching) or over predicted tokens (both causal LM), float32 scalars.
    """
    losses: dict[str, Tensor] = {}
    pairs = _EncodedPairs(
        batch=batch,
        text_BSD=model.encode(batch.text_ids_BS, batch.text_mask_BS),
        code_BTD=model.encode(batch.code_ids_BT, batch.code_mask_BT),
    )
    if not {"contrastive", "matching"}.isdisjoint(objectives):
        text_BE = model.embed(pairs.text_BSD, batch.text_mask_BS).float()
        code_BE = model.embed(pairs.code_BTD, batch.code_mask_BT).float()
        if "contrastive" in objectives:
            mean = _contrastive(text_BE, code_BE, batch, keys, temperature)
            if teachers is not None:
                mean = mean + teachers.text_loss(text_BE, batch.content_ids_B2)
            losses["contrastive"] = mean * len(batch)
        if "matching" in objectives:
            assert keys is not None, "the recipe was checked to have momentum keys"
            share = recipe.one_in.get("matching", 1)
            similarity = (every(text_BE, share).detach(), every(code_BE, share).detach(), temperature.detach())
            negatives = _draw_negatives(keys, similarity, every(keys.excluded(), share), generator)
            losses["matching"] = _matching(model, pairs.one_in(share), keys, negatives, tokens)
    for objective in _WRITTEN_SIDE:
        if objective in objectives:
            taking_part = pairs.one_in(recipe.one_in.get(objective, 1))
            losses[objective] = _writing(model, taking_part, objective, tokens)
    return losses


def _writing(model: CodeT5pModel, pairs: _EncodedPairs, objective: str, tokens: TaskTokens) -> Tensor:
    """Write one side of each pair while reading the other."""
    batch = pairs.batch
    if _WRITTEN_SIDE[objective] == "code":
        written, opening = (batch.code_ids_BT, batch.code_mask_BT), tokens.cdec
        states, states_mask = pairs.text_BSD, batch.text_mask_BS
    else:
        written, opening = (batch.text_ids_BS, batch.text_mask_BS), tokens.tdec
        states, states_mask = pairs.code_BTD, batch.code_mask_BT
    decoder_input, labels = decoder_input_and_labels(*written, opening=opening, eos=tokens.eos)
    return summed_cross_entropy(model, model.decode(decoder_input, states, states_mask), labels)


def _contrastive(text_BE: Tensor, code_BE: Tensor, batch: PairBatch, keys: Keys | None, temperature: Tensor) -> Tensor:
    """Return the mean contrastive loss against the keys, or against the embeddings themselves."""
    if keys is None:
        duplicates_BB = duplicate_mask(batch.content_ids_B2, batch.content_ids_B2)
        return contrastive_loss(
            text_BE, code_BE, text_BE, code_BE, temperature=temperature, duplicates_BN=duplicates_BB
        )
    return contrastive_loss(
        text_BE, code_BE, keys.text_NE, keys.code_NE, temperature=temperature, duplicates_BN=keys.duplicates_BN
    )


def _draw_negatives(
    keys: Keys, similarity: tuple[Tensor, Tensor, Tensor], excluded_PN: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return a wrong code for each text and a wrong text for each code, as key numbers."""
    text_PE, code_PE, temperature = similarity
    wrong_code_P = hard_negatives(text_PE @ keys.code_NE.T / temperature, excluded_PN, generator)
    wrong_text_P = hard_negatives(code_PE @ keys.text_NE.T / temperature, excluded_PN, generator)
    return wrong_code_P, wrong_text_P


def _matching(
    model: CodeT5pModel, pairs: _EncodedPairs, keys: Keys, negatives: tuple[Tensor, Tensor], tokens: TaskTokens
) -> Tensor:
    """Judge each pair, each text with a wrong code, and each code with a wrong text; one decoder pass for all."""
    batch, text_PSD = pairs.batch, pairs.text_BSD
    wrong_code_ids, wrong_code_mask = keys.tokens("code", negatives[0])
    wrong_text_ids, wrong_text_mask = keys.tokens("text", negatives[1])
    wrong_text_PSD = model.encode(wrong_text_ids, wrong_text_mask)
    code_ids, code_mask = (
        _stacked((batch.code_ids_BT, wrong_code_ids, batch.code_ids_BT)),
        _stacked((batch.code_mask_BT, wrong_code_mask, batch.code_mask_BT)),
    )
    states = _stacked((text_PSD, text_PSD, wrong_text_PSD))
    states_mask = _stacked((batch.text_mask_BS, batch.text_mask_BS, wrong_text_mask))
    decoder_input, ends_M = matching_decoder_input(code_ids, code_mask, tokens)
    hidden = model.decode(decoder_input, states, states_mask)
    logits_M2 = model.match_logits(state_at_end(hidden, ends_M))
    is_match_M = torch.arange(len(logits_M2), device=logits_M2.device) < len(batch)
    return matching_loss(logits_M2, is_match_M) * len(batch)


def _stacked(parts: tuple[Tensor, ...]) -> Tensor:
    """Join parts of different widths along the rows, filled with zeros."""
    width = max(part.size(1) for part in parts)
    return torch.cat([F.pad(part, (*[0, 0] * (part.dim() - 2), 0, width - part.size(1))) for part in parts])
