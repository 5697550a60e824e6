"""Folding the encoder of decoder-only mode into one bias a layer.

In decoder-only mode the encoder reads the single token `[CLM]`. Cross-attention then has one key, its softmax is 1, and
whatever the query is, layer l adds the constant output_l(value_l(encoder([CLM]))). That constant is the bias of the
layer's self-attention output here: the encoder and cross-attention, half of the model, are not needed to complete code.

    self-attention output + constant   =   self-attention output, then cross-attention over one key

Exact in real arithmetic; checked to 1e-5 against the torch model.

Shapes: D width, E = key-value heads x head_dim, Q = query heads x head_dim.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from codet5p.core.model_config import CodeT5pConfig

__all__ = ["folded_biases"]

Weights = Mapping[str, NDArray[np.float32]]


def folded_biases(config: CodeT5pConfig, weights: Weights, clm_id: int) -> dict[int, NDArray[np.float32]]:
    """Return the constant that cross-attention adds in decoder-only mode, for each layer that has it.

    Args:
        config: Shape of the model.
        weights: The checkpoint, float32.
        clm_id: Id of `[CLM]`.

    Returns:
        For each layer in `config.cross_attention_layers` a float32 vector [D].
    """
    if not config.cross_attention_layers:
        return {}
    state_D = _encode_one_token(config, weights, clm_id)
    return {
        layer: _attend_to_one(config, weights, f"decoder.layers.{layer}.cross_attention", state_D)
        for layer in config.cross_attention_layers
    }


def _encode_one_token(config: CodeT5pConfig, weights: Weights, token_id: int) -> NDArray[np.float32]:
    """Return the encoder's state [D] of a source of one token; positions do not matter at length one."""
    state_D = weights["token_embedding.weight"][token_id]
    for layer in range(config.num_encoder_layers):
        prefix = f"encoder.layers.{layer}"
        normed_D = _rms_norm(state_D, weights[f"{prefix}.self_attention_norm.weight"], config.norm_epsilon)
        state_D = state_D + _attend_to_one(config, weights, f"{prefix}.self_attention", normed_D)
        normed_D = _rms_norm(state_D, weights[f"{prefix}.feed_forward_norm.weight"], config.norm_epsilon)
        state_D = state_D + _feed_forward(config, weights, f"{prefix}.feed_forward", normed_D)
    return _rms_norm(state_D, weights["encoder.final_norm.weight"], config.norm_epsilon)


def _attend_to_one(
    config: CodeT5pConfig, weights: Weights, prefix: str, key_D: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return attention's output [D] over a single key: its value, whatever the query."""
    value_E = weights[f"{prefix}.value.weight"] @ key_D
    queries_per_key = config.num_heads // config.num_key_value_heads
    value_Q = np.repeat(value_E.reshape(config.num_key_value_heads, config.head_dim), queries_per_key, axis=0).ravel()
    return weights[f"{prefix}.output.weight"] @ value_Q


def _feed_forward(
    config: CodeT5pConfig, weights: Weights, prefix: str, x_D: NDArray[np.float32]
) -> NDArray[np.float32]:
    inner = weights[f"{prefix}.input.weight"] @ x_D
    if config.activation == "swiglu":
        gate = weights[f"{prefix}.gate.weight"] @ x_D
        inner = inner * gate / (1 + np.exp(-gate))
    else:
        inner = np.maximum(inner, 0)
    output_D: NDArray[np.float32] = weights[f"{prefix}.output.weight"] @ inner
    return output_D


def _rms_norm(x_D: NDArray[np.float32], weight_D: NDArray[np.float32], epsilon: float) -> NDArray[np.float32]:
    normed: NDArray[np.float32] = x_D / np.sqrt(np.mean(np.square(x_D)) + np.float32(epsilon)) * weight_D
    return normed
