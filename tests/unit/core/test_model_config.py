from dataclasses import replace
from typing import Any

import pytest
from small_artifact import SMALL, SMALL_DECODER, SMALL_EMBEDDING


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"vocab_size": 0}, "vocab_size must be at least 1, got 0"),
        ({"embedding_dim": -1}, "embedding_dim must be at least 1"),
        ({"num_heads": 5}, r"num_heads \(5\) must be a multiple of num_key_value_heads \(2\)"),
        ({"num_key_value_heads": 0}, "must be a multiple of num_key_value_heads"),
        ({"head_dim": 5}, "rotary positions need an even head_dim, got 5"),
        ({"num_decoder_layers": -1}, "must not be negative"),
        ({"num_encoder_layers": 0, "num_decoder_layers": 0}, "needs encoder layers, decoder layers or both"),
        ({"cross_attention_layers": (2, 0)}, r"must ascend without repeats, got \(2, 0\)"),
        ({"cross_attention_layers": (0, 0)}, "must ascend without repeats"),
        ({"cross_attention_layers": (0, 4)}, r"must lie in 0..3, got \(0, 4\)"),
        ({"cross_attention_layers": (-1, 0)}, "must lie in 0..3"),
        ({"num_encoder_layers": 0}, "need an encoder to attend to"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
        ({"norm_epsilon": 0.0}, "must be positive"),
        ({"rope_base": -1.0}, "must be positive"),
        ({"relative_buckets": 5}, "relative_buckets must be even and at least 4, got 5"),
        ({"relative_max_distance": 16}, "relative_max_distance must exceed relative_buckets / 2, got 16"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **wrong)


@pytest.mark.parametrize("bert", [{"norm": "layer"}, {"norm_place": "after"}, {"has_biases": True}])
def test_the_blocks_of_bert_are_for_encoders_alone(bert: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="are for encoders alone"):
        replace(SMALL, **bert)
    assert replace(SMALL, **bert, num_decoder_layers=0, cross_attention_layers=()).num_decoder_layers == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_positions": 0}, "max_positions goes with learned positions, and only with them; got 0"),
        ({"position": "rotary"}, "max_positions goes with learned positions, and only with them; got 64"),
        ({"embedding_dim": 8}, "without a projection embedding_dim is the width, 24; got 8"),
    ],
)
def test_an_embedding_model_that_cannot_be_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SMALL_EMBEDDING, **wrong)


def test_either_side_may_be_left_out() -> None:
    assert SMALL_DECODER.num_encoder_layers == 0
    assert replace(SMALL, num_decoder_layers=0, cross_attention_layers=()).num_decoder_layers == 0


def test_an_odd_head_is_fine_without_rotation() -> None:
    assert replace(SMALL, head_dim=5, position="relative_bias").head_dim == 5
