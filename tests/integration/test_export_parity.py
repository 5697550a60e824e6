"""The exported model computes what the torch model computes with `[CLM]` alone in the encoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest
import torch
from fakes import small_tokenizer
from numpy.typing import NDArray

from codet5p.core.artifact import read_tensors
from codet5p.core.assembly import AssembledModels
from codet5p.core.special_tokens import CLM
from codet5p.export.checkpoint_reader import read_checkpoint
from codet5p.model.checkpoint import save_checkpoint
from codet5p.model.transformer import CodeT5pModel

TOKENIZER = small_tokenizer()
CLM_ID = TOKENIZER.token_id(CLM)
LENGTH = 40
NEW_TOKENS = 12
INT8_ERROR = 0.03
"""Mean absolute error of int8 logits, in standard deviations of the logits; 0.013 measured."""
INT8_AGREEMENT = 0.94
"""Share of positions with the same most likely token; 0.970 and 0.975 measured."""


def prompts(count: int, length: int = LENGTH) -> NDArray[np.int64]:
    return np.random.default_rng(count).integers(TOKENIZER.vocab_size, size=(count, length))


def spelled(ids: Sequence[int]) -> list[str]:
    return [TOKENIZER.tokens[token_id] for token_id in ids]


def torch_logits(model: CodeT5pModel, ids_BT: NDArray[np.int64]) -> NDArray[np.float32]:
    with torch.no_grad():
        states = model.encode(torch.full((len(ids_BT), 1), CLM_ID))
        logits: NDArray[np.float32] = model.logits(model.decode(torch.from_numpy(ids_BT), states)).numpy()
    return logits


def exported_logits(models: AssembledModels, ids_BT: NDArray[np.int64], **options: Any) -> NDArray[np.float32]:
    generator = ctranslate2.Generator(str(models.completion), **options)
    return np.asarray(generator.forward_batch([spelled(row) for row in ids_BT]))


def test_float32_logits_are_equal(torch_model: CodeT5pModel, float32_models: AssembledModels) -> None:
    ids_BT = prompts(6)
    expected, found = torch_logits(torch_model, ids_BT), exported_logits(float32_models, ids_BT)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert expected.std() > 0.5


def test_cross_attention_matters_here(torch_model: CodeT5pModel) -> None:
    with torch.no_grad():
        ids = torch.from_numpy(prompts(2))
        other = torch.full((2, 1), CLM_ID + 1)
        logits = torch_model.logits(torch_model.decode(ids, torch_model.encode(other))).numpy()
    assert np.abs(logits - torch_logits(torch_model, prompts(2))).max() > 0.1


def torch_greedy(model: CodeT5pModel, prompt: NDArray[np.int64]) -> list[int]:
    ids = list(prompt)
    for _ in range(NEW_TOKENS):
        ids.append(int(torch_logits(model, np.array([ids]))[0, -1].argmax()))
    return ids[len(prompt) :]


@pytest.mark.parametrize("static_length", [0, 1, 7, 16, LENGTH - 1])
def test_greedy_tokens_are_identical_whatever_part_of_the_prompt_is_static(
    torch_model: CodeT5pModel, float32_models: AssembledModels, static_length: int
) -> None:
    generator = ctranslate2.Generator(str(float32_models.completion))
    for prompt in prompts(8):
        static = spelled(prompt[:static_length]) or None
        for _ in range(2):  # the second time the static part's state is reused
            result = generator.generate_batch(
                [spelled(prompt[static_length:])],
                static_prompt=static,
                beam_size=1,
                max_length=NEW_TOKENS,
                end_token=[],
                include_prompt_in_result=False,
            )
            assert result[0].sequences_ids[0] == torch_greedy(torch_model, prompt)


@pytest.mark.parametrize("compute_type", ["default", "int8_float32"])
def test_int8_logits_stay_within_the_stated_tolerance(
    torch_model: CodeT5pModel, int8_models: AssembledModels, compute_type: str
) -> None:
    ids_BT = prompts(16)
    expected = torch_logits(torch_model, ids_BT)
    found = exported_logits(int8_models, ids_BT, compute_type=compute_type)
    assert np.abs(found - expected).mean() / expected.std() < INT8_ERROR
    assert (found.argmax(-1) == expected.argmax(-1)).mean() > INT8_AGREEMENT


def test_int8_values_reach_the_runtime_as_the_artifact_stores_them(int8_models: AssembledModels) -> None:
    tensors = read_tensors(int8_models.tokenizer_path.parent, int8_models.manifest)
    written = (int8_models.completion / "model.bin").read_bytes()
    stored = tensors["decoder.layers.1.feed_forward.output.weight"]
    assert stored.dtype == np.int8
    assert np.asarray(stored).tobytes() in written


def test_a_bfloat16_checkpoint_reads_as_its_widened_values(torch_model: CodeT5pModel, tmp_path: Path) -> None:
    narrow = CodeT5pModel(torch_model.config)
    narrow.load_state_dict(torch_model.state_dict())
    save_checkpoint(tmp_path / "checkpoint", narrow.to(torch.bfloat16), tokenizer_json=None, extra={})
    _, weights = read_checkpoint(tmp_path / "checkpoint")
    assert weights.keys() == torch_model.state_dict().keys()
    for name, weight in torch_model.state_dict().items():
        np.testing.assert_array_equal(weights[name], weight.to(torch.bfloat16).float().numpy())
