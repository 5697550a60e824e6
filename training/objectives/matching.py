"""Text-code matching: does this text describe this code, asked of the decoder, with hard negatives.

Shape legend: B pairs in the batch, N keys, T decoder tokens, M = 3 * B judged pairs, D model width.
"""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from codet5p.training.objectives.task_tokens import TaskTokens

__all__ = ["hard_negatives", "matching_decoder_input", "matching_loss", "state_at_end"]


def hard_negatives(similarity_BN: Tensor, excluded_BN: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return one wrong key for each query, the likelier the more similar it is.

    Args:
        similarity_BN: Logits over keys, that is cosine over temperature.
        excluded_BN: True where a key must not be drawn: the pair itself and its duplicates.
        generator: Source of chance, on the same device.

    Returns:
        int64 [B] key numbers. A row without any key to draw gives its first key that is not excluded or, if all are,
        any key; the trainer's queue rules that out.

    Source: ALBEF (arXiv 2107.07651) section 3.3 draws within the batch; CodeT5+ section 3.2 from the queue, as here.
    """
    weights_BN = similarity_BN.float().masked_fill(excluded_BN, -torch.inf).softmax(dim=-1)
    weights_BN = weights_BN.nan_to_num(nan=1.0)  # a row in which everything is excluded
    return torch.multinomial(weights_BN, 1, generator=generator).squeeze(1)


def matching_decoder_input(code_ids_BT: Tensor, code_mask_BT: Tensor, tokens: TaskTokens) -> tuple[Tensor, Tensor]:
    """Return `[EOS] [Match] code [EOS]`, filled with `[EOS]`, and where its closing `[EOS]` stands.

    Args:
        code_ids_BT: `[CLS] code`, as the encoder reads it; int64.
        code_mask_BT: True at real tokens.
        tokens: `[Match]` and `[EOS]`.

    Returns:
        int64 [B, T + 2], and int64 [B] positions. The layout is that of `codet5p.core.decoder_inputs.judged_ids`.
    """
    body_BT = code_ids_BT.masked_fill(~code_mask_BT, tokens.eos)
    match_B1, eos_B1 = torch.full_like(body_BT[:, :1], tokens.match), torch.full_like(body_BT[:, :1], tokens.eos)
    return torch.cat([eos_B1, match_B1, body_BT[:, 1:], eos_B1], dim=1), code_mask_BT.sum(1) + 1


def state_at_end(hidden_BTD: Tensor, ends_B: Tensor) -> Tensor:
    """Return the decoder state at the `[EOS]` that closes each row.

    Args:
        hidden_BTD: Decoder output after the final norm.
        ends_B: Where that `[EOS]` stands.

    Returns:
        [B, D].
    """
    return hidden_BTD[torch.arange(len(hidden_BTD), device=hidden_BTD.device), ends_B]


def matching_loss(match_logits_M2: Tensor, is_match_M: Tensor) -> Tensor:
    """Return the two-way cross-entropy of the matching head, in nats, the mean over judged pairs.

    Args:
        match_logits_M2: Class 1 means match.
        is_match_M: Bool; for B pairs, B true and 2 * B false.

    Returns:
        A scalar, float32.

    Source: CodeT5+ section 3.2.
    """
    return F.cross_entropy(match_logits_M2.float(), is_match_M.long())
