import json
import struct
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest
from ctranslate2.specs import model_spec, transformer_spec
from fakes import small_tokenizer
from small_artifact import SMALL_DECODER, random_weights

from codet5p.core.ct2_format import RuntimeModel, write_model
from codet5p.core.ct2_layout import completion_model


def model_of(**variables: Any) -> RuntimeModel:
    return RuntimeModel(
        spec_name="Spec",
        spec_revision=3,
        variables={name: lambda value=value: value for name, value in variables.items()},
        aliases={"z": "a"},
        config={"layer_norm_epsilon": 1e-5},
        vocabulary=["ä", '"', "\n"],
    )


def test_the_bytes_are_those_of_the_format(tmp_path: Path) -> None:
    write_model(tmp_path, model_of(b=np.int16(-1), a=np.array([[1, -2]], dtype=np.int8)))
    expected = struct.pack("I", 6)
    expected += struct.pack("H", 5) + b"Spec\0" + struct.pack("II", 3, 2)
    expected += struct.pack("H", 2) + b"a\0" + struct.pack("=BII", 2, 1, 2) + struct.pack("=BI", 1, 2) + b"\x01\xfe"
    expected += struct.pack("H", 2) + b"b\0" + struct.pack("=B", 0) + struct.pack("=BI", 2, 2) + b"\xff\xff"
    expected += struct.pack("I", 1) + struct.pack("H", 2) + b"z\0" + struct.pack("H", 2) + b"a\0"
    assert (tmp_path / "model.bin").read_bytes() == expected
    assert json.loads((tmp_path / "config.json").read_text("utf-8")) == {"layer_norm_epsilon": 1e-5}
    assert json.loads((tmp_path / "vocabulary.json").read_text("utf-8")) == ["ä", '"', "\n"]


def test_a_matrix_that_is_a_view_is_written_in_its_own_order(tmp_path: Path) -> None:
    transposed = np.arange(6, dtype=np.float32).reshape(2, 3).T
    write_model(tmp_path, model_of(a=transposed))
    assert np.ascontiguousarray(transposed).tobytes() in (tmp_path / "model.bin").read_bytes()


def test_progress_counts_the_bytes_of_the_values(tmp_path: Path) -> None:
    counts: list[int] = []
    write_model(tmp_path, model_of(a=np.zeros((2, 3), np.float32), b=np.int32(1)), counts.append)
    assert counts == [24, 4]


def test_a_type_the_format_has_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="float64"):
        write_model(tmp_path, model_of(a=np.zeros(2)))


def test_the_version_is_the_current_one_of_ctranslate2(tmp_path: Path) -> None:
    write_model(tmp_path, model_of(a=np.int8(0)))
    version = struct.unpack("I", (tmp_path / "model.bin").read_bytes()[:4])[0]
    assert version == model_spec.CURRENT_BINARY_VERSION


def reference_spec(*, has_bias: bool) -> transformer_spec.TransformerDecoderModelSpec:
    """Return CTranslate2's own description of a model of the shape of `SMALL_DECODER`."""
    decoder = transformer_spec.TransformerDecoderSpec(
        num_layers=SMALL_DECODER.num_decoder_layers,
        num_heads=SMALL_DECODER.num_heads,
        pre_norm=True,
        activation=2,
        with_encoder_attention=False,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=0,
        rotary_interleave=False,
        rotary_base=SMALL_DECODER.rope_base,
        num_heads_kv=SMALL_DECODER.num_key_value_heads,
        head_dim=SMALL_DECODER.head_dim,
    )
    decoder.scale_embeddings = False
    weights = iter(np.random.default_rng(0).standard_normal((200, SMALL_DECODER.vocab_size), dtype=np.float32))

    def fill(layer: Any, name: str, value: Any) -> None:
        if value is None:
            setattr(layer, name.rpartition("/")[2], next(weights))

    model_spec.visit_spec(decoder, fill)
    if has_bias:
        decoder.layer[0].self_attention.linear[1].bias = next(weights)
    return transformer_spec.TransformerDecoderModelSpec(decoder)


@pytest.mark.parametrize("has_bias", [False, True])
def test_names_and_revision_are_those_of_ctranslates_own_specification(has_bias: bool) -> None:
    weights: dict[str, Any] = random_weights(SMALL_DECODER)
    if has_bias:
        weights["decoder.layers.0.folded_cross_attention"] = np.ones(SMALL_DECODER.width, dtype=np.float32)
    ours = completion_model(SMALL_DECODER, weights, small_tokenizer().tokens)
    spec = reference_spec(has_bias=has_bias)
    spec.register_vocabulary(ours.vocabulary)
    spec.validate()
    theirs = spec.variables()
    assert set(ours.variables) | set(ours.aliases) == set(theirs)
    assert ours.spec_name == spec.name
    assert ours.spec_revision == spec.revision
    settings = {name: value.numpy() for name, value in theirs.items() if value.numpy().ndim == 0}
    assert {"decoder/num_heads", "decoder/layer_3/self_attention/num_heads_kv"} <= set(settings)
    for name, value in settings.items():
        assert np.asarray(ours.variables[name]()) == value, name
        assert np.asarray(ours.variables[name]()).dtype == value.dtype, name


def test_ctranslate2_loads_what_is_written(tmp_path: Path) -> None:
    model = completion_model(SMALL_DECODER, random_weights(SMALL_DECODER), small_tokenizer().tokens)
    write_model(tmp_path, model)
    generator = ctranslate2.Generator(str(tmp_path))
    assert ctranslate2.contains_model(str(tmp_path))
    logits = np.asarray(generator.forward_batch([["a", "b", "c"]]))
    assert logits.shape == (1, 3, SMALL_DECODER.vocab_size)
    assert np.isfinite(logits).all()
