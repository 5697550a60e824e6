"""An encoder of BERT's blocks under BERT's names, so that transformers loads it by its own class."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codet5p.core.bert_names import BERT_NAMES, BERT_TOKEN_TYPES
from codet5p.core.errors import CheckpointError
from codet5p.core.model_config import CodeT5pConfig
from codet5p.core.special_tokens import EOS
from codet5p.core.tokenizer import Tokenizer

__all__ = ["bert_description", "check_bert", "renamed_bert"]

_TOKEN_TYPES = 2  # what tools that read BERT expect; both are zero, since every position's vector has type 0 in it


def check_bert(config: CodeT5pConfig) -> None:
    """Refuse what BERT cannot express.

    Args:
        config: Shape of the model, with learned positions.

    Raises:
        CheckpointError: If blocks or heads differ from BERT's.
    """
    blocks = (config.norm, config.norm_place, config.activation, config.has_biases, config.scale_attention)
    has_plain_heads = (
        config.num_key_value_heads == config.num_heads and config.head_dim * config.num_heads == config.width
    )
    if blocks != ("layer", "after", "gelu", True, True) or not has_plain_heads:
        raise CheckpointError("transformers' BERT has LayerNorm after each sum, GELU, biases and ungrouped heads")


def bert_description(config: CodeT5pConfig, tokenizer: Tokenizer) -> dict[str, Any]:
    """Return the contents of transformers' `config.json` for a `BertModel`."""
    return {
        "model_type": "bert",
        "vocab_size": config.vocab_size,
        "hidden_size": config.width,
        "num_hidden_layers": config.num_encoder_layers,
        "num_attention_heads": config.num_heads,
        "intermediate_size": config.feed_forward_width,
        "hidden_act": "gelu",
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.dropout,
        "max_position_embeddings": config.max_positions,
        "type_vocab_size": _TOKEN_TYPES,
        "layer_norm_eps": config.norm_epsilon,
        "position_embedding_type": "absolute",
        "pad_token_id": tokenizer.token_id(EOS),
        "dtype": "float32",
    }


def renamed_bert(config: CodeT5pConfig, weights: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Return the encoder's weights under BERT's names, with a pooler that passes the first state through tanh alone.

    Args:
        config: Shape of the model.
        weights: The checkpoint.

    Returns:
        Everything that a `BertModel` holds.

    Raises:
        CheckpointError: If the checkpoint lacks a weight.
    """
    renamed = {
        BERT_TOKEN_TYPES: np.zeros((_TOKEN_TYPES, config.width), np.float32),
        "pooler.dense.weight": np.eye(config.width, dtype=np.float32),  # not read by sentence encoders
        "pooler.dense.bias": np.zeros(config.width, np.float32),
    }
    try:
        for ours, theirs in BERT_NAMES.items():
            for layer in range(config.num_encoder_layers) if "{i}" in ours else (0,):
                renamed[theirs.format(i=layer)] = weights[ours.format(i=layer)]
    except KeyError as error:
        raise CheckpointError(f"the checkpoint has no weight {error.args[0]}") from None
    return renamed
