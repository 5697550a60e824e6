"""Multi-head attention with grouped queries, for self- and cross-attention alike.

Shape legend: B batch, T queries, S keys, D width, H query heads, K key-value heads, C channels per head.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from codet5p.model.attention_mask import AttentionMask
from codet5p.model.rotary import Rotation, rotate

__all__ = ["Attention", "KeysValues"]


class KeysValues(NamedTuple):
    """What a sequence offers to queries, rotated already; the unit that a cache stores."""

    keys_BKSC: Tensor
    values_BKSC: Tensor

    def followed_by(self, later: "KeysValues") -> "KeysValues":
        """Return these keys and values with those of `later` tokens behind them."""
        return KeysValues(
            torch.cat((self.keys_BKSC, later.keys_BKSC), dim=2),
            torch.cat((self.values_BKSC, later.values_BKSC), dim=2),
        )

    def rows(self, rows_B: Tensor) -> "KeysValues":
        """Return the chosen batch rows, which may repeat."""
        return KeysValues(self.keys_BKSC[rows_B], self.values_BKSC[rows_B])


class Attention(nn.Module):
    """Query, key, value and output projections around scaled dot-product attention, with biases or without.

    Keys and values are made by a call of their own, so that a cache can stand between them and the attention.
    """

    def __init__(  # noqa: PLR0913 - the values of the configuration that it needs
        self,
        *,
        width: int,
        num_heads: int,
        num_key_value_heads: int,
        head_dim: int,
        is_scaled: bool,
        dropout: float,
        has_biases: bool = False,
    ) -> None:
        super().__init__()
        self.head_dim = head_dim
        self.score_scale = head_dim**-0.5 if is_scaled else 1.0
        self.has_groups = num_key_value_heads != num_heads
        self.dropout = dropout
        self.query = nn.Linear(width, num_heads * head_dim, bias=has_biases)
        self.key = nn.Linear(width, num_key_value_heads * head_dim, bias=has_biases)
        self.value = nn.Linear(width, num_key_value_heads * head_dim, bias=has_biases)
        self.output = nn.Linear(num_heads * head_dim, width, bias=has_biases)

    def keys_values(self, memory_BSD: Tensor, rotation: Rotation | None = None) -> KeysValues:
        """Return the keys and values of `memory_BSD`, the keys rotated where `rotation` is given."""
        keys_BKSC = self._split_heads(self.key(memory_BSD))
        if rotation is not None:
            keys_BKSC = rotate(keys_BKSC, rotation)
        return KeysValues(keys_BKSC, self._split_heads(self.value(memory_BSD)))

    def forward(
        self, hidden_BTD: Tensor, memory: KeysValues, mask: AttentionMask, rotation: Rotation | None = None
    ) -> Tensor:
        """Return what each token of `hidden_BTD` gathers from `memory`, [B, T, D].

        Args:
            hidden_BTD: Normalised hidden states.
            memory: Made by `keys_values`, with the same rotation or none.
            mask: Which keys each query sees; a query that sees none gathers zeros.
            rotation: Rotates the queries.

        Returns:
            The attention's contribution to the residual stream.
        """
        queries_BHTC = self._split_heads(self.query(hidden_BTD))
        if rotation is not None:
            queries_BHTC = rotate(queries_BHTC, rotation)
        # Only the kernels without a mask know groups; for the others the keys are repeated.
        has_kernel_groups = self.has_groups and mask.mask_BHTS is None
        keys_BKSC, values_BKSC = memory
        if self.has_groups and not has_kernel_groups:
            group_size = queries_BHTC.size(1) // keys_BKSC.size(1)
            keys_BKSC = keys_BKSC.repeat_interleave(group_size, dim=1)
            values_BKSC = values_BKSC.repeat_interleave(group_size, dim=1)
        gathered_BHTC = F.scaled_dot_product_attention(
            queries_BHTC,
            keys_BKSC,
            values_BKSC,
            attn_mask=mask.mask_BHTS,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=mask.is_causal,
            scale=self.score_scale,
            enable_gqa=has_kernel_groups,
        )
        contribution_BTD: Tensor = self.output(gathered_BHTC.transpose(1, 2).flatten(2))
        return contribution_BTD

    def of_one_key(self, memory_B1D: Tensor) -> Tensor:
        """Return what every query gathers from a single key, [B, 1, D]: the softmax is 1 whatever the query is.

        Args:
            memory_B1D: The one state that is attended to.

        Returns:
            The attention's contribution to the residual stream of any number of queries.
        """
        values_BKSC = self._split_heads(self.value(memory_B1D))
        group_size = self.query.out_features // self.value.out_features
        contribution_B1D: Tensor = self.output(values_BKSC.repeat_interleave(group_size, dim=1).flatten(1).unsqueeze(1))
        return contribution_B1D

    def _split_heads(self, projected_BTD: Tensor) -> Tensor:
        return projected_BTD.view(*projected_BTD.shape[:2], -1, self.head_dim).transpose(1, 2)
