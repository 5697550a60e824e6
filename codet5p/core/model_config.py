"""The shape of a CodeT5+ model: what a checkpoint, an artifact and the server agree on. No torch."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["CodeT5pConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeT5pConfig:
    """Shape and arithmetic of one encoder-decoder; a family is a set of values here, not a branch of the code.

    Source: CodeT5+ (arXiv 2305.07922) section 3.3 and the released configurations. Either side may be left out:
    no encoder layers make a decoder-only language model, no decoder layers an embedding model. BERT's blocks
    (arXiv 1810.04805) are among the values of an encoder.
    """

    vocab_size: int
    """Rows of the token embedding, special tokens and padding rows included."""
    width: int
    """Channels of the residual stream."""
    num_encoder_layers: int
    """0: no encoder, hence nothing to attend to and no embeddings."""
    num_decoder_layers: int
    """0: no decoder, hence no logits and no matching."""
    num_heads: int
    """Query heads."""
    num_key_value_heads: int
    """Fewer than `num_heads` is grouped-query attention: each key-value head serves a group of query heads."""
    head_dim: int
    feed_forward_width: int
    activation: Literal["relu", "swiglu", "gelu"]
    position: Literal["rotary", "relative_bias", "learned"]
    """How self-attention knows order: rotated queries and keys, a learned bias per distance, or a learned vector per
    place, added to the tokens."""
    scale_attention: bool
    """Divide attention scores by sqrt(head_dim). T5 does not; its initial query weights are smaller instead."""
    norm_epsilon: float
    tie_head: bool
    """The output projection is the token embedding."""
    scale_head: bool
    """Multiply the decoder's output by width^-0.5 before the head, as T5 does where the head is tied."""
    cross_attention_layers: tuple[int, ...]
    """Decoder layers that attend to the encoder, ascending."""
    rope_base: float = 10_000.0
    """Rotary only: the longest wavelength is about 2 pi times this, in tokens."""
    relative_buckets: int = 32
    """Relative bias only: distinct distances told apart."""
    relative_max_distance: int = 128
    """Relative bias only: tokens farther apart than this share the last bucket."""
    max_positions: int = 0
    """Learned positions only: the longest input, in tokens."""
    norm: Literal["rms", "layer"] = "rms"
    """Root mean square, or LayerNorm with mean and bias."""
    norm_place: Literal["before", "after"] = "before"
    """Before a sublayer reads the residual stream, with a final norm behind the last one; or after each sum, with a
    norm of the token embeddings before the first layer."""
    has_biases: bool = False
    """Whether the projections of attention and feed forward have biases."""
    pooling: Literal["first", "mean"] = "first"
    """Which encoder states make an embedding: the one at `[CLS]`, or the mean of all."""
    has_embedding_projection: bool = True
    """Whether the pooled state is projected; where it is not, `embedding_dim` is the width."""
    embedding_dim: int = 256
    """Width of the text and code embeddings used for retrieval."""
    dropout: float = 0.0

    def __post_init__(self) -> None:
        self._check_sizes()
        self._check_heads()
        self._check_layers()
        self._check_encoder_only()
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must be at least 0 and below 1, got {self.dropout}")
        if self.norm_epsilon <= 0 or self.rope_base <= 0:
            raise ValueError("norm_epsilon and rope_base must be positive")

    def _check_sizes(self) -> None:
        for name in ("vocab_size", "width", "head_dim", "feed_forward_width", "embedding_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.relative_buckets < 4 or self.relative_buckets % 2:
            raise ValueError(f"relative_buckets must be even and at least 4, got {self.relative_buckets}")
        if self.relative_max_distance <= self.relative_buckets // 2:
            raise ValueError(
                f"relative_max_distance must exceed relative_buckets / 2, got {self.relative_max_distance}"
            )

    def _check_heads(self) -> None:
        if self.num_key_value_heads < 1 or self.num_heads < 1 or self.num_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_heads ({self.num_heads}) must be a multiple of num_key_value_heads ({self.num_key_value_heads})"
            )
        if self.position == "rotary" and self.head_dim % 2:
            raise ValueError(f"rotary positions need an even head_dim, got {self.head_dim}")

    def _check_layers(self) -> None:
        if self.num_encoder_layers < 0 or self.num_decoder_layers < 0:
            raise ValueError("num_encoder_layers and num_decoder_layers must not be negative")
        if self.num_encoder_layers + self.num_decoder_layers == 0:
            raise ValueError("a model needs encoder layers, decoder layers or both")
        layers = self.cross_attention_layers
        if list(layers) != sorted(set(layers)):
            raise ValueError(f"cross_attention_layers must ascend without repeats, got {layers}")
        if layers and not (layers[0] >= 0 and layers[-1] < self.num_decoder_layers):
            raise ValueError(f"cross_attention_layers must lie in 0..{self.num_decoder_layers - 1}, got {layers}")
        if layers and not self.num_encoder_layers:
            raise ValueError("cross_attention_layers need an encoder to attend to, but num_encoder_layers is 0")

    def _check_encoder_only(self) -> None:
        """Refuse BERT's blocks in a decoder, and positions or an embedding width that contradict the rest."""
        if self.num_decoder_layers and (
            self.norm != "rms" or self.norm_place != "before" or self.has_biases or self.position == "learned"
        ):
            raise ValueError("LayerNorm, norms after the sum, biases and learned positions are for encoders alone")
        if (self.position == "learned") != (self.max_positions > 0):
            raise ValueError(f"max_positions goes with learned positions, and only with them; got {self.max_positions}")
        if not self.has_embedding_projection and self.embedding_dim != self.width:
            raise ValueError(f"without a projection embedding_dim is the width, {self.width}; got {self.embedding_dim}")
