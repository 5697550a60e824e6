"""How our weights are laid out as CTranslate2 models, one for each way of using them.

completion_model             decoder alone, for `complete`                  a Generator
sequence_to_sequence_model   encoder and decoder, for `generate`, `match`   a Translator
encoder_model                encoder alone, for `embed`                     an Encoder
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codet5p.core.ct2_format import RuntimeModel
from codet5p.core.ct2_layers import add_decoder_layers, add_encoder_layers
from codet5p.core.ct2_variables import Tensors, VariableTable
from codet5p.core.errors import ArtifactError
from codet5p.core.model_config import CodeT5pConfig

__all__ = [
    "IS_MATCH",
    "NO_MATCH",
    "completion_model",
    "encoder_model",
    "padded_vocabulary",
    "sequence_to_sequence_model",
]

NO_MATCH = "[NoMatch]"
IS_MATCH = "[IsMatch]"
"""Names of the matching head's two rows, behind the vocabulary of a sequence-to-sequence model."""

_EMBEDDING = "token_embedding.weight"
_MATCHING = "matching_head.weight"
_MATCHING_OFFSET = np.float32(-32)
"""Added to both matching logits: no effect on their difference, and no share of any other token's probability."""


def completion_model(config: CodeT5pConfig, tensors: Tensors, tokens: list[str]) -> RuntimeModel:
    """Return the decoder-only model that continues code, a CTranslate2 `Generator`.

    The encoder's single token `[CLM]` adds a constant to every layer; export has folded it into the bias of the layer's
    self-attention output, so neither the encoder nor cross-attention is needed here.

    Args:
        config: Shape of the model.
        tensors: The artifact's weights.
        tokens: The tokenizer's tokens, in order of their ids.

    Returns:
        The model to write. Matrices stay int8 where the artifact holds int8.

    Raises:
        ArtifactError: If the positions are not rotary: with a relative attention bias CTranslate2 computes a prefill
            of several tokens wrongly.
    """
    if config.position != "rotary":
        raise ArtifactError("decoder-only completion needs rotary positions; this artifact has a relative bias")
    table = VariableTable(tensors)
    table.add_matrix("decoder/embeddings/weight", _EMBEDDING)
    add_decoder_layers(table, config, has_encoder=False)
    if config.tie_head:
        table.alias_matrix("decoder/projection/weight", "decoder/embeddings/weight")
    else:
        table.add_matrix("decoder/projection/weight", "lm_head.weight")
    return RuntimeModel(
        spec_name="TransformerDecoderSpec",
        spec_revision=8,
        variables=table.variables,
        aliases=table.aliases,
        config=_settings(config, tokens),
        vocabulary=padded_vocabulary(tokens, config.vocab_size),
    )


