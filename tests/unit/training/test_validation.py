import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from codet5p.model.config import laptop
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.batches import StageData
from codet5p.training.config import CodeRecipe, PairRecipe, StageRecipe
from codet5p.training.mixed_rows import MixedRows
from codet5p.training.objective_module import ObjectiveModule
from codet5p.training.objectives.cross_entropy import IGNORED_LABEL
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_table import PairTable
from codet5p.training.token_stream import TokenStream, continuation_tables
from codet5p.training.tokenizer_training import train_tokenizer
from codet5p.training.validation import bytes_of_labels, held_out_losses

TOKENIZER = train_tokenizer(["x"], 257)
TOKENS = TaskTokens.from_tokenizer(TOKENIZER)
STAGE = StageRecipe(
    name="s",
    steps=5,
    objectives={"decoder_only_causal_lm": 1.0, "contrastive": 1.0, "matching": 1.0, "code_to_text": 1.0},
    code=CodeRecipe(rows=4, micro_rows=2, block_tokens=16),
    pairs=PairRecipe(rows=4, micro_rows=2, max_text_tokens=8, max_code_tokens=8, queue=8),
)


@pytest.fixture
def module() -> ObjectiveModule:
    torch.manual_seed(0)
    shape = laptop(vocab_size=384, num_encoder_layers=1, num_decoder_layers=1)
    config = replace(
        shape, width=16, num_heads=2, num_key_value_heads=1, head_dim=8, feed_forward_width=24, dropout=0.5
    )
    return ObjectiveModule(CodeT5pModel(config), TOKENS, temperature=0.1)


def held_out(*, with_pairs: bool) -> StageData:
    ids = np.asarray(TOKENIZER.encode("value = compute(value)\n" * 20))
    pairs = [(f"text {number}", f"code {number}") for number in range(6)]
    table = PairTable.from_pairs(pairs, TOKENIZER, max_text_tokens=8, max_code_tokens=8) if with_pairs else None
    return StageData(
        code=((TokenStream([(ids, np.array([len(ids)]))], TOKENS.eos), 1.0),),
        pairs=table,
        pair_rows=MixedRows([6], [1.0]),
        examples=None,
        example_rows=MixedRows([], []),
        tokens=TOKENS,
        word_tables=continuation_tables(TOKENIZER.token_bytes),
        newline_table=np.zeros(TOKENIZER.vocab_size, np.bool_),
    )


def test_bytes_are_those_of_the_labels() -> None:
    lengths = np.array([len(token) for token in TOKENIZER.token_bytes])
    ids = TOKENIZER.encode("aé")
    labels = torch.tensor([[*ids, TOKENS.eos, IGNORED_LABEL]])
    assert bytes_of_labels(labels, lengths) == len("aé".encode())


def test_a_model_that_knows_nothing_has_known_losses(module: ObjectiveModule) -> None:
    torch.nn.init.zeros_(module.model.token_embedding.weight)
    losses = held_out_losses(module, STAGE, held_out(with_pairs=True), TOKENIZER, rows=4)
    assert losses["decoder_only_causal_lm"] == pytest.approx(math.log(384), rel=1e-5)
    assert losses["bits_per_byte"] == pytest.approx(math.log2(384), rel=0.05)
    assert losses["contrastive"] == pytest.approx(math.log(2), rel=1e-4)
    assert "matching" not in losses


def test_validating_is_repeatable_and_leaves_the_mode_alone(module: ObjectiveModule) -> None:
    module.train()
    first, second = (held_out_losses(module, STAGE, held_out(with_pairs=True), TOKENIZER, rows=4) for _ in range(2))
    assert first == second
    assert module.training


def test_objectives_without_held_out_data_are_left_out(module: ObjectiveModule) -> None:
    losses = held_out_losses(module, STAGE, held_out(with_pairs=False), TOKENIZER, rows=4)
    assert set(losses) == {"decoder_only_causal_lm", "bits_per_byte"}
