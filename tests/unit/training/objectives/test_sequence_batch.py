import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from codet5p.model.config import CodeT5pConfig, laptop
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.objectives.causal_lm import (
    SplitCausalLm,
    build_decoder_only_causal_lm,
    build_seq2seq_causal_lm,
)
from codet5p.training.objectives.cross_entropy import IGNORED_LABEL
from codet5p.training.objectives.sequence_batch import SequenceBatch, sequence_loss, shift_right
from codet5p.training.objectives.task_tokens import TaskTokens

TOKENS = TaskTokens(clm=200, cls=201, match=202, tdec=203, cdec=204, eos=205, sentinels=tuple(range(210, 310)))


def tiny_config() -> CodeT5pConfig:
    shape = laptop(vocab_size=320, num_encoder_layers=1, num_decoder_layers=2)
    return replace(shape, width=32, num_heads=2, num_key_value_heads=1, head_dim=16, feed_forward_width=48)


@pytest.fixture
def model() -> CodeT5pModel:
    torch.manual_seed(0)
    return CodeT5pModel(tiny_config()).eval()


def split_batch() -> SequenceBatch:
    blocks = np.random.default_rng(0).integers(0, 200, (3, 40))
    return build_seq2seq_causal_lm(blocks, np.array([5, 20, 33]), TOKENS, SplitCausalLm())


def test_the_loss_equals_the_cross_entropy_of_the_logits(model: CodeT5pModel) -> None:
    batch = split_batch()
    logits = model(batch.source_ids_BS, batch.target_ids_BT, batch.source_mask_BS)
    expected = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), batch.labels_BT.flatten(), ignore_index=IGNORED_LABEL, reduction="sum"
    )
    torch.testing.assert_close(sequence_loss(model, batch), expected)


def test_a_scaled_head_is_scaled_in_the_loss_too() -> None:
    torch.manual_seed(0)
    model = CodeT5pModel(replace(tiny_config(), scale_head=True)).eval()
    batch = split_batch()
    logits = model(batch.source_ids_BS, batch.target_ids_BT, batch.source_mask_BS)
    expected = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), batch.labels_BT.flatten(), ignore_index=IGNORED_LABEL, reduction="sum"
    )
    torch.testing.assert_close(sequence_loss(model, batch), expected)


def test_a_decoder_alone_is_a_language_model_of_its_targets() -> None:
    torch.manual_seed(0)
    model = CodeT5pModel(replace(tiny_config(), num_encoder_layers=0, cross_attention_layers=())).eval()
    batch = build_decoder_only_causal_lm(np.arange(40).reshape(2, 20), TOKENS)
    logits = model.logits(model.decode(batch.target_ids_BT))
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.labels_BT.flatten(), reduction="sum")
    torch.testing.assert_close(sequence_loss(model, batch), expected)


def test_a_decoder_alone_keeps_packed_documents_apart_too() -> None:
    torch.manual_seed(0)
    model = CodeT5pModel(replace(tiny_config(), num_encoder_layers=0, cross_attention_layers=())).eval()
    eos = TOKENS.eos
    packed = build_decoder_only_causal_lm(np.array([[1, 2, eos, 3, 4, 5]]), TOKENS, separate_documents=True)
    first = build_decoder_only_causal_lm(np.array([[1, 2, eos]]), TOKENS)
    second = build_decoder_only_causal_lm(np.array([[3, 4, 5]]), TOKENS)
    torch.testing.assert_close(sequence_loss(model, packed), sequence_loss(model, first) + sequence_loss(model, second))


def test_a_model_that_knows_nothing_pays_the_log_of_the_vocabulary(model: CodeT5pModel) -> None:
    torch.nn.init.zeros_(model.token_embedding.weight)
    batch = build_decoder_only_causal_lm(np.arange(20).reshape(2, 10), TOKENS)
    assert sequence_loss(model, batch).item() / batch.num_labels == pytest.approx(math.log(320))


def test_the_sum_over_rows_is_the_sum_of_the_rows(model: CodeT5pModel) -> None:
    batch = split_batch()
    parts = sum(sequence_loss(model, batch.rows(row, row + 1)) for row in range(3))
    torch.testing.assert_close(torch.as_tensor(parts), sequence_loss(model, batch))


def test_packed_documents_cost_what_they_cost_alone(model: CodeT5pModel) -> None:
    eos = TOKENS.eos
    packed = build_decoder_only_causal_lm(np.array([[1, 2, eos, 3, 4, 5]]), TOKENS, separate_documents=True)
    first = build_decoder_only_causal_lm(np.array([[1, 2, eos]]), TOKENS)
    second = build_decoder_only_causal_lm(np.array([[3, 4, 5]]), TOKENS)
    alone = sequence_loss(model, first) + sequence_loss(model, second)
    torch.testing.assert_close(sequence_loss(model, packed), alone)


def test_every_trainable_part_that_the_objective_uses_gets_a_gradient(model: CodeT5pModel) -> None:
    sequence_loss(model, split_batch()).backward()
    unused = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert unused == {
        "matching_head.weight",
        "matching_head.bias",
        "text_code_projection.weight",
        "text_code_projection.bias",
    }


def test_counts_tell_labels_from_padding() -> None:
    batch = split_batch()
    assert batch.num_labels == 35 + 20 + 7
    assert batch.num_tokens == 3 * (37 + 36)


def test_shifting_right_hides_ignored_labels() -> None:
    assert shift_right(np.array([[7, IGNORED_LABEL, 9]]), start=5).tolist() == [[5, 7, 5]]


def test_moving_keeps_what_is_absent_absent() -> None:
    batch = build_decoder_only_causal_lm(np.array([[1, 2, 3]]), TOKENS).to(torch.device("cpu"))
    assert batch.source_mask_BS is None
    assert batch.labels_BT.tolist() == [[2, 3]]
