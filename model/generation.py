"""Greedy and beam search: the plain reference that exported models are compared with. Knows token ids only.

Shape legend: B batch, S source tokens, T tokens so far, K beams, V vocabulary, R = B * K rows, C = 2 * K candidates.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from codet5p.model.cache import KeyValueCache
from codet5p.model.codegen import CodeGenT5pModel
from codet5p.model.transformer import CodeT5pModel

__all__ = ["Hypothesis", "SearchConfig", "beam_search", "greedy_search"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchConfig:
    """When a search ends, and what it prefers."""

    eos_id: int
    """Ends a sequence."""
    max_new_tokens: int
    """Ends every sequence; the end token counts."""
    num_beams: int = 1
    length_penalty: float = 1.0
    """Hypotheses are ranked by log-probability / length^penalty: 0 favours short ones, larger values longer ones."""
    use_cache: bool = True
    """Keep keys and values between steps; without, each step computes everything again."""

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1 or self.num_beams < 1:
            raise ValueError("max_new_tokens and num_beams must be at least 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Hypothesis:
    """A finished sequence of a beam search."""

    token_ids: tuple[int, ...]
    """New tokens, the end token included if there was one."""
    score: float
    """Log-probability in nats divided by length^penalty."""


@torch.inference_mode()
def greedy_search(
    model: CodeT5pModel | CodeGenT5pModel,
    prefix_ids_BT: Tensor,
    config: SearchConfig,
    *,
    source_ids_BS: Tensor | None = None,
    source_mask_BS: Tensor | None = None,
) -> list[tuple[int, ...]]:
    """Return the most probable next token, again and again, for each row.

    Args:
        model: In evaluation mode.
        prefix_ids_BT: Where each row begins, int64; at least one token, all rows of one length.
        config: `num_beams` and `length_penalty` do not matter here.
        source_ids_BS: Encoder input; None leaves cross-attention out.
        source_mask_BS: Boolean, True for a real source token.

    Returns:
        The new tokens of each row, the end token included if there was one.
    """
    decoding = _Decoding(model, source_ids_BS, source_mask_BS, use_cache=config.use_cache)
    ids_BT = prefix_ids_BT
    is_finished_B = torch.zeros_like(ids_BT[:, 0], dtype=torch.bool)
    for _ in range(config.max_new_tokens):
        next_ids_B = decoding.next_logits(ids_BT).argmax(dim=-1)
        next_ids_B = next_ids_B.masked_fill(is_finished_B, config.eos_id)
        ids_BT = torch.cat((ids_BT, next_ids_B.unsqueeze(1)), dim=1)
        is_finished_B |= next_ids_B == config.eos_id
        if is_finished_B.all():
            break
    return [_up_to_end(row, config.eos_id) for row in ids_BT[:, prefix_ids_BT.size(1) :].tolist()]


@torch.inference_mode()
def beam_search(
    model: CodeT5pModel | CodeGenT5pModel,
    prefix_ids_BT: Tensor,
    config: SearchConfig,
    *,
    source_ids_BS: Tensor | None = None,
    source_mask_BS: Tensor | None = None,
) -> list[list[Hypothesis]]:
    """Return the best hypotheses of each row, best first, at most `num_beams` of them.

    A search ends only when no running beam can still overtake a finished one, transformers' `early_stopping="never"`.

    Args:
        model: In evaluation mode.
        prefix_ids_BT: Where each row begins, int64; at least one token, all rows of one length.
        config: How to search.
        source_ids_BS: Encoder input; None leaves cross-attention out.
        source_mask_BS: Boolean, True for a real source token.

    Returns:
        The finished hypotheses of each row.
    """
    batch_size, num_beams = prefix_ids_BT.size(0), config.num_beams
    decoding = _Decoding(model, source_ids_BS, source_mask_BS, use_cache=config.use_cache)
    rows_R = torch.arange(batch_size, device=prefix_ids_BT.device).repeat_interleave(num_beams)
    decoding.select_rows(rows_R)
    ids_RT = prefix_ids_BT[rows_R]
    # All beams of a row begin alike: only the first may be continued in the first step.
    scores_BK = torch.full((batch_size, num_beams), -math.inf, device=ids_RT.device)
    scores_BK[:, 0] = 0.0
    ended: list[list[Hypothesis]] = [[] for _ in range(batch_size)]
    for length in range(1, config.max_new_tokens + 1):
        log_probs_RV = decoding.next_logits(ids_RT).float().log_softmax(dim=-1)
        candidates = _Candidates.best(scores_BK, log_probs_RV)
        ends_BC = (candidates.token_ids_BC == config.eos_id) | (length == config.max_new_tokens)
        _collect_ended(ended, candidates, ends_BC, ids_RT[:, prefix_ids_BT.size(1) :], config)
        candidates = candidates.running(ends_BC, num_beams)
        scores_BK = candidates.scores_BC
        best_running = scores_BK.max(dim=1).values.tolist()
        if all(_is_decided(*row, length, config) for row in zip(ended, best_running, strict=True)):
            break
        rows_R = candidates.rows_BC.flatten()
        ids_RT = torch.cat((ids_RT[rows_R], candidates.token_ids_BC.reshape(-1, 1)), dim=1)
        decoding.select_rows(rows_R)
    return ended


class _Decoding:
    """A model in the middle of decoding: its source and what it has seen of the target."""

    def __init__(
        self,
        model: CodeT5pModel | CodeGenT5pModel,
        source_ids_BS: Tensor | None,
        source_mask_BS: Tensor | None,
        *,
        use_cache: bool,
    ) -> None:
        self.model = model
        self.states_BSD = None if source_ids_BS is None else model.encode(source_ids_BS, source_mask_BS)
        self.source_mask_BS = source_mask_BS
        self.cache = KeyValueCache(model.config.num_decoder_layers) if use_cache else None

    def next_logits(self, ids_BT: Tensor) -> Tensor:
        """Return the logits [B, V] of the token behind `ids_BT`, which begin with what the cache holds."""
        num_seen = 0 if self.cache is None else self.cache.num_tokens
        hidden_BTD = self.model.decode(ids_BT[:, num_seen:], self.states_BSD, self.source_mask_BS, cache=self.cache)
        return self.model.logits(hidden_BTD[:, -1])

    def select_rows(self, rows_B: Tensor) -> None:
        """Go on with the chosen batch rows, which may repeat."""
        if self.states_BSD is not None:
            self.states_BSD = self.states_BSD[rows_B]
        if self.source_mask_BS is not None:
            self.source_mask_BS = self.source_mask_BS[rows_B]
        if self.cache is not None:
            self.cache.select_rows(rows_B)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidates:
    """Beams lengthened by one token, best first."""

    scores_BC: Tensor
    """Log-probability of the whole sequence."""
    rows_BC: Tensor
    """Row, out of R, of the beam that is lengthened."""
    token_ids_BC: Tensor

    @classmethod
    def best(cls, scores_BK: Tensor, log_probs_RV: Tensor) -> "_Candidates":
        """Return the 2 K best: even if K of them end, K are left to run on."""
        batch_size, num_beams = scores_BK.shape
        vocab_size = log_probs_RV.size(1)
        totals_BX = (scores_BK.reshape(-1, 1) + log_probs_RV).view(batch_size, num_beams * vocab_size)
        scores_BC, flat_BC = totals_BX.topk(min(2 * num_beams, totals_BX.size(1)), dim=1)
        first_rows_B1 = num_beams * torch.arange(batch_size, device=scores_BK.device).unsqueeze(1)
        return cls(
            scores_BC=scores_BC, rows_BC=first_rows_B1 + flat_BC // vocab_size, token_ids_BC=flat_BC % vocab_size
        )

    def running(self, ends_BC: Tensor, num_beams: int) -> "_Candidates":
        """Return the K best that do not end; ended ones fill up with score -inf where they are fewer."""
        scores_BC = self.scores_BC.masked_fill(ends_BC, -math.inf)
        scores_BK, kept_BK = scores_BC.topk(num_beams, dim=1)
        return _Candidates(
            scores_BC=scores_BK,
            rows_BC=self.rows_BC.gather(1, kept_BK),
            token_ids_BC=self.token_ids_BC.gather(1, kept_BK),
        )


def _collect_ended(
    ended: list[list[Hypothesis]], candidates: _Candidates, ends_BC: Tensor, new_ids_RT: Tensor, config: SearchConfig
) -> None:
    """Add what ends among the K best candidates of each row, and keep the K best hypotheses."""
    for batch_row, hypotheses in enumerate(ended):
        for rank in range(config.num_beams):
            log_prob = candidates.scores_BC[batch_row, rank].item()
            if ends_BC[batch_row, rank] and log_prob > -math.inf:
                beam = new_ids_RT[candidates.rows_BC[batch_row, rank]].tolist()
                token_ids = (*beam, int(candidates.token_ids_BC[batch_row, rank]))
                score = log_prob / len(token_ids) ** config.length_penalty
                hypotheses.append(Hypothesis(token_ids=token_ids, score=score))
        hypotheses.sort(key=lambda hypothesis: -hypothesis.score)
        del hypotheses[config.num_beams :]


def _is_decided(hypotheses: list[Hypothesis], best_running: float, length: int, config: SearchConfig) -> bool:
    """Return whether the best running beam of a row cannot overtake the worst of its K ended hypotheses."""
    if len(hypotheses) < config.num_beams:
        return False
    # A log-probability only falls; with a positive penalty a longer sequence is forgiven more of it.
    best_length = config.max_new_tokens if config.length_penalty > 0 else length + 1
    attainable = best_running / float(best_length**config.length_penalty)
    return attainable <= hypotheses[-1].score


def _up_to_end(token_ids: list[int], eos_id: int) -> tuple[int, ...]:
    end = token_ids.index(eos_id) + 1 if eos_id in token_ids else len(token_ids)
    return tuple(token_ids[:end])
