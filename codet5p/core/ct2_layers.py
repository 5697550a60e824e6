"""The layers of encoder and decoder under CTranslate2's names.

Source: the variable names of `ctranslate2.specs.transformer_spec` and `attention_spec`, pinned by a test.
"""

from collections.abc import Sequence

import numpy as np

from codet5p.core.artifact import FOLDED_BIAS
from codet5p.core.ct2_variables import VariableTable
from codet5p.core.model_config import CodeT5pConfig

__all__ = ["add_decoder_layers", "add_encoder_layers"]

_ACTIVATIONS = {"relu": 0, "swiglu": 2, "gelu": 3}  # ctranslate2.specs.Activation
_CONCATENATE = 0  # ctranslate2.specs.EmbeddingsMerge; there is one table, so nothing is merged
_RELATIVE_BIAS = "relative_attention_bias"


def add_encoder_layers(table: VariableTable, config: CodeT5pConfig) -> None:
    """Add the encoder but for its token embedding."""
    scalars = _stack_scalars(config) | {
        "embeddings_merge": np.int8(_CONCATENATE),
        "multi_query_attention": np.int8(False),  # a name for a single key-value head; each layer says how many it has
    }
    table.add_scalars("encoder", scalars)
    if config.norm_place == "before":
        _add_norm(table, config, "encoder.final_norm", "encoder/layer_norm")
    else:
        _add_norm(table, config, "encoder.embedding_norm", "encoder/layernorm_embedding")
    if config.position == "learned":
        table.add_vector("encoder/position_encodings/encodings", "encoder.position_embedding.weight")
    for layer in range(config.num_encoder_layers):
        ours, theirs = f"encoder.layers.{layer}", f"encoder/layer_{layer}"
        _add_self_attention(table, config, ours, theirs)
        _add_feed_forward(table, config, ours, theirs)


def add_decoder_layers(table: VariableTable, config: CodeT5pConfig, *, has_encoder: bool) -> None:
    """Add the decoder but for its token embedding and output projection.

    Args:
        table: Added to.
        config: Shape of the model.
        has_encoder: Whether layers attend to an encoder. Where they do not, the constants that export folded out of
            cross-attention are added instead.
    """
    scalars = _stack_scalars(config) | {
        "alignment_layer": np.int16(-1),
        "alignment_heads": np.int16(1),
        "alibi": np.int8(False),
        "alibi_use_positive_positions": np.int8(False),
        "scale_alibi": np.int8(False),
        "start_from_zero_embedding": np.int8(False),
    }
    if config.scale_head:
        scalars["scale_outputs"] = np.float32(config.width**-0.5)
    table.add_scalars("decoder", scalars)
    _add_norm(table, config, "decoder.final_norm", "decoder/layer_norm")
    for layer in range(config.num_decoder_layers):
        ours, theirs = f"decoder.layers.{layer}", f"decoder/layer_{layer}"
        _add_self_attention(table, config, ours, theirs)
        if not has_encoder:
            if (bias := f"{ours}.{FOLDED_BIAS}") in table.tensors:
                table.add_vector(f"{theirs}/self_attention/linear_1/bias", bias)
        elif layer in config.cross_attention_layers:
            _add_cross_attention(table, config, ours, theirs)
        else:
            _add_silent_cross_attention(table, config, ours, theirs)
        _add_feed_forward(table, config, ours, theirs)


def _stack_scalars(config: CodeT5pConfig) -> dict[str, np.generic]:
    return {
        "num_heads": np.int16(config.num_heads),
        "pre_norm": np.int8(config.norm_place == "before"),
        "activation": np.int8(_ACTIVATIONS[config.activation]),
        "scale_embeddings": np.int8(False),
    }


def _head_scalars(config: CodeT5pConfig) -> dict[str, np.generic]:
    scalars: dict[str, np.generic] = {
        "num_heads_kv": np.int32(config.num_key_value_heads),
        "head_dim": np.int32(config.head_dim),
    }
    if not config.scale_attention:
        scalars["queries_scale"] = np.float32(1)
    return scalars


