"""The encoder-decoder, top down: the model with its heads, then its encoder and decoder.

Shape legend: B batch, S source tokens, T target tokens, D width, V vocabulary, E embedding width.

Source: CodeT5+ (arXiv 2305.07922) section 3; T5 (arXiv 1910.10683) for the `t5` family, Llama (arXiv 2302.13971) for
the blocks of `shallow-deep`, BERT (arXiv 1810.04805) for those of `embedding`. The family is chosen by `CodeT5pConfig`.
Where tokens of several documents are packed into one row, `*_documents_*` name the document of each token: attention
stays inside a document, the target of a document attends to the source of the same name, and positions start anew with
each document.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from codet5p.model.attention_mask import AttentionMask, causal_mask, visible_mask
from codet5p.model.cache import KeyValueCache
from codet5p.model.config import CodeT5pConfig
from codet5p.model.initialisation import initialise_weights
from codet5p.model.layers import DecoderLayer, EncoderLayer, make_norm
from codet5p.model.relative_bias import RelativeBias
from codet5p.model.rotary import Rotation, positions_in_documents, rotary_rotation

__all__ = ["CodeT5pModel", "Decoder", "Encoder"]


class CodeT5pModel(nn.Module):
    """An encoder and a decoder over one token embedding, an output head, and the heads for retrieval and matching.

    A side that the configuration leaves out is None, and so are the heads that would read it. Fresh weights are drawn
    from torch's global random state; `initialise_weights` draws them again from a generator of the caller's.
    """

    def __init__(self, config: CodeT5pConfig) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.encoder = Encoder(config) if config.num_encoder_layers else None
        self.decoder = Decoder(config) if config.num_decoder_layers else None
        has_own_head = self.decoder is not None and not config.tie_head
        self.lm_head = nn.Linear(config.width, config.vocab_size, bias=False) if has_own_head else None
        projects = self.encoder is not None and config.has_embedding_projection
        self.text_code_projection = nn.Linear(config.width, config.embedding_dim) if projects else None
        self.matching_head = nn.Linear(config.width, 2) if self.encoder and self.decoder else None
        initialise_weights(self)

    def forward(
        self,
        source_ids_BS: Tensor,
        target_ids_BT: Tensor,
        source_mask_BS: Tensor | None = None,
        *,
        source_documents_BS: Tensor | None = None,
        target_documents_BT: Tensor | None = None,
    ) -> Tensor:
        """Return the logits [B, T, V] of the token that follows each target token.

        Args:
            source_ids_BS: Encoder input, int64; the single token `[CLM]` for decoder-only use.
            target_ids_BT: Decoder input, int64.
            source_mask_BS: Boolean, True for a real token; None where all are.
            source_documents_BS: Packed document of each source token.
            target_documents_BT: Packed document of each target token.

        Returns:
            Unnormalised log-probabilities in the model's dtype.
        """
        states_BSD = self.encode(source_ids_BS, source_mask_BS, source_documents_BS=source_documents_BS)
        hidden_BTD = self.decode(
            target_ids_BT,
            states_BSD,
            source_mask_BS,
            target_documents_BT=target_documents_BT,
            source_documents_BS=source_documents_BS,
        )
        return self.logits(hidden_BTD)

    def encode(
        self,
        source_ids_BS: Tensor,
        source_mask_BS: Tensor | None = None,
        *,
        source_documents_BS: Tensor | None = None,
    ) -> Tensor:
        """Return the encoder states [B, S, D], after the final norm; those of padding are meaningless.

        Args:
            source_ids_BS: Encoder input, int64.
            source_mask_BS: Boolean, True for a real token; None where all are.
            source_documents_BS: Packed document of each token.

        Returns:
            The states.

        Raises:
            ValueError: If the model has no encoder.
        """
        if self.encoder is None:
            raise ValueError("this model has no encoder: num_encoder_layers is 0")
        embedded_BSD = self.dropout(self.token_embedding(source_ids_BS))
        states_BSD: Tensor = self.encoder(embedded_BSD, source_mask_BS, source_documents_BS)
        return states_BSD

    def decode(
        self,
        target_ids_BT: Tensor,
        states_BSD: Tensor | None = None,
        source_mask_BS: Tensor | None = None,
        *,
        cache: KeyValueCache | None = None,
        target_documents_BT: Tensor | None = None,
        source_documents_BS: Tensor | None = None,
    ) -> Tensor:
        """Return the decoder's hidden states [B, T, D], after the final norm.

        Args:
            target_ids_BT: Decoder input, int64; with a cache, the tokens behind those it holds.
            states_BSD: Encoder states; None skips cross-attention, which leaves a plain language model.
            source_mask_BS: The mask the states were made with.
            cache: Extended in place; the states must be the same in each call.
            target_documents_BT: Packed document of each target token; not together with a cache.
            source_documents_BS: Packed document of each source token; needed with states and target documents.

        Returns:
            The hidden states of the given target tokens.

        Raises:
            ValueError: If the model has no decoder.
        """
        if self.decoder is None:
            raise ValueError("this model has no decoder: num_decoder_layers is 0")
        cross_mask = visible_mask(None, query_documents_BT=None, key_documents_BS=None)
        if states_BSD is not None:
            cross_mask = visible_mask(
                source_mask_BS, query_documents_BT=target_documents_BT, key_documents_BS=source_documents_BS
            )
        embedded_BTD = self.dropout(self.token_embedding(target_ids_BT))
        hidden_BTD: Tensor = self.decoder(embedded_BTD, target_documents_BT, states_BSD, cross_mask, cache)
        return hidden_BTD

    def logits(self, hidden_BTD: Tensor) -> Tensor:
        """Return the logits [..., V] of decoder hidden states of any leading shape."""
        if self.config.scale_head:
            hidden_BTD = hidden_BTD * self.config.width**-0.5
        return F.linear(hidden_BTD, self.head_weight_VD)

    @property
    def head_weight_VD(self) -> Tensor:  # noqa: N802 - a tensor, named by its shape
        """The output projection's weight: the token embedding where the head is tied."""
        return self.token_embedding.weight if self.lm_head is None else self.lm_head.weight

    def embed(self, states_BSD: Tensor, source_mask_BS: Tensor | None = None) -> Tensor:
        """Return the embeddings [B, E]: the pooled states, projected where the model has a projection, of length 1.

        Args:
            states_BSD: Encoder states of inputs that open with `[CLS]`.
            source_mask_BS: The mask the states were made with; where states are averaged, padding is left out.

        Returns:
            L2-normalised embeddings; text and code are embedded alike.

        Raises:
            ValueError: If the model has no encoder.
        """
        if self.encoder is None:
            raise ValueError("this model has no embeddings: num_encoder_layers is 0")
        pooled_BD = states_BSD[:, 0] if self.config.pooling == "first" else _mean(states_BSD, source_mask_BS)
        return F.normalize(
            pooled_BD if self.text_code_projection is None else self.text_code_projection(pooled_BD), dim=-1
        )

    def match_logits(self, hidden_BD: Tensor) -> Tensor:
        """Return the logits [B, 2] of "no match" and "match".

        Args:
            hidden_BD: Decoder hidden state at the end of `[EOS] [Match] code [EOS]`, with the text in the encoder.

        Returns:
            The logits; class 1 is a match.

        Raises:
            ValueError: If the model has no encoder or no decoder.
        """
        if self.matching_head is None:
            raise ValueError("matching needs both an encoder and a decoder, and this model has but one of them")
        logits_B2: Tensor = self.matching_head(hidden_BD)
        return logits_B2