def sequence_to_sequence_model(config: CodeT5pConfig, tensors: Tensors, tokens: list[str]) -> RuntimeModel:
    """Return the encoder-decoder that writes text about code and code about text, a CTranslate2 `Translator`.

    Where the artifact holds the matching head, its two rows follow the vocabulary in the output projection. Of the
    targets `[EOS] [Match] code [EOS] [NoMatch]` and the same with `[IsMatch]` the last log-probabilities then differ by
    exactly what the head's two logits differ by at `[EOS]`: the normaliser is the same and cancels. The rows' share of
    the probability is below 1e-9, so that generation and other scores are those of a model without them.

    What opens a target is the caller's, see `core.decoder_inputs`.

    Args:
        config: Shape of the model.
        tensors: The artifact's weights.
        tokens: The tokenizer's tokens, in order of their ids.

    Returns:
        The model to write. Matrices stay int8 where the artifact holds int8.

    Raises:
        ArtifactError: If the model has no encoder or no decoder.
    """
    if not (config.num_encoder_layers and config.num_decoder_layers):
        raise ArtifactError("generation and matching need an encoder and a decoder; this artifact has but one of them")
    table = VariableTable(tensors)
    vocabulary = padded_vocabulary(tokens, config.vocab_size)
    matching: tuple[str, ...] = ()
    if _MATCHING in tensors:
        matching = (_MATCHING,)
        vocabulary += [NO_MATCH, IS_MATCH]
        table.add_array("decoder/projection/bias", lambda: _matching_bias(config, tensors))
    # The head reads the decoder's output before it is scaled; a tied table is scaled for all of its rows.
    factors = {_MATCHING: config.width**0.5} if config.scale_head else {}
    table.add_matrix("decoder/embeddings/weight", _EMBEDDING, *matching, factors=factors)
    table.alias_matrix("encoder/embeddings_0/weight", "decoder/embeddings/weight")
    if config.tie_head:
        table.alias_matrix("decoder/projection/weight", "decoder/embeddings/weight")
    else:
        table.add_matrix("decoder/projection/weight", "lm_head.weight", *matching, factors=factors)
    add_encoder_layers(table, config)
    add_decoder_layers(table, config, has_encoder=True)
    return RuntimeModel(
        spec_name="TransformerSpec",
        spec_revision=7,
        variables=table.variables,
        aliases=table.aliases,
        config=_settings(config, tokens)
        | {"decoder_start_token": None, "add_source_bos": False, "add_source_eos": False},
        vocabulary=vocabulary,
        vocabulary_name="shared_vocabulary",
    )


def encoder_model(config: CodeT5pConfig, tensors: Tensors, tokens: list[str]) -> RuntimeModel:
    """Return the encoder whose states become embeddings, a CTranslate2 `Encoder`.

    Args:
        config: Shape of the model.
        tensors: The artifact's weights.
        tokens: The tokenizer's tokens, in order of their ids.

    Returns:
        The model to write. Pooling, projection and normalisation are not part of it, see `embedding_head`.

    Raises:
        ArtifactError: If the model has no encoder.
    """
    if not config.num_encoder_layers:
        raise ArtifactError("embeddings need an encoder; this artifact has none")
    table = VariableTable(tensors)
    table.add_matrix("encoder/embeddings_0/weight", _EMBEDDING)
    add_encoder_layers(table, config)
    return RuntimeModel(
        spec_name="TransformerEncoderSpec",
        spec_revision=1,
        variables=table.variables,
        aliases=table.aliases,
        config=_settings(config, tokens),
        vocabulary=padded_vocabulary(tokens, config.vocab_size),
    )


def padded_vocabulary(tokens: list[str], vocab_size: int) -> list[str]:
    """Return `tokens` with names for the embedding's padding rows, as CTranslate2 wants one name a row.

    Args:
        tokens: The tokenizer's tokens, in order of their ids.
        vocab_size: Rows of the embedding.

    Returns:
        `vocab_size` names.

    Raises:
        ArtifactError: If the tokenizer has more tokens than the embedding has rows.
    """
    if len(tokens) > vocab_size:
        raise ArtifactError(f"the tokenizer has {len(tokens)} tokens, the model {vocab_size}; see codet5p doctor")
    return tokens + [f"[PAD{i}]" for i in range(vocab_size - len(tokens))]


def _matching_bias(config: CodeT5pConfig, tensors: Tensors) -> NDArray[np.float32]:
    """Return the output projection's bias: zero but for the two rows of the matching head."""
    bias_V = np.zeros(config.vocab_size + 2, np.float32)
    bias_V[-2:] = np.asarray(tensors["matching_head.bias"]) + _MATCHING_OFFSET
    return bias_V


def _settings(config: CodeT5pConfig, tokens: list[str]) -> dict[str, Any]:
    # Callers name the tokens that open and end a sequence themselves; CTranslate2 wants some to fall back on.
    return {
        "bos_token": tokens[0],
        "eos_token": tokens[0],
        "unk_token": tokens[0],
        "layer_norm_epsilon": config.norm_epsilon,
        "multi_query_attention": config.num_key_value_heads != config.num_heads,
    }