def _add_self_attention(table: VariableTable, config: CodeT5pConfig, ours: str, theirs: str) -> None:
    attention = f"{theirs}/self_attention"
    query_key_value = [f"{ours}.self_attention.{part}" for part in ("query", "key", "value")]
    _add_norm(table, config, f"{ours}.self_attention_norm", f"{attention}/layer_norm")
    _add_linear(table, config, query_key_value, f"{attention}/linear_0")
    _add_linear(table, config, [f"{ours}.self_attention.output"], f"{attention}/linear_1")
    table.add_scalars(attention, _head_scalars(config))
    if config.position == "relative_bias":
        _add_relative_bias(table, config, ours, attention)
    elif config.position == "rotary":
        table.add_scalars(attention, _rotary_scalars(config))


def _rotary_scalars(config: CodeT5pConfig) -> dict[str, np.generic]:
    return {
        "rotary_dim": np.int32(0),  # the whole head
        "rotary_interleave": np.int8(False),
        "rotary_base": np.float32(config.rope_base),
    }


def _add_norm(table: VariableTable, config: CodeT5pConfig, ours: str, theirs: str) -> None:
    table.add_vector(f"{theirs}/gamma", f"{ours}.weight")
    if config.norm == "layer":
        table.add_vector(f"{theirs}/beta", f"{ours}.bias")


def _add_linear(table: VariableTable, config: CodeT5pConfig, ours: Sequence[str], theirs: str) -> None:
    """Add one projection, or several as one."""
    table.add_matrix(f"{theirs}/weight", *(f"{name}.weight" for name in ours))
    if config.has_biases:
        table.add_vector(f"{theirs}/bias", *(f"{name}.bias" for name in ours))


def _add_relative_bias(table: VariableTable, config: CodeT5pConfig, ours: str, attention: str) -> None:
    """Add the bias to the first layer of a side; the other layers share it."""
    side = ours.partition(".")[0]
    first = f"{side}/layer_0/self_attention/{_RELATIVE_BIAS}"
    if first in table.variables:
        table.aliases[f"{attention}/{_RELATIVE_BIAS}"] = first
    else:
        table.add_vector(first, f"{side}.relative_bias.weight")
    table.add_scalars(attention, {"relative_attention_max_distance": np.int32(config.relative_max_distance)})


def _add_cross_attention(table: VariableTable, config: CodeT5pConfig, ours: str, theirs: str) -> None:
    attention = f"{theirs}/attention"
    query, key, value, output = (
        f"{ours}.cross_attention.{part}.weight" for part in ("query", "key", "value", "output")
    )
    _add_norm(table, config, f"{ours}.cross_attention_norm", f"{attention}/layer_norm")
    table.add_matrix(f"{attention}/linear_0/weight", query)
    table.add_matrix(f"{attention}/linear_1/weight", key, value)
    table.add_matrix(f"{attention}/linear_2/weight", output)
    table.add_scalars(attention, _head_scalars(config))


def _add_silent_cross_attention(table: VariableTable, config: CodeT5pConfig, ours: str, theirs: str) -> None:
    """Add a cross-attention that contributes nothing.

    CTranslate2 crashes where the first layer has none, and cannot decode a batch where a later layer has none.
    """
    attention = f"{theirs}/attention"
    queries, keys = config.num_heads * config.head_dim, config.num_key_value_heads * config.head_dim
    like = f"{ours}.self_attention.output.weight"
    table.add_array(f"{attention}/layer_norm/gamma", lambda: np.zeros(config.width))
    table.add_zero_matrix(f"{attention}/linear_0/weight", queries, config.width, like=like)
    table.add_zero_matrix(f"{attention}/linear_1/weight", 2 * keys, config.width, like=like)
    table.add_zero_matrix(f"{attention}/linear_2/weight", config.width, queries, like=like)
    table.add_scalars(attention, _head_scalars(config))


def _add_feed_forward(table: VariableTable, config: CodeT5pConfig, ours: str, theirs: str) -> None:
    # CTranslate2 applies the activation to linear_0 and, in a gated network, multiplies by linear_0_noact.
    names = {"input": "linear_0", "output": "linear_1"}
    if config.activation == "swiglu":
        names = {"gate": "linear_0", "input": "linear_0_noact", "output": "linear_1"}
    _add_norm(table, config, f"{ours}.feed_forward_norm", f"{theirs}/ffn/layer_norm")
    for part, linear in names.items():
        _add_linear(table, config, [f"{ours}.feed_forward.{part}"], f"{theirs}/ffn/{linear}")