class Encoder(nn.Module):
    """Layers in which every source token sees every other."""

    def __init__(self, config: CodeT5pConfig) -> None:
        super().__init__()
        self.config = config
        has_learned_positions, norms_sums = config.position == "learned", config.norm_place == "after"
        self.relative_bias = _relative_bias(config, is_bidirectional=True)
        self.position_embedding = nn.Embedding(config.max_positions, config.width) if has_learned_positions else None
        self.embedding_norm = make_norm(config) if norms_sums else None
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_encoder_layers))
        self.final_norm = None if norms_sums else make_norm(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden_BSD: Tensor, mask_BS: Tensor | None, documents_BS: Tensor | None) -> Tensor:
        """Return the states [B, S, D] of embedded source tokens."""
        length = hidden_BSD.size(1)
        mask = visible_mask(mask_BS, query_documents_BT=documents_BS, key_documents_BS=documents_BS)
        if self.relative_bias is not None:
            mask = mask.with_bias(self.relative_bias(length, length))
        rotation = _rotation(self.config, hidden_BSD, documents_BS, first_position=0)
        if self.position_embedding is not None:
            hidden_BSD = hidden_BSD + self.position_embedding(self._places(hidden_BSD, documents_BS))
        if self.embedding_norm is not None:
            hidden_BSD = self.embedding_norm(hidden_BSD)
        for layer in self.layers:
            hidden_BSD = layer(hidden_BSD, mask, rotation)
        if self.final_norm is not None:
            hidden_BSD = self.final_norm(hidden_BSD)
        states_BSD: Tensor = self.dropout(hidden_BSD)
        return states_BSD

    def _places(self, hidden_BSD: Tensor, documents_BS: Tensor | None) -> Tensor:
        """Return the position of each token, [1, S] or [B, S]."""
        length = hidden_BSD.size(1)
        if length > self.config.max_positions:
            raise ValueError(f"{length} tokens are more than the model's {self.config.max_positions} positions")
        return _positions(hidden_BSD, documents_BS, first_position=0)


