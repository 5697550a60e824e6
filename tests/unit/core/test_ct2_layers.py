"""The names of encoder-decoder and encoder, held against CTranslate2's own specifications."""

from typing import Any

import numpy as np
import pytest
from ctranslate2.specs import model_spec, transformer_spec
from fakes import small_tokenizer
from small_artifact import SMALL, SMALL_EMBEDDING, SMALL_T5, random_weights

from codet5p.core.ct2_format import RuntimeModel
from codet5p.core.ct2_layout import encoder_model, sequence_to_sequence_model
from codet5p.core.model_config import CodeT5pConfig

TOKENS = small_tokenizer().tokens
WEIGHTS = random_weights(SMALL)


def stack_options(config: CodeT5pConfig) -> dict[str, Any]:
    options: dict[str, Any] = {
        "num_heads": config.num_heads,
        "activation": {"relu": 0, "swiglu": 2, "gelu": 3}[config.activation],
        "ffn_glu": config.activation == "swiglu",
        "rms_norm": config.norm == "rms",
        "num_heads_kv": config.num_key_value_heads,
        "head_dim": config.head_dim,
    }
    if config.position == "rotary":
        return options | {"rotary_dim": 0, "rotary_interleave": False, "rotary_base": config.rope_base}
    if config.position == "learned":
        return options | {"pre_norm": False, "layernorm_embedding": True}
    return options | {"relative_attention_bias": True}


def filled(spec: Any, config: CodeT5pConfig) -> Any:
    """Return the specification with a value of its own for everything that a converter must set."""
    weights = iter(np.random.default_rng(0).standard_normal((400, config.vocab_size + 2), dtype=np.float32))

    has_learned_positions = config.position == "learned"

    def fill(layer: Any, name: str, value: Any) -> None:
        last = name.rpartition("/")[2]
        if last == "relative_attention_max_distance":
            setattr(layer, last, np.int32(config.relative_max_distance))
        elif last == "queries_scale" and not config.scale_attention:
            setattr(layer, last, np.float32(1))
        elif value is None or (last == "bias" and config.has_biases) or (last == "encodings" and has_learned_positions):
            setattr(layer, last, next(weights))

    for side in ("encoder", "decoder"):
        if (stack := getattr(spec, side, None)) is not None:
            stack.scale_embeddings = False
    if config.scale_head and hasattr(spec, "decoder"):
        spec.decoder.scale_outputs = np.float32(config.width**-0.5)
    model_spec.visit_spec(spec, fill)
    return spec


def assert_same_names_and_settings(ours: RuntimeModel, spec: Any) -> None:
    spec.validate()
    theirs = spec.variables()
    assert set(ours.variables) | set(ours.aliases) == set(theirs)
    assert (ours.spec_name, ours.spec_revision) == (spec.name, spec.revision)
    for name, variable in theirs.items():
        if (value := variable.numpy()).ndim == 0:
            assert np.asarray(ours.variables[name]()) == value, name
            assert np.asarray(ours.variables[name]()).dtype == value.dtype, name


@pytest.mark.parametrize("config", [SMALL, SMALL_T5], ids=["shallow-deep", "t5"])
def test_encoder_decoder_has_the_names_of_the_specification(config: CodeT5pConfig) -> None:
    encoder = transformer_spec.TransformerEncoderSpec(config.num_encoder_layers, **stack_options(config))
    decoder = transformer_spec.TransformerDecoderSpec(config.num_decoder_layers, **stack_options(config))
    ours = sequence_to_sequence_model(config, random_weights(config), TOKENS)
    spec = filled(transformer_spec.TransformerSpec(encoder, decoder), config)
    spec.decoder.projection.bias = np.zeros(config.vocab_size + 2, np.float32)
    spec.register_source_vocabulary(ours.vocabulary)
    spec.register_target_vocabulary(ours.vocabulary)
    assert_same_names_and_settings(ours, spec)


@pytest.mark.parametrize("config", [SMALL, SMALL_T5, SMALL_EMBEDDING], ids=["shallow-deep", "t5", "embedding"])
def test_encoder_has_the_names_of_the_specification(config: CodeT5pConfig) -> None:
    encoder = transformer_spec.TransformerEncoderSpec(config.num_encoder_layers, **stack_options(config))
    ours = encoder_model(config, random_weights(config), TOKENS)
    spec = filled(transformer_spec.TransformerEncoderModelSpec(encoder), config)
    spec.register_vocabulary([*ours.vocabulary, "[One]", "[Two]"])
    assert_same_names_and_settings(ours, spec)


def test_cross_attention_fuses_key_and_value_and_leaves_the_query_alone() -> None:
    weights = WEIGHTS
    variables = sequence_to_sequence_model(SMALL, weights, TOKENS).variables
    ours = "decoder.layers.2.cross_attention"
    fused = np.concatenate([weights[f"{ours}.key.weight"], weights[f"{ours}.value.weight"]])
    np.testing.assert_array_equal(
        variables["decoder/layer_2/attention/linear_0/weight"](), weights[f"{ours}.query.weight"]
    )
    np.testing.assert_array_equal(variables["decoder/layer_2/attention/linear_1/weight"](), fused)
    np.testing.assert_array_equal(
        variables["decoder/layer_2/attention/linear_2/weight"](), weights[f"{ours}.output.weight"]
    )


def test_a_layer_without_cross_attention_gets_one_that_is_zero_and_stored_as_its_neighbours() -> None:
    plain = sequence_to_sequence_model(SMALL, WEIGHTS, TOKENS).variables
    quantized = {name: weight.astype(np.int8) for name, weight in WEIGHTS.items()}
    quantized |= {f"{name}_scale": np.ones(len(weight), np.float32) for name, weight in quantized.items()}
    int8 = sequence_to_sequence_model(SMALL, quantized, TOKENS).variables
    for linear in range(3):
        name = f"decoder/layer_1/attention/linear_{linear}/weight"
        neighbour = f"decoder/layer_0/attention/linear_{linear}/weight"
        assert np.asarray(plain[name]()).shape == np.asarray(plain[neighbour]()).shape
        assert not np.asarray(plain[name]()).any()
        assert f"{name}_scale" not in plain
        assert (np.asarray(int8[name]()).dtype, np.asarray(int8[name]()).any()) == (np.int8, False)
        np.testing.assert_array_equal(int8[f"{name}_scale"](), 1)


def test_the_folded_constants_of_completion_stay_out_of_the_encoder_decoder() -> None:
    weights = WEIGHTS | {"decoder.layers.0.folded_cross_attention": np.ones(SMALL.width, np.float32)}
    variables = sequence_to_sequence_model(SMALL, weights, TOKENS).variables
    assert [name for name in variables if name.endswith("/bias")] == ["decoder/projection/bias"]


def test_the_layers_of_a_side_share_one_relative_bias() -> None:
    model = sequence_to_sequence_model(SMALL_T5, random_weights(SMALL_T5), TOKENS)
    biases = [name for name in model.variables if name.endswith("/relative_attention_bias")]
    assert biases == [f"{side}/layer_0/self_attention/relative_attention_bias" for side in ("encoder", "decoder")]
    shared = {name: holder for name, holder in model.aliases.items() if name.endswith("/relative_attention_bias")}
    assert shared == {
        f"{side}/layer_{layer}/self_attention/relative_attention_bias": (
            f"{side}/layer_0/self_attention/relative_attention_bias"
        )
        for side, count in (("encoder", 2), ("decoder", 4))
        for layer in range(1, count)
    }
