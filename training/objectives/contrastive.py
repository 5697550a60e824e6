"""Text-code contrastive loss over a batch and a queue of keys.

Shape legend: B pairs in the batch, E embedding width, N keys (B from this batch first, then the queue).
"""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

__all__ = ["contrastive_loss", "duplicate_mask"]


def duplicate_mask(ids_B2: Tensor, key_ids_N2: Tensor) -> Tensor:
    """Return which keys hold the same text or the same code as a pair of the batch.

    Copied functions and stock docstrings are common: without this mask a pair is pushed away from its own twin in the
    queue.

    Args:
        ids_B2: int64 content ids of the batch, text first, code second.
        key_ids_N2: Content ids of the keys; the first B rows are this batch.

    Returns:
        Bool [B, N], False in the positive's own place (row i, column i).
    """
    same_BN = (ids_B2[:, None, :] == key_ids_N2[None, :, :]).any(-1)
    rows = torch.arange(len(ids_B2), device=ids_B2.device)
    same_BN[rows, rows] = False
    return same_BN


def contrastive_loss(
    text_BE: Tensor,
    code_BE: Tensor,
    text_keys_NE: Tensor,
    code_keys_NE: Tensor,
    *,
    temperature: Tensor,
    duplicates_BN: Tensor | None = None,
) -> Tensor:
    """Return the symmetric text-code contrastive loss, in nats, the mean over pairs and directions.

    Also known as InfoNCE with a momentum queue.

    Args:
        text_BE: L2-normalised text embeddings, float32; row i pairs with row i of `code_BE`.
        code_BE: L2-normalised code embeddings, float32.
        text_keys_NE: Momentum text keys, no gradient; the first B rows are this batch.
        code_keys_NE: Momentum code keys, same order.
        temperature: Positive scalar; clamped by the trainer, not here.
        duplicates_BN: Keys that are neither positive nor negative, from `duplicate_mask`.

    Returns:
        A scalar, float32.

    Raises:
        ValueError: If the two sides do not pair up.

    Source: CodeT5+ section 3.2. One-hot targets as in its formula; ALBEF's soft targets are left out.
    """
    if text_BE.shape != code_BE.shape or text_keys_NE.shape != code_keys_NE.shape:
        raise ValueError(f"text and code must pair up, got {tuple(text_BE.shape)} and {tuple(code_BE.shape)}")
    positives_B = torch.arange(len(text_BE), device=text_BE.device)
    text_to_code_BN = text_BE @ code_keys_NE.T / temperature
    code_to_text_BN = code_BE @ text_keys_NE.T / temperature
    if duplicates_BN is not None:
        text_to_code_BN = text_to_code_BN.masked_fill(duplicates_BN, -torch.inf)
        code_to_text_BN = code_to_text_BN.masked_fill(duplicates_BN, -torch.inf)
    return (F.cross_entropy(text_to_code_BN, positives_B) + F.cross_entropy(code_to_text_BN, positives_B)) / 2
