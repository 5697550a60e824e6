"""The objectives on text-code pairs, computed together because they share what the encoder made of both sides.

Shape legend: B pairs, N keys (B from this batch first, then the queue), S text tokens, T code tokens, D width.
"""

from collections.abc import Collection

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from codet5p.model.transformer import CodeT5pModel
from codet5p.training.distillation import Teachers
from codet5p.training.momentum import KeyQueue
from codet5p.training.objectives.bimodal_causal_lm import decoder_input_and_labels
from codet5p.training.objectives.contrastive import contrastive_loss, duplicate_mask
from codet5p.training.objectives.cross_entropy import summed_cross_entropy
from codet5p.training.objectives.matching import hard_negatives, matching_decoder_input, matching_loss, state_at_end
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_table import PairBatch

__all__ = ["Keys", "pair_losses"]


class Keys:
    """Momentum keys of a micro-batch and of the queue, with what they stand for; read-only."""

    def __init__(self, batch: PairBatch, columns: dict[str, Tensor], queue: KeyQueue | None) -> None:
        self._columns = columns
        self._queue = queue if queue is not None and queue.filled else None
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

    def tokens(self, side: str, numbers_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens behind keys, cut to the longest of them.

        Args:
            side: `text` or `code`.
            numbers_B: Key numbers.

        Returns:
            `[CLS]` and content, int64, and the mask of real tokens.
        """
        suffix = "ids_QS" if side == "text" else "ids_QT"
        lengths_B = self._picked(f"{side}_lengths_Q", numbers_B)
        ids_BS = self._picked(f"{side}_{suffix}", numbers_B)[:, : int(lengths_B.max())].long()
        return ids_BS, torch.arange(ids_BS.size(1), device=ids_BS.device) < lengths_B[:, None]

    def _picked(self, name: str, numbers_B: Tensor) -> Tensor:
        own = self._columns[name]
        if self._queue is None:
            return own[numbers_B]
        is_own = (numbers_B < len(own)).view(-1, *[1] * (own.dim() - 1))
        from_queue = self._queue[name][(numbers_B - len(own)).clamp(min=0)]
        return torch.where(is_own, own[numbers_B.clamp(max=len(own) - 1)], from_queue)


def pair_losses(  # noqa: PLR0913 - everything a pure function of model, data and chance depends on
    model: CodeT5pModel,
    batch: PairBatch,
    keys: Keys | None,
    tokens: TaskTokens,
    temperature: Tensor,
    *,
    objectives: Collection[str],
    generator: torch.Generator,
    teachers: Teachers | None = None,
) -> dict[str, Tensor]:
    """Return the summed loss of each objective on `batch`, in nats.

    Args:
        model: Encoder, decoder and heads.
        batch: On the model's device.
        keys: Needed for contrastive and matching.
        tokens: Task tokens.
        temperature: The learned temperature, already clamped.
        objectives: Any of contrastive, matching, text_to_code and code_to_text.
        generator: Draws the hard negatives.
        teachers: The similarities between texts to imitate; their loss is added to the contrastive one.

    Returns:
        Sums over pairs (contrastive, matching) or over predicted tokens (both causal LM), float32 scalars.
    """
    losses: dict[str, Tensor] = {}
    text_BSD = model.encode(batch.text_ids_BS, batch.text_mask_BS)
    code_BTD = model.encode(batch.code_ids_BT, batch.code_mask_BT)
    if keys is not None:
        text_BE, code_BE = model.embed(text_BSD).float(), model.embed(code_BTD).float()
        if "contrastive" in objectives:
            mean = contrastive_loss(
                text_BE,
                code_BE,
                keys.text_NE,
                keys.code_NE,
                temperature=temperature,
                duplicates_BN=keys.duplicates_BN,
            )
            if teachers is not None:
                mean = mean + teachers.text_loss(text_BE, batch.content_ids_B2)
            losses["contrastive"] = mean * len(batch)
        if "matching" in objectives:
            similarity = (text_BE.detach(), code_BE.detach(), temperature.detach())
            negatives = _draw_negatives(keys, similarity, generator)
            losses["matching"] = _matching(model, batch, text_BSD, keys, negatives, tokens)
    if "text_to_code" in objectives:
        decoder_input, labels = decoder_input_and_labels(
            batch.code_ids_BT, batch.code_mask_BT, opening=tokens.cdec, eos=tokens.eos
        )
        hidden = model.decode(decoder_input, text_BSD, batch.text_mask_BS)
        losses["text_to_code"] = summed_cross_entropy(model, hidden, labels)
    if "code_to_text" in objectives:
        decoder_input, labels = decoder_input_and_labels(
            batch.text_ids_BS, batch.text_mask_BS, opening=tokens.tdec, eos=tokens.eos
        )
        hidden = model.decode(decoder_input, code_BTD, batch.code_mask_BT)
        losses["code_to_text"] = summed_cross_entropy(model, hidden, labels)
    return losses


def _draw_negatives(
    keys: Keys, similarity: tuple[Tensor, Tensor, Tensor], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return a wrong code for each text and a wrong text for each code, as key numbers."""
    text_BE, code_BE, temperature = similarity
    excluded_BN = keys.excluded()
    wrong_code_B = hard_negatives(text_BE @ keys.code_NE.T / temperature, excluded_BN, generator)
    wrong_text_B = hard_negatives(code_BE @ keys.text_NE.T / temperature, excluded_BN, generator)
    return wrong_code_B, wrong_text_B


def _matching(
    model: CodeT5pModel,
    batch: PairBatch,
    text_BSD: Tensor,
    keys: Keys,
    negatives: tuple[Tensor, Tensor],
    tokens: TaskTokens,
) -> Tensor:
    """Judge each pair, each text with a wrong code, and each code with a wrong text; one decoder pass for all."""
    wrong_code_ids, wrong_code_mask = keys.tokens("code", negatives[0])
    wrong_text_ids, wrong_text_mask = keys.tokens("text", negatives[1])
    wrong_text_BSD = model.encode(wrong_text_ids, wrong_text_mask)
    code_ids, code_mask = (
        _stacked((batch.code_ids_BT, wrong_code_ids, batch.code_ids_BT)),
        _stacked((batch.code_mask_BT, wrong_code_mask, batch.code_mask_BT)),
    )
    states = _stacked((text_BSD, text_BSD, wrong_text_BSD))
    states_mask = _stacked((batch.text_mask_BS, batch.text_mask_BS, wrong_text_mask))
    hidden = model.decode(matching_decoder_input(code_ids, code_mask, tokens), states, states_mask)
    logits_M2 = model.match_logits(state_at_end(hidden, code_mask.sum(1)))
    is_match_M = torch.arange(len(logits_M2), device=logits_M2.device) < len(batch)
    return matching_loss(logits_M2, is_match_M) * len(batch)


def _stacked(parts: tuple[Tensor, ...]) -> Tensor:
    """Join parts of different widths along the rows, filled with zeros."""
    width = max(part.size(1) for part in parts)
    return torch.cat([F.pad(part, (*[0, 0] * (part.dim() - 2), 0, width - part.size(1))) for part in parts])
