"""What we work around in CTranslate2: when one of these tests fails, our side may become simpler."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import ctranslate2
import numpy as np
import pytest
from fakes import small_tokenizer
from small_artifact import SMALL, SMALL_DECODER, random_weights

from codet5p.core.assembly import AssembledModels
from codet5p.core.ct2_format import RuntimeModel, write_model
from codet5p.core.ct2_layers import add_decoder_layers
from codet5p.core.ct2_layout import completion_model, sequence_to_sequence_model
from codet5p.core.ct2_variables import VariableTable
from codet5p.core.model_config import CodeT5pConfig

PROMPT = [["d", "e", "f"]]


@pytest.fixture
def generator(float32_models: AssembledModels) -> ctranslate2.Generator:
    return ctranslate2.Generator(str(float32_models.completion))


def test_unloading_while_a_batch_is_active_is_silently_refused_and_works_soon_after(
    generator: ctranslate2.Generator,
) -> None:
    was_loaded: list[bool] = []

    def unload_meanwhile(_: Any) -> bool:
        thread = Thread(target=generator.unload_model)
        thread.start()
        thread.join(10)
        was_loaded.append(generator.model_is_loaded)
        return True

    generator.generate_batch(PROMPT, beam_size=1, max_length=4, end_token=[], callback=unload_meanwhile)
    assert was_loaded == [True]
    deadline = time.monotonic() + 1.0
    while generator.model_is_loaded and time.monotonic() < deadline:
        generator.unload_model()
        time.sleep(0.001)
    assert not generator.model_is_loaded
    generator.load_model()
    assert generator.model_is_loaded


def test_a_callback_stops_a_beam_of_one(generator: ctranslate2.Generator) -> None:
    options = {"beam_size": 1, "max_length": 8, "end_token": [], "include_prompt_in_result": False}
    stopped = generator.generate_batch(PROMPT, callback=lambda step: step.step >= 2, **options)
    assert len(stopped[0].sequences_ids[0]) == 3
    assert len(generator.generate_batch(PROMPT, **options)[0].sequences_ids[0]) == 8


def test_a_callback_is_refused_with_more_beams(generator: ctranslate2.Generator) -> None:
    with pytest.raises(ValueError, match="callback function is not compatible with beam_size > 1"):
        generator.generate_batch(PROMPT, beam_size=2, max_length=4, callback=lambda _: True)


TOKENS = small_tokenizer().tokens
DECODE = """
import sys
import ctranslate2
translator = ctranslate2.Translator(sys.argv[1])
rows = int(sys.argv[2])
sources = [["d", "e", "f"][:length] for length in range(1, rows + 1)]
first_token = translator.translate_batch(sources[:1], [["d"]], beam_size=1, max_decoding_length=1)[0].hypotheses[0][0]
for beams in (1, 4):
    translator.translate_batch(sources, [["d"]] * rows, beam_size=beams, end_token=first_token)
"""


def without_cross_attention(folder: Path, *layers: int) -> Path:
    """Write an encoder-decoder whose specification has no cross-attention at all in `layers`, and return its folder."""
    config = replace(SMALL, cross_attention_layers=tuple(set(range(4)) - set(layers)))
    model = sequence_to_sequence_model(config, random_weights(config), TOKENS)
    absent = tuple(f"decoder/layer_{layer}/attention/" for layer in layers)
    variables = {name: read for name, read in model.variables.items() if not name.startswith(absent)}
    folder.mkdir()
    write_model(folder, replace(model, variables=variables))
    return folder


def decoded_elsewhere(model: Path, rows: int) -> subprocess.CompletedProcess[str]:
    """Return how decoding a batch ended in a process of its own, which may crash."""
    command = [sys.executable, "-c", DECODE, str(model), str(rows)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_no_cross_attention_in_the_first_layer_crashes(tmp_path: Path) -> None:
    assert decoded_elsewhere(without_cross_attention(tmp_path / "model", 0), rows=1).returncode < 0


def test_no_cross_attention_in_a_later_layer_decodes_one_row_and_fails_for_a_batch(tmp_path: Path) -> None:
    model = without_cross_attention(tmp_path / "model", 2)
    assert decoded_elsewhere(model, rows=1).returncode == 0
    batch = decoded_elsewhere(model, rows=3)
    assert batch.returncode == 1
    assert "can't index dimension 0 for a storage with rank 0" in batch.stderr


def decoder_with_relative_bias(folder: Path) -> Path:
    """Write a decoder-only model with a relative bias, as `completion_model` refuses to, and return its folder."""
    config: CodeT5pConfig = replace(
        SMALL_DECODER, num_key_value_heads=4, position="relative_bias", relative_buckets=8, relative_max_distance=16
    )
    random = np.random.default_rng(0)
    bias = random.standard_normal((config.relative_buckets, config.num_heads)).astype(np.float32)
    weights = random_weights(config) | {"decoder.relative_bias.weight": 4 * bias}
    table = VariableTable(weights)
    table.add_matrix("decoder/embeddings/weight", "token_embedding.weight")
    table.alias_matrix("decoder/projection/weight", "decoder/embeddings/weight")
    add_decoder_layers(table, config, has_encoder=False)
    rotary = completion_model(SMALL_DECODER, random_weights(SMALL_DECODER), TOKENS)
    model: RuntimeModel = replace(rotary, variables=table.variables, aliases=table.aliases)
    folder.mkdir()
    write_model(folder, model)
    return folder


def first_step_error(model: Path) -> float:
    """Return how far the first step behind a prompt processed at once is from the same step of a plain pass."""
    generator = ctranslate2.Generator(str(model))
    prompt = [TOKENS[token_id] for token_id in np.random.default_rng(0).integers(1, 300, 20)]
    plain = np.asarray(generator.forward_batch([prompt]))[0, -1]
    result = generator.generate_batch(
        [prompt], beam_size=1, max_length=1, end_token=[], include_prompt_in_result=False, return_logits_vocab=True
    )[0]
    return float(np.abs(np.asarray(result.logits[0][0], np.float32).ravel() - plain).max())


def test_a_prompt_processed_at_once_is_wrong_with_a_relative_bias_and_exact_with_rotary_positions(
    tmp_path: Path,
) -> None:
    (tmp_path / "rotary").mkdir()
    write_model(tmp_path / "rotary", completion_model(SMALL_DECODER, random_weights(SMALL_DECODER), TOKENS))
    assert first_step_error(tmp_path / "rotary") < 1e-4
    assert first_step_error(decoder_with_relative_bias(tmp_path / "relative")) > 0.01
