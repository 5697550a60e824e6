"""The smallest configurations that still have everything: several layers, grouped heads, odd sizes."""

from dataclasses import replace

import torch

from codet5p.model.config import CodeT5pConfig
from codet5p.model.initialisation import initialise_weights
from codet5p.model.transformer import CodeT5pModel

__all__ = ["EMBEDDING", "SHALLOW_DEEP", "T5", "random_ids", "random_model"]

SHALLOW_DEEP = CodeT5pConfig(
    vocab_size=61,
    width=24,
    num_encoder_layers=2,
    num_decoder_layers=3,
    num_heads=4,
    num_key_value_heads=2,
    head_dim=6,
    feed_forward_width=40,
    activation="swiglu",
    position="rotary",
    scale_attention=True,
    norm_epsilon=1e-5,
    tie_head=True,
    scale_head=False,
    cross_attention_layers=(0, 2),
    embedding_dim=8,
)

T5 = replace(
    SHALLOW_DEEP,
    num_key_value_heads=4,
    activation="relu",
    position="relative_bias",
    scale_attention=False,
    norm_epsilon=1e-6,
    scale_head=True,
    cross_attention_layers=(0, 1, 2),
    relative_buckets=8,
    relative_max_distance=16,
)

EMBEDDING = CodeT5pConfig(
    vocab_size=61,
    width=24,
    num_encoder_layers=2,
    num_decoder_layers=0,
    num_heads=4,
    num_key_value_heads=4,
    head_dim=6,
    feed_forward_width=40,
    activation="gelu",
    position="learned",
    max_positions=16,
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
    embedding_dim=24,
)


def random_model(config: CodeT5pConfig, seed: int = 0) -> CodeT5pModel:
    """Return a model of `config` with fixed random weights, in evaluation mode."""
    model = CodeT5pModel(config)
    initialise_weights(model, torch.Generator().manual_seed(seed))
    return model.eval()


def random_ids(rows: int, length: int, seed: int = 0, vocab_size: int = SHALLOW_DEEP.vocab_size) -> torch.Tensor:
    """Return fixed random token ids [rows, length]."""
    return torch.randint(vocab_size, (rows, length), generator=torch.Generator().manual_seed(seed))
