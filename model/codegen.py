"""The `codegen` family (2B, 6B, 16B): a frozen CodeGen decoder that learns to listen to a small CodeGen encoder.

Its layers differ from the other families' in every respect, so they are written out here: one LayerNorm feeds
self-attention, cross-attention and a GELU network side by side, and all three are added to the residual stream at
once; rotary positions turn the first channels of each head only, and cross-attention's queries and keys too.

Shape legend: B batch, S source tokens, T target tokens, W encoder width, D decoder width, V vocabulary.

Source: CodeT5+ (arXiv 2305.07922) section 3.3 and its released 2B model; CodeGen (arXiv 2203.13474) for the layers.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from codet5p.model.attention import Attention
from codet5p.model.attention_mask import AttentionMask, causal_mask, visible_mask
from codet5p.model.cache import KeyValueCache, LayerCache, source_keys_values
from codet5p.model.rotary import Rotation, rotary_rotation

__all__ = ["CodeGenStackConfig", "CodeGenT5pConfig", "CodeGenT5pModel", "freeze_decoder"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeGenStackConfig:
    """Shape of one CodeGen model, which serves as encoder or as decoder."""

    vocab_size: int
    width: int
    num_layers: int
    num_heads: int
    rotary_dim: int
    """Channels of each head that are rotated, the first ones."""
    feed_forward_width: int
    norm_epsilon: float = 1e-5

    def __post_init__(self) -> None:
        if self.num_layers < 1 or self.num_heads < 1 or self.width % self.num_heads:
            raise ValueError(f"width ({self.width}) must be a multiple of num_heads ({self.num_heads})")
        if self.rotary_dim % 2 or not 0 < self.rotary_dim <= self.head_dim:
            raise ValueError(f"rotary_dim must be even and at most {self.head_dim}, got {self.rotary_dim}")

    @property
    def head_dim(self) -> int:
        """Channels per head."""
        return self.width // self.num_heads


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeGenT5pConfig:
    """An encoder, a decoder, and how many of the decoder's layers listen to the encoder."""

    encoder: CodeGenStackConfig
    decoder: CodeGenStackConfig
    num_cross_attention_layers: int = 1
    """The paper's L: the last layers. More than one brought it nothing."""

    def __post_init__(self) -> None:
        if not 1 <= self.num_cross_attention_layers <= self.decoder.num_layers:
            raise ValueError(f"num_cross_attention_layers must lie in 1..{self.decoder.num_layers}")

    @property
    def num_decoder_layers(self) -> int:
        """Layers that a key-value cache holds."""
        return self.decoder.num_layers


