"""The shape of a CodeT5+ model: what a checkpoint, an artifact and the server agree on. No torch."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["CodeT5pConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeT5pConfig:
    """One description for every family: a family is a set of values, not a branch of the code.

    Attributes:
        vocab_size: Rows of the token embedding, special tokens and padding rows included.
        width: Size of a hidden state.
        num_encoder_layers: Depth of the encoder; 0 for decoder-only use, with nothing to attend to.
        num_decoder_layers: Depth of the decoder.
        num_heads: Query heads of every attention.
        num_key_value_heads: Key and value heads, each shared by `num_heads / num_key_value_heads` query heads.
        head_dim: Size of one head.
        feed_forward_width: Inner size of the feed-forward network.
        activation: ReLU, or SwiGLU with a gate matrix.
        position: Rotary positions, or T5's relative attention bias.
        scale_attention: Whether scores are divided by sqrt(head_dim); T5 does not.
        norm_epsilon: Added to the mean square in RMSNorm.
        tie_head: Whether the output projection is the token embedding.
        scale_head: Whether the decoder's output is multiplied by width^-0.5 before the head, as in T5.
        cross_attention_layers: Decoder layers that attend to the encoder, ascending.
        rope_base: Base of the rotary frequencies.
        relative_buckets: Buckets of the relative attention bias.
        relative_max_distance: Distance from which all positions share a bucket.
        embedding_dim: Size of the text-code embedding.
        dropout: Probability of dropping an activation in training.

    Source: CodeT5+ (arXiv 2305.07922) section 3; released configurations; grouped queries and rotary positions as in Llama.
    """

    vocab_size: int
    width: int
    num_encoder_layers: int
    num_decoder_layers: int
    num_heads: int
    num_key_value_heads: int
    head_dim: int
    feed_forward_width: int
    activation: Literal["relu", "swiglu"]
    position: Literal["rotary", "relative_bias"]
    scale_attention: bool
    norm_epsilon: float
    tie_head: bool
    scale_head: bool
    cross_attention_layers: tuple[int, ...]
    rope_base: float = 10_000.0
    relative_buckets: int = 32
    relative_max_distance: int = 128
    embedding_dim: int = 256
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse shapes that no model can have."""
        for name in ("vocab_size", "width", "num_decoder_layers", "num_heads", "num_key_value_heads", "head_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.num_encoder_layers < 0:
            raise ValueError(f"num_encoder_layers must not be negative, got {self.num_encoder_layers}")
        if self.num_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_heads ({self.num_heads}) must be a multiple of num_key_value_heads ({self.num_key_value_heads})"
            )
        if self.position == "rotary" and self.head_dim % 2:
            raise ValueError(f"rotary positions need an even head_dim, got {self.head_dim}")
        layers = self.cross_attention_layers
        if list(layers) != sorted(set(layers)) or any(not 0 <= i < self.num_decoder_layers for i in layers):
            raise ValueError(f"cross_attention_layers must be ascending decoder layers, got {layers}")
        if layers and not self.num_encoder_layers:
            raise ValueError("cross_attention_layers need an encoder, but num_encoder_layers is 0")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
