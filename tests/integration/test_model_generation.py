"""Our searches find what transformers' `generate` finds, on the same random models brought over by the importers."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration
from transformers.utils import ModelOutput

from codet5p.model.checkpoint import assign_weights
from codet5p.model.config import CodeT5pConfig
from codet5p.model.generation import SearchConfig, beam_search, greedy_search
from codet5p.model.importers.released_folder import under_our_names
from codet5p.model.importers.salesforce_t5 import import_salesforce_t5
from codet5p.model.smollm2 import HUGGING_FACE_NAMES
from codet5p.model.transformer import CodeT5pModel

VOCAB_SIZE = 9  # so few tokens that the end token is often among the best
PAD, EOS, START = 0, 2, 1
MAX_NEW_TOKENS = 9


def randomised(model: torch.nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.4, generator=generator)


@pytest.fixture(params=[0, 3, 7])
def t5_pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[T5ForConditionalGeneration, CodeT5pModel]:
    reference = T5ForConditionalGeneration(
        T5Config(
            vocab_size=VOCAB_SIZE,
            d_model=24,
            d_kv=6,
            d_ff=40,
            num_layers=2,
            num_heads=4,
            relative_attention_num_buckets=8,
            relative_attention_max_distance=16,
        )
    ).eval()
    randomised(reference, request.param)
    reference.shared.weight.data *= 2  # decided choices, which rounding does not overturn
    reference.save_pretrained(tmp_path)
    return reference, import_salesforce_t5(tmp_path)


@pytest.fixture(params=[0, 1, 2])
def llama_pair(request: pytest.FixtureRequest) -> tuple[LlamaForCausalLM, CodeT5pModel]:
    reference = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCAB_SIZE,
            hidden_size=24,
            intermediate_size=40,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
        )
    ).eval()
    randomised(reference, request.param)
    config = CodeT5pConfig(
        vocab_size=VOCAB_SIZE,
        width=24,
        num_encoder_layers=0,
        num_decoder_layers=2,
        num_heads=4,
        num_key_value_heads=2,
        head_dim=6,
        feed_forward_width=40,
        activation="swiglu",
        position="rotary",
        scale_attention=True,
        norm_epsilon=1e-5,
        tie_head=True,
        scale_head=False,
        cross_attention_layers=(),
    )
    ours = CodeT5pModel(config).eval()
    weights = {name: tensor for name, tensor in reference.state_dict().items() if name != "lm_head.weight"}
    assign_weights(ours, under_our_names(ours.state_dict(), HUGGING_FACE_NAMES, weights))
    return reference, ours


def generate(
    reference: T5ForConditionalGeneration | LlamaForCausalLM,
    inputs: dict[str, Tensor],
    num_beams: int,
    length_penalty: float = 1.0,
) -> ModelOutput:
    return reference.generate(
        **inputs,
        generation_config=GenerationConfig(
            max_new_tokens=MAX_NEW_TOKENS,
            num_beams=num_beams,
            length_penalty=length_penalty,
            num_return_sequences=num_beams,
            early_stopping="never" if num_beams > 1 else False,
            eos_token_id=EOS,
            pad_token_id=PAD,
            decoder_start_token_id=START,
            return_dict_in_generate=True,
            output_scores=True,
        ),
    )


def new_tokens(sequences: Tensor, prefix_length: int) -> list[tuple[int, ...]]:
    rows = sequences[:, prefix_length:].tolist()
    return [tuple(row[: row.index(EOS) + 1] if EOS in row else row) for row in rows]


def source_and_mask() -> tuple[Tensor, Tensor]:
    source_BS = torch.randint(3, VOCAB_SIZE, (3, 7), generator=torch.Generator().manual_seed(5))
    return source_BS, torch.arange(7) < torch.tensor([[7], [4], [2]])


def test_greedy_search_of_an_encoder_decoder(t5_pair: tuple[T5ForConditionalGeneration, CodeT5pModel]) -> None:
    reference, ours = t5_pair
    source_BS, mask_BS = source_and_mask()
    expected = generate(reference, {"input_ids": source_BS, "attention_mask": mask_BS.long()}, num_beams=1)
    found = greedy_search(
        ours,
        torch.full((3, 1), START),
        SearchConfig(eos_id=EOS, max_new_tokens=MAX_NEW_TOKENS),
        source_ids_BS=source_BS,
        source_mask_BS=mask_BS,
    )
    assert found == new_tokens(expected.sequences, 1)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 3.0])
def test_beam_search_of_an_encoder_decoder(
    t5_pair: tuple[T5ForConditionalGeneration, CodeT5pModel], length_penalty: float
) -> None:
    reference, ours = t5_pair
    source_BS, mask_BS = source_and_mask()
    expected = generate(reference, {"input_ids": source_BS, "attention_mask": mask_BS.long()}, 4, length_penalty)
    found = beam_search(
        ours,
        torch.full((3, 1), START),
        SearchConfig(eos_id=EOS, max_new_tokens=MAX_NEW_TOKENS, num_beams=4, length_penalty=length_penalty),
        source_ids_BS=source_BS,
        source_mask_BS=mask_BS,
    )
    hypotheses = [hypothesis for row in found for hypothesis in row]
    if length_penalty == 0.0:
        assert any(hypothesis.token_ids[-1] == EOS for hypothesis in hypotheses)
    assert [hypothesis.token_ids for hypothesis in hypotheses] == new_tokens(expected.sequences, 1)
    assert [hypothesis.score for hypothesis in hypotheses] == pytest.approx(
        expected.sequences_scores.tolist(), abs=1e-4
    )


@pytest.mark.parametrize("num_beams", [1, 4])
def test_searches_of_a_decoder_alone(llama_pair: tuple[LlamaForCausalLM, CodeT5pModel], num_beams: int) -> None:
    reference, ours = llama_pair
    prefix_BT, _ = source_and_mask()
    expected = generate(reference, {"input_ids": prefix_BT, "attention_mask": torch.ones_like(prefix_BT)}, num_beams)
    config = SearchConfig(eos_id=EOS, max_new_tokens=MAX_NEW_TOKENS, num_beams=num_beams)
    if num_beams == 1:
        found = greedy_search(ours, prefix_BT, config)
    else:
        found = [hypothesis.token_ids for row in beam_search(ours, prefix_BT, config) for hypothesis in row]
    assert found == new_tokens(expected.sequences, prefix_BT.size(1))
