from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import small_tokenizer
from small_artifact import SMALL_DECODER, random_weights, write_artifact

from codet5p.core.artifact import read_tensors
from codet5p.core.ct2_layout import completion_model, padded_vocabulary
from codet5p.core.errors import ArtifactError

WEIGHTS = random_weights(SMALL_DECODER)
TOKENS = small_tokenizer().tokens


def test_query_key_and_value_are_fused_in_this_order() -> None:
    model = completion_model(SMALL_DECODER, WEIGHTS, TOKENS)
    prefix = "decoder.layers.2.self_attention"
    expected = np.concatenate([WEIGHTS[f"{prefix}.{part}.weight"] for part in ("query", "key", "value")])
    np.testing.assert_array_equal(model.variables["decoder/layer_2/self_attention/linear_0/weight"](), expected)


def test_a_gated_feed_forward_activates_the_gate_and_not_the_input() -> None:
    model = completion_model(SMALL_DECODER, WEIGHTS, TOKENS)
    for part, linear in (("gate", "linear_0"), ("input", "linear_0_noact"), ("output", "linear_1")):
        ours = WEIGHTS[f"decoder.layers.1.feed_forward.{part}.weight"]
        np.testing.assert_array_equal(model.variables[f"decoder/layer_1/ffn/{linear}/weight"](), ours)


def test_a_plain_feed_forward_has_two_matrices() -> None:
    config = replace(SMALL_DECODER, activation="relu")
    variables = completion_model(config, random_weights(config), TOKENS).variables
    assert "decoder/layer_0/ffn/linear_0_noact/weight" not in variables
    assert variables["decoder/activation"]() == 0


def test_a_tied_head_is_an_alias_and_an_untied_one_a_matrix() -> None:
    tied = completion_model(SMALL_DECODER, WEIGHTS, TOKENS)
    assert tied.aliases == {"decoder/projection/weight": "decoder/embeddings/weight"}
    assert "decoder/projection/weight" not in tied.variables
    config = replace(SMALL_DECODER, tie_head=False)
    weights = random_weights(config)
    untied = completion_model(config, weights, TOKENS)
    assert untied.aliases == {}
    np.testing.assert_array_equal(untied.variables["decoder/projection/weight"](), weights["lm_head.weight"])


def test_int8_rows_keep_their_scales_also_where_fused_or_tied(tmp_path: Path) -> None:
    manifest = write_artifact(tmp_path / "artifact")
    tensors = read_tensors(tmp_path / "artifact", manifest)
    model = completion_model(manifest.model, tensors, TOKENS)
    fused = model.variables["decoder/layer_0/self_attention/linear_0/weight"]()
    scales = model.variables["decoder/layer_0/self_attention/linear_0/weight_scale"]()
    assert fused.dtype == np.int8
    assert scales.shape == (len(np.asarray(fused)),)
    assert model.aliases["decoder/projection/weight_scale"] == "decoder/embeddings/weight_scale"


def test_only_layers_with_a_folded_constant_have_a_bias() -> None:
    constant = np.arange(SMALL_DECODER.width, dtype=np.float32)
    model = completion_model(SMALL_DECODER, WEIGHTS | {"decoder.layers.1.folded_cross_attention": constant}, TOKENS)
    biases = [name for name in model.variables if name.endswith("/bias")]
    assert biases == ["decoder/layer_1/self_attention/linear_1/bias"]
    np.testing.assert_array_equal(model.variables[biases[0]](), constant)


def test_scales_of_another_arithmetic_are_passed_on() -> None:
    config = replace(SMALL_DECODER, scale_head=True, scale_attention=False, rope_base=5e4)
    variables = completion_model(config, WEIGHTS, TOKENS).variables
    assert variables["decoder/scale_outputs"]() == pytest.approx(config.width**-0.5)
    assert variables["decoder/layer_0/self_attention/queries_scale"]() == 1
    assert variables["decoder/layer_0/self_attention/rotary_base"]() == 5e4
    plain = completion_model(SMALL_DECODER, WEIGHTS, TOKENS).variables
    assert "decoder/scale_outputs" not in plain
    assert "decoder/layer_0/self_attention/queries_scale" not in plain


def test_a_relative_bias_is_refused() -> None:
    with pytest.raises(ArtifactError, match="needs rotary positions"):
        completion_model(replace(SMALL_DECODER, position="relative_bias"), WEIGHTS, TOKENS)


@pytest.mark.parametrize("name", ["decoder.layers.3.self_attention.key.weight", "token_embedding.weight"])
def test_a_weight_that_is_not_there_is_named_before_anything_runs(tmp_path: Path, name: str) -> None:
    manifest = write_artifact(tmp_path / "artifact")
    tensors = read_tensors(tmp_path / "artifact", manifest)
    tensors._readers.pop(name)  # type: ignore[attr-defined]
    model = completion_model(manifest.model, tensors, TOKENS)
    with pytest.raises(ArtifactError, match=f"the artifact has no weight {name}; see codet5p doctor"):
        [read() for read in model.variables.values()]


def test_padding_rows_get_names_that_no_token_has() -> None:
    vocabulary = padded_vocabulary(["a", "b"], 4)
    assert vocabulary == ["a", "b", "[PAD0]", "[PAD1]"]
    assert len(set(padded_vocabulary(TOKENS, 448))) == 448


def test_more_tokens_than_rows_are_refused() -> None:
    with pytest.raises(ArtifactError, match="the tokenizer has 3 tokens, the model 2; see codet5p doctor"):
        padded_vocabulary(["a", "b", "c"], 2)
