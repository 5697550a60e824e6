"""Which keys each query may see: padding, packed documents and causality, joined into what the attention kernel takes.

Shape legend: B batch, T queries, S keys, H heads (1 where heads share a mask).
"""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["AttentionMask", "causal_mask", "visible_mask"]


class AttentionMask(NamedTuple):
    """Arguments of `F.scaled_dot_product_attention`; without `mask_BHTS` its fast kernels apply."""

    mask_BHTS: Tensor | None
    """Boolean, True where the query sees the key, or a float bias that is -inf where it does not."""
    is_causal: bool

    def with_bias(self, bias_1HTS: Tensor) -> "AttentionMask":
        """Return this mask with `bias_1HTS` added to the scores of what is visible."""
        visible_BHTS = self.mask_BHTS
        if self.is_causal:
            visible_BHTS = _lower_triangle(bias_1HTS.size(-2), bias_1HTS.size(-1), bias_1HTS.device)
        if visible_BHTS is None:
            return AttentionMask(bias_1HTS, is_causal=False)
        return AttentionMask(bias_1HTS.masked_fill(~visible_BHTS, float("-inf")), is_causal=False)


def visible_mask(
    key_mask_BS: Tensor | None, *, query_documents_BT: Tensor | None, key_documents_BS: Tensor | None
) -> AttentionMask:
    """Return the mask of attention without order: encoder self-attention and cross-attention.

    Args:
        key_mask_BS: Boolean, True for a real token; None where all are.
        query_documents_BT: Packed document of each query.
        key_documents_BS: Packed document of each key; given if and only if the queries' are.

    Returns:
        The mask: queries see the real keys of their own document.

    Raises:
        ValueError: If documents are given for one side only.
    """
    if (query_documents_BT is None) != (key_documents_BS is None):
        raise ValueError("packed documents must be named on both sides of an attention, or on neither")
    mask_BHTS = None if key_mask_BS is None else key_mask_BS[:, None, None, :]
    if query_documents_BT is not None and key_documents_BS is not None:
        same_B1TS = (query_documents_BT.unsqueeze(2) == key_documents_BS.unsqueeze(1)).unsqueeze(1)
        mask_BHTS = same_B1TS if mask_BHTS is None else same_B1TS & mask_BHTS
    return AttentionMask(mask_BHTS, is_causal=False)


def causal_mask(query_length: int, key_length: int, documents_BT: Tensor | None, device: torch.device) -> AttentionMask:
    """Return the mask of decoder self-attention, where the queries are the last of the keys.

    Args:
        query_length: T.
        key_length: S; more than T where earlier keys come from a cache.
        documents_BT: Packed document of each token, or None.
        device: Where the mask is used.

    Returns:
        The mask: queries see themselves and what precedes them in their own document.

    Raises:
        ValueError: If packed documents meet a cache.
    """
    if documents_BT is not None:
        if query_length != key_length:
            raise ValueError("packed documents cannot be decoded step by step")
        same_BTT = documents_BT.unsqueeze(2) == documents_BT.unsqueeze(1)
        return AttentionMask(same_BTT.unsqueeze(1) & _lower_triangle(query_length, key_length, device), is_causal=False)
    if query_length == key_length:
        return AttentionMask(None, is_causal=True)
    if query_length == 1:
        return AttentionMask(None, is_causal=False)
    return AttentionMask(_lower_triangle(query_length, key_length, device), is_causal=False)


def _lower_triangle(query_length: int, key_length: int, device: torch.device) -> Tensor:
    ones_TS = torch.ones(query_length, key_length, dtype=torch.bool, device=device)
    return ones_TS.tril(diagonal=key_length - query_length)
