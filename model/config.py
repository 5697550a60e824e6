"""The named presets of the family; the shape itself is described in `codet5p.core.model_config`."""

from codet5p.core.model_config import CodeT5pConfig

__all__ = ["CodeT5pConfig", "embedding", "laptop", "t5_220m", "t5_770m"]


def laptop(
    *,
    vocab_size: int = 49_280,
    num_encoder_layers: int = 6,
    num_decoder_layers: int = 12,
    cross_attention_layers: tuple[int, ...] | None = None,
    dropout: float = 0.0,
) -> CodeT5pConfig:
    """Return the `shallow-deep` family: SmolLM2-135M's blocks, so that its weights can be the starting point.

    Args:
        vocab_size: 49,152 tokens of SmolLM2 and our 106 special ones, padded to a multiple of 64.
        num_encoder_layers: 0 for the decoder alone.
        num_decoder_layers: 30 is all of SmolLM2-135M.
        cross_attention_layers: Every decoder layer where None, none of them without an encoder.
        dropout: Probability, in training only.

    Returns:
        The configuration.
    """
    if cross_attention_layers is None:
        cross_attention_layers = tuple(range(num_decoder_layers)) if num_encoder_layers else ()
    return CodeT5pConfig(
        vocab_size=vocab_size,
        width=576,
        num_encoder_layers=num_encoder_layers,
        num_decoder_layers=num_decoder_layers,
        num_heads=9,
        num_key_value_heads=3,
        head_dim=64,
        feed_forward_width=1536,
        activation="swiglu",
        position="rotary",
        scale_attention=True,
        norm_epsilon=1e-5,
        tie_head=True,
        scale_head=False,
        cross_attention_layers=cross_attention_layers,
        rope_base=100_000.0,
        dropout=dropout,
    )


def embedding(*, vocab_size: int = 30_522, num_layers: int = 6, dropout: float = 0.0) -> CodeT5pConfig:
    """Return the `embedding` family: an encoder alone, of BERT's blocks, so that all-MiniLM-L6-v2 can be the start.

    The paper's authors released an embedding model of its own, too (CodeT5+ 110M embedding).

    Args:
        vocab_size: MiniLM's WordPiece tokens; our task tokens take the places of its unused ones.
        num_layers: Depth.
        dropout: Probability, in training only.

    Returns:
        The configuration.
    """
    return CodeT5pConfig(
        vocab_size=vocab_size,
        width=384,
        num_encoder_layers=num_layers,
        num_decoder_layers=0,
        num_heads=12,
        num_key_value_heads=12,
        head_dim=32,
        feed_forward_width=1536,
        activation="gelu",
        position="learned",
        max_positions=512,
        scale_attention=True,
        norm="layer",
        norm_place="after",
        norm_epsilon=1e-12,
        has_biases=True,
        tie_head=True,
        scale_head=False,
        cross_attention_layers=(),
        pooling="mean",
        has_embedding_projection=False,
        embedding_dim=384,
        dropout=dropout,
    )


def t5_220m(*, vocab_size: int = 32_100) -> CodeT5pConfig:
    """Return the configuration of CodeT5+ 220M; 32,103 tokens for its bimodal descendant."""
    return _t5(vocab_size=vocab_size, width=768, num_layers=12, num_heads=12, feed_forward_width=3072)


def t5_770m(*, vocab_size: int = 32_100) -> CodeT5pConfig:
    """Return the configuration of CodeT5+ 770M."""
    return _t5(vocab_size=vocab_size, width=1024, num_layers=24, num_heads=16, feed_forward_width=4096)


def _t5(*, vocab_size: int, width: int, num_layers: int, num_heads: int, feed_forward_width: int) -> CodeT5pConfig:
    return CodeT5pConfig(
        vocab_size=vocab_size,
        width=width,
        num_encoder_layers=num_layers,
        num_decoder_layers=num_layers,
        num_heads=num_heads,
        num_key_value_heads=num_heads,
        head_dim=64,
        feed_forward_width=feed_forward_width,
        activation="relu",
        position="relative_bias",
        scale_attention=False,
        norm_epsilon=1e-6,
        tie_head=True,
        scale_head=True,
        cross_attention_layers=tuple(range(num_layers)),
        dropout=0.1,
    )
