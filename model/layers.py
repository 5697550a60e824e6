"""The two kinds of layer and their feed-forward network.

What a sublayer reads is normalised and its contribution added back; where norms stand after the sum, the sum is.

Shape legend: B batch, S source tokens, T target tokens, D width, F feed-forward width.
"""

from collections.abc import Callable

import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from codet5p.model.attention import Attention
from codet5p.model.attention_mask import AttentionMask
from codet5p.model.cache import LayerCache, source_keys_values
from codet5p.model.config import CodeT5pConfig
from codet5p.model.rotary import Rotation

__all__ = ["DecoderLayer", "EncoderLayer", "FeedForward", "make_norm"]

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "swiglu": F.silu, "gelu": F.gelu}


def make_norm(config: CodeT5pConfig) -> nn.Module:
    """Return a norm over the width, of the kind that `config` asks for."""
    if config.norm == "layer":
        return nn.LayerNorm(config.width, config.norm_epsilon)
    return nn.RMSNorm(config.width, config.norm_epsilon)


class FeedForward(nn.Module):
    """Two projections with ReLU or GELU between them, or three with the SwiGLU gate (arXiv 2002.05202)."""

    def __init__(self, config: CodeT5pConfig) -> None:
        super().__init__()
        width, inner, bias = config.width, config.feed_forward_width, config.has_biases
        self.input = nn.Linear(width, inner, bias=bias)
        self.output = nn.Linear(inner, width, bias=bias)
        self.gate = nn.Linear(width, inner, bias=bias) if config.activation == "swiglu" else None
        self.activation = _ACTIVATIONS[config.activation]
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden_BTD: Tensor) -> Tensor:
        """Return the contribution to the residual stream, [B, T, D]."""
        inner_BTF = self.input(hidden_BTD)
        gate = self.gate
        inner_BTF = self.activation(inner_BTF) if gate is None else self.activation(gate(hidden_BTD)) * inner_BTF
        contribution_BTD: Tensor = self.output(self.dropout(inner_BTF))
        return contribution_BTD


class EncoderLayer(nn.Module):
    """Self-attention over the whole source, then feed forward."""

    def __init__(self, config: CodeT5pConfig) -> None:
        super().__init__()
        self.self_attention_norm = make_norm(config)
        self.self_attention = _attention(config)
        self.feed_forward_norm = make_norm(config)
        self.feed_forward = FeedForward(config)
        self.norms_sums = config.norm_place == "after"
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden_BSD: Tensor, mask: AttentionMask, rotation: Rotation | None) -> Tensor:
        """Return the residual stream behind this layer, [B, S, D]."""
        if self.norms_sums:
            hidden_BSD = self.self_attention_norm(hidden_BSD + self._attended(hidden_BSD, mask, rotation))
            summed_BSD: Tensor = self.feed_forward_norm(hidden_BSD + self.dropout(self.feed_forward(hidden_BSD)))
            return summed_BSD
        hidden_BSD = hidden_BSD + self._attended(self.self_attention_norm(hidden_BSD), mask, rotation)
        contribution_BSD: Tensor = self.dropout(self.feed_forward(self.feed_forward_norm(hidden_BSD)))
        return hidden_BSD + contribution_BSD

    def _attended(self, hidden_BSD: Tensor, mask: AttentionMask, rotation: Rotation | None) -> Tensor:
        memory = self.self_attention.keys_values(hidden_BSD, rotation)
        contribution_BSD: Tensor = self.dropout(self.self_attention(hidden_BSD, memory, mask, rotation))
        return contribution_BSD


class DecoderLayer(nn.Module):
    """Causal self-attention, cross-attention where the configuration has it, then feed forward."""

    def __init__(self, config: CodeT5pConfig, *, has_cross_attention: bool) -> None:
        super().__init__()
        self.self_attention_norm = make_norm(config)
        self.self_attention = _attention(config)
        self.has_cross_attention = has_cross_attention
        if has_cross_attention:
            self.cross_attention_norm = make_norm(config)
            self.cross_attention = _attention(config)
        self.feed_forward_norm = make_norm(config)
        self.feed_forward = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        hidden_BTD: Tensor,
        mask: AttentionMask,
        rotation: Rotation | None,
        *,
        states_BSD: Tensor | None,
        cross_mask: AttentionMask,
        cache: LayerCache | None,
    ) -> Tensor:
        """Return the residual stream behind this layer, [B, T, D].

        Args:
            hidden_BTD: Residual stream of the new target tokens.
            mask: For self-attention, over the cached tokens and the new ones.
            rotation: Of the new tokens; None with relative bias.
            states_BSD: Encoder states; None skips cross-attention.
            cross_mask: For cross-attention, which has no notion of order.
            cache: Earlier keys and values of this layer, extended in place.

        Returns:
            The residual stream of the new tokens.
        """
        normed_BTD = self.self_attention_norm(hidden_BTD)
        memory = self.self_attention.keys_values(normed_BTD, rotation)
        if cache is not None:
            memory = cache.extend(memory)
        hidden_BTD = hidden_BTD + self.dropout(self.self_attention(normed_BTD, memory, mask, rotation))
        if self.has_cross_attention and states_BSD is not None:
            hidden_BTD = hidden_BTD + self._from_source(hidden_BTD, states_BSD, cross_mask, cache)
        normed_BTD = self.feed_forward_norm(hidden_BTD)
        contribution_BTD: Tensor = self.dropout(self.feed_forward(normed_BTD))
        return hidden_BTD + contribution_BTD

    def _from_source(
        self, hidden_BTD: Tensor, states_BSD: Tensor, mask: AttentionMask, cache: LayerCache | None
    ) -> Tensor:
        """Return cross-attention's contribution, [B, T, D], or [B, 1, D] where it is the same for every token."""
        has_dropout = self.training and self.dropout.p > 0  # which would thin out each token's contribution apart
        if states_BSD.size(1) == 1 and mask.mask_BHTS is None and not has_dropout:
            return self.cross_attention.of_one_key(states_BSD)
        memory = source_keys_values(self.cross_attention, states_BSD, cache)
        gathered_BTD: Tensor = self.cross_attention(self.cross_attention_norm(hidden_BTD), memory, mask)
        contribution_BTD: Tensor = self.dropout(gathered_BTD)
        return contribution_BTD


def _attention(config: CodeT5pConfig) -> Attention:
    return Attention(
        width=config.width,
        num_heads=config.num_heads,
        num_key_value_heads=config.num_key_value_heads,
        head_dim=config.head_dim,
        is_scaled=config.scale_attention,
        has_biases=config.has_biases,
        dropout=config.dropout,
    )
