"""How our weights are laid out as CTranslate2 models: a table of names, with the matrices that CTranslate2 wants fused.

Source: the variable names of `ctranslate2.specs.transformer_spec` (decoder revision 8), pinned by a test.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codet5p.core.artifact import FOLDED_BIAS, SCALE_SUFFIX
from codet5p.core.ct2_format import RuntimeModel
from codet5p.core.errors import ArtifactError
from codet5p.core.model_config import CodeT5pConfig

__all__ = ["completion_model", "padded_vocabulary"]

Tensors = Mapping[str, NDArray[Any]]
_Variables = dict[str, Callable[[], NDArray[Any] | np.generic]]

_ACTIVATIONS = {"relu": 0, "swiglu": 2}  # ctranslate2.specs.Activation
_DECODER_REVISION = 8


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
    variables: _Variables = {}
    _add_scalars(variables, config)
    _add_matrix(variables, "decoder/embeddings/weight", tensors, ("token_embedding.weight",))
    _add_vector(variables, "decoder/layer_norm/gamma", tensors, "decoder.final_norm.weight")
    for layer in range(config.num_decoder_layers):
        _add_decoder_layer(variables, config, tensors, layer)
    aliases = {}
    if config.tie_head:
        shared = [name for name in variables if name.startswith("decoder/embeddings/weight")]
        aliases = {name.replace("embeddings", "projection"): name for name in shared}
    else:
        _add_matrix(variables, "decoder/projection/weight", tensors, ("lm_head.weight",))
    return RuntimeModel(
        spec_name="TransformerDecoderSpec",
        spec_revision=_DECODER_REVISION,
        variables=variables,
        aliases=aliases,
        config={
            "bos_token": tokens[0],
            "eos_token": tokens[0],
            "unk_token": tokens[0],
            "layer_norm_epsilon": config.norm_epsilon,
            "multi_query_attention": config.num_key_value_heads != config.num_heads,
        },
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


def _add_scalars(variables: _Variables, config: CodeT5pConfig) -> None:
    scalars: dict[str, np.generic] = {
        "num_heads": np.int16(config.num_heads),
        "pre_norm": np.int8(True),
        "activation": np.int8(_ACTIVATIONS[config.activation]),
        "alignment_layer": np.int16(-1),
        "alignment_heads": np.int16(1),
        "scale_embeddings": np.int8(False),
        "alibi": np.int8(False),
        "alibi_use_positive_positions": np.int8(False),
        "scale_alibi": np.int8(False),
        "start_from_zero_embedding": np.int8(False),
    }
    if config.scale_head:
        scalars["scale_outputs"] = np.float32(config.width**-0.5)
    for name, value in scalars.items():
        variables[f"decoder/{name}"] = lambda value=value: value  # type: ignore[misc]


def _add_decoder_layer(variables: _Variables, config: CodeT5pConfig, tensors: Tensors, layer: int) -> None:
    ours, theirs = f"decoder.layers.{layer}", f"decoder/layer_{layer}"
    attention = f"{theirs}/self_attention"
    query_key_value = tuple(f"{ours}.self_attention.{part}.weight" for part in ("query", "key", "value"))
    _add_vector(variables, f"{attention}/layer_norm/gamma", tensors, f"{ours}.self_attention_norm.weight")
    _add_matrix(variables, f"{attention}/linear_0/weight", tensors, query_key_value)
    _add_matrix(variables, f"{attention}/linear_1/weight", tensors, (f"{ours}.self_attention.output.weight",))
    if (bias := f"{ours}.{FOLDED_BIAS}") in tensors:
        _add_vector(variables, f"{attention}/linear_1/bias", tensors, bias)
    _add_attention_scalars(variables, config, attention)
    _add_feed_forward(variables, config, tensors, ours, theirs)


def _add_attention_scalars(variables: _Variables, config: CodeT5pConfig, attention: str) -> None:
    scalars: dict[str, np.generic] = {
        "rotary_dim": np.int32(0),  # the whole head
        "rotary_interleave": np.int8(False),
        "rotary_base": np.float32(config.rope_base),
        "num_heads_kv": np.int32(config.num_key_value_heads),
        "head_dim": np.int32(config.head_dim),
    }
    if not config.scale_attention:
        scalars["queries_scale"] = np.float32(1)
    for name, value in scalars.items():
        variables[f"{attention}/{name}"] = lambda value=value: value  # type: ignore[misc]


def _add_feed_forward(variables: _Variables, config: CodeT5pConfig, tensors: Tensors, ours: str, theirs: str) -> None:
    # CTranslate2 applies the activation to linear_0 and, in a gated network, multiplies by linear_0_noact.
    names = {"input": "linear_0", "output": "linear_1"}
    if config.activation == "swiglu":
        names = {"gate": "linear_0", "input": "linear_0_noact", "output": "linear_1"}
    _add_vector(variables, f"{theirs}/ffn/layer_norm/gamma", tensors, f"{ours}.feed_forward_norm.weight")
    for part, linear in names.items():
        _add_matrix(variables, f"{theirs}/ffn/{linear}/weight", tensors, (f"{ours}.feed_forward.{part}.weight",))


def _add_vector(variables: _Variables, name: str, tensors: Tensors, source: str) -> None:
    variables[name] = lambda: tensors[source].astype(np.float32)


def _add_matrix(variables: _Variables, name: str, tensors: Tensors, sources: tuple[str, ...]) -> None:
    """Add a matrix whose rows are those of `sources`, one after the other; scales go with their rows."""
    for suffix in ("", SCALE_SUFFIX):
        parts = [source + suffix for source in sources]
        if not suffix or parts[0] in tensors:
            variables[name + suffix] = lambda parts=parts: np.concatenate([tensors[part] for part in parts])  # type: ignore[misc]