class CodeGenT5pModel(nn.Module):
    """A bidirectional CodeGen encoder, a projection to the decoder's width, and a CodeGen decoder with its own head.

    Weights come from released models (`codet5p.model.importers.codegen`); a newly constructed one has torch's defaults.
    """

    def __init__(self, config: CodeGenT5pConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = _CodeGenStack(config.encoder, num_cross_attention_layers=0)
        self.encoder_projection = nn.Linear(config.encoder.width, config.decoder.width)
        self.decoder = _CodeGenStack(config.decoder, num_cross_attention_layers=config.num_cross_attention_layers)
        self.lm_head = nn.Linear(config.decoder.width, config.decoder.vocab_size)

    def forward(self, source_ids_BS: Tensor, target_ids_BT: Tensor, source_mask_BS: Tensor | None = None) -> Tensor:
        """Return the logits [B, T, V] of the token that follows each target token.

        Args:
            source_ids_BS: Encoder input, int64.
            target_ids_BT: Decoder input, int64; these models expect the prompt here too.
            source_mask_BS: Boolean, True for a real token; None where all are.

        Returns:
            Unnormalised log-probabilities.
        """
        states_BSD = self.encode(source_ids_BS, source_mask_BS)
        return self.logits(self.decode(target_ids_BT, states_BSD, source_mask_BS))

    def encode(self, source_ids_BS: Tensor, source_mask_BS: Tensor | None = None) -> Tensor:
        """Return the encoder states, projected to the decoder's width, [B, S, D]."""
        mask = visible_mask(source_mask_BS, query_documents_BT=None, key_documents_BS=None)
        states_BSW = self.encoder(source_ids_BS, mask)
        states_BSD: Tensor = self.encoder_projection(states_BSW)
        return states_BSD

    def decode(
        self,
        target_ids_BT: Tensor,
        states_BSD: Tensor | None = None,
        source_mask_BS: Tensor | None = None,
        *,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Return the decoder's hidden states [B, T, D], after the final norm.

        Args:
            target_ids_BT: Decoder input, int64; with a cache, the tokens behind those it holds.
            states_BSD: Projected encoder states; None leaves the plain CodeGen decoder.
            source_mask_BS: The mask the states were made with.
            cache: Extended in place; the states must be the same in each call.

        Returns:
            The hidden states of the given target tokens.
        """
        num_cached = 0 if cache is None else cache.num_tokens
        length = target_ids_BT.size(1)
        mask = causal_mask(length, num_cached + length, None, target_ids_BT.device)
        source = None
        if states_BSD is not None:
            cross_mask = visible_mask(source_mask_BS, query_documents_BT=None, key_documents_BS=None)
            source = _Source(states_BSD, cross_mask, _rotation(self.config.decoder, states_BSD, first_position=0))
        hidden_BTD: Tensor = self.decoder(target_ids_BT, mask, source, cache)
        return hidden_BTD

    def logits(self, hidden_BTD: Tensor) -> Tensor:
        """Return the logits [..., V] of decoder hidden states of any leading shape."""
        logits_BTV: Tensor = self.lm_head(hidden_BTD)
        return logits_BTV


def freeze_decoder(model: CodeGenT5pModel, dtype: torch.dtype | None = None) -> None:
    """Leave only the encoder, its projection and the decoder's cross-attention trainable, in place.

    Args:
        model: All of whose weights may have been trainable.
        dtype: Of the frozen weights, which halves their memory; training then runs under `torch.autocast`. None keeps
            the dtype they have.

    Source: CodeT5+ section 3.3, "compute-efficient training": the decoder is frozen and kept in half precision.
    """
    for name, parameter in model.named_parameters():
        is_trainable = name.startswith(("encoder.", "encoder_projection.")) or ".cross_attention." in name
        parameter.requires_grad_(is_trainable)
        if not is_trainable and dtype is not None:
            parameter.data = parameter.data.to(dtype)


@dataclass(frozen=True, slots=True)
class _Source:
    """What cross-attention reads."""

    states_BSD: Tensor
    mask: AttentionMask
    rotation: Rotation


class _CodeGenStack(nn.Module):
    """Token embedding, layers and final norm of one CodeGen model; the mask makes it an encoder or a decoder."""

    def __init__(self, config: CodeGenStackConfig, *, num_cross_attention_layers: int) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.width)
        first_crossing = config.num_layers - num_cross_attention_layers
        self.layers = nn.ModuleList(
            _CodeGenLayer(config, has_cross_attention=layer >= first_crossing) for layer in range(config.num_layers)
        )
        self.final_norm = nn.LayerNorm(config.width, config.norm_epsilon)

    def forward(
        self, ids_BT: Tensor, mask: AttentionMask, source: _Source | None = None, cache: KeyValueCache | None = None
    ) -> Tensor:
        hidden_BTD = self.token_embedding(ids_BT)
        rotation = _rotation(self.config, hidden_BTD, first_position=0 if cache is None else cache.num_tokens)
        for index, layer in enumerate(self.layers):
            hidden_BTD = layer(hidden_BTD, mask, rotation, source, None if cache is None else cache.layers[index])
        normed_BTD: Tensor = self.final_norm(hidden_BTD)
        return normed_BTD


class _CodeGenLayer(nn.Module):
    """Self-attention, cross-attention in some layers, and feed forward, side by side on one normed input."""

    def __init__(self, config: CodeGenStackConfig, *, has_cross_attention: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width, config.norm_epsilon)
        self.self_attention = _attention(config)
        self.cross_attention = _attention(config) if has_cross_attention else None
        self.feed_forward = _CodeGenFeedForward(config)

    def forward(
        self,
        hidden_BTD: Tensor,
        mask: AttentionMask,
        rotation: Rotation,
        source: _Source | None,
        cache: LayerCache | None,
    ) -> Tensor:
        normed_BTD = self.norm(hidden_BTD)
        memory = self.self_attention.keys_values(normed_BTD, rotation)
        if cache is not None:
            memory = cache.extend(memory)
        hidden_BTD = hidden_BTD + self.self_attention(normed_BTD, memory, mask, rotation)
        if self.cross_attention is not None and source is not None:
            memory = source_keys_values(self.cross_attention, source.states_BSD, cache, source.rotation)
            hidden_BTD = hidden_BTD + self.cross_attention(normed_BTD, memory, source.mask, rotation)
        contribution_BTD: Tensor = self.feed_forward(normed_BTD)
        return hidden_BTD + contribution_BTD


class _CodeGenFeedForward(nn.Module):
    """Two projections with biases and the tanh approximation of GELU between them."""

    def __init__(self, config: CodeGenStackConfig) -> None:
        super().__init__()
        self.input = nn.Linear(config.width, config.feed_forward_width)
        self.output = nn.Linear(config.feed_forward_width, config.width)

    def forward(self, hidden_BTD: Tensor) -> Tensor:
        contribution_BTD: Tensor = self.output(F.gelu(self.input(hidden_BTD), approximate="tanh"))
        return contribution_BTD


def _attention(config: CodeGenStackConfig) -> Attention:
    return Attention(
        width=config.width,
        num_heads=config.num_heads,
        num_key_value_heads=config.num_heads,
        head_dim=config.head_dim,
        is_scaled=True,
        dropout=0.0,
    )


def _rotation(config: CodeGenStackConfig, hidden_BTD: Tensor, *, first_position: int) -> Rotation:
    last_position = first_position + hidden_BTD.size(1)
    positions_BT = torch.arange(first_position, last_position, device=hidden_BTD.device).unsqueeze(0)
    return rotary_rotation(positions_BT, rotary_dim=config.rotary_dim, base=10_000.0)