class Decoder(nn.Module):
    """Layers in which each target token sees those before it, and the source."""

    def __init__(self, config: CodeT5pConfig) -> None:
        super().__init__()
        self.config = config
        self.relative_bias = _relative_bias(config, is_bidirectional=False)
        self.layers = nn.ModuleList(
            DecoderLayer(config, has_cross_attention=layer in config.cross_attention_layers)
            for layer in range(config.num_decoder_layers)
        )
        self.final_norm = make_norm(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        hidden_BTD: Tensor,
        documents_BT: Tensor | None,
        states_BSD: Tensor | None,
        cross_mask: AttentionMask,
        cache: KeyValueCache | None,
    ) -> Tensor:
        """Return the hidden states [B, T, D] of embedded target tokens; `cache` is extended."""
        num_cached = 0 if cache is None else cache.num_tokens
        length = num_cached + hidden_BTD.size(1)
        mask = causal_mask(hidden_BTD.size(1), length, documents_BT, hidden_BTD.device)
        if self.relative_bias is not None:
            mask = mask.with_bias(self.relative_bias(hidden_BTD.size(1), length))
        rotation = _rotation(self.config, hidden_BTD, documents_BT, first_position=num_cached)
        for index, layer in enumerate(self.layers):
            layer_cache = None if cache is None else cache.layers[index]
            hidden_BTD = layer(
                hidden_BTD, mask, rotation, states_BSD=states_BSD, cross_mask=cross_mask, cache=layer_cache
            )
        normed_BTD: Tensor = self.dropout(self.final_norm(hidden_BTD))
        return normed_BTD


def _relative_bias(config: CodeT5pConfig, *, is_bidirectional: bool) -> RelativeBias | None:
    if config.position != "relative_bias":
        return None
    return RelativeBias(
        num_buckets=config.relative_buckets,
        num_heads=config.num_heads,
        max_distance=config.relative_max_distance,
        is_bidirectional=is_bidirectional,
    )


def _rotation(
    config: CodeT5pConfig, hidden_BTD: Tensor, documents_BT: Tensor | None, *, first_position: int
) -> Rotation | None:
    if config.position != "rotary":
        return None
    positions_BT = _positions(hidden_BTD, documents_BT, first_position=first_position)
    return rotary_rotation(positions_BT, rotary_dim=config.head_dim, base=config.rope_base)


def _positions(hidden_BTD: Tensor, documents_BT: Tensor | None, *, first_position: int) -> Tensor:
    """Return the position of each token, [1, T], or [B, T] where documents are packed."""
    if documents_BT is not None:
        return positions_in_documents(documents_BT)
    last_position = first_position + hidden_BTD.size(1)
    return torch.arange(first_position, last_position, device=hidden_BTD.device).unsqueeze(0)


def _mean(states_BSD: Tensor, mask_BS: Tensor | None) -> Tensor:
    """Return the mean state of the real tokens, [B, D]."""
    if mask_BS is None:
        return states_BSD.mean(1)
    weights_BS1 = mask_BS.unsqueeze(-1).to(states_BSD.dtype)
    return (states_BSD * weights_BS1).sum(1) / weights_BS1.sum(1)
