from dataclasses import replace

import pytest
import torch

from codet5p.model.config import laptop
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.momentum import KeyQueue, MomentumEncoder
from codet5p.training.pair_losses import Keys
from codet5p.training.pair_table import PairBatch


def tiny_model() -> CodeT5pModel:
    shape = laptop(vocab_size=64, num_encoder_layers=1, num_decoder_layers=1)
    torch.manual_seed(0)
    return CodeT5pModel(
        replace(shape, width=16, num_heads=2, num_key_value_heads=1, head_dim=8, feed_forward_width=24, embedding_dim=8)
    )


def pairs(first: int, count: int = 2) -> PairBatch:
    text = torch.arange(first, first + count).unsqueeze(1).repeat(1, 3) % 60
    return PairBatch(
        text_ids_BS=text,
        text_mask_BS=torch.ones_like(text, dtype=torch.bool),
        code_ids_BT=text + 1,
        code_mask_BT=torch.ones_like(text, dtype=torch.bool),
        content_ids_B2=torch.arange(first, first + count).unsqueeze(1).repeat(1, 2),
    )


def queue(size: int = 4) -> KeyQueue:
    return KeyQueue(size, embedding_dim=8, max_text_tokens=4, max_code_tokens=5, device=torch.device("cpu"))


def test_momentum_weights_follow_at_the_decay() -> None:
    model = tiny_model()
    momentum = MomentumEncoder(model)
    before = momentum.model.text_code_projection.weight.clone()  # type: ignore[union-attr]
    with torch.no_grad():
        model.text_code_projection.weight.add_(1.0)  # type: ignore[union-attr]
    momentum.update(model, 0.9)
    torch.testing.assert_close(momentum.model.text_code_projection.weight, before + 0.1)  # type: ignore[union-attr]
    assert not any(parameter.requires_grad for parameter in momentum.model.parameters())


def test_fresh_momentum_keys_are_the_model_s_embeddings() -> None:
    model = tiny_model().eval()
    batch = pairs(0)
    text, _ = MomentumEncoder(model).keys(batch)
    torch.testing.assert_close(text, model.embed(model.encode(batch.text_ids_BS, batch.text_mask_BS)))


def test_the_queue_overwrites_its_oldest_rows() -> None:
    momentum, kept = MomentumEncoder(tiny_model()), queue(4)
    for first in (0, 2, 4):
        batch = pairs(first)
        kept.enqueue(kept.columns(batch, *momentum.keys(batch)))
    assert kept["content_ids_Q2"][:, 0].tolist() == [4, 5, 2, 3]
    assert (kept.filled, kept.next_place) == (4, 2)


def test_only_the_filled_part_is_read() -> None:
    momentum, kept, batch = MomentumEncoder(tiny_model()), queue(4), pairs(0)
    assert len(kept["text_keys_QE"]) == 0
    kept.enqueue(kept.columns(batch, *momentum.keys(batch)))
    assert kept["text_keys_QE"].shape == (2, 8)


def test_rows_that_do_not_divide_the_queue_are_refused() -> None:
    momentum, kept, batch = MomentumEncoder(tiny_model()), queue(4), pairs(0, 3)
    with pytest.raises(ValueError, match="a queue of 4 cannot take 3 rows"):
        kept.enqueue(kept.columns(batch, *momentum.keys(batch)))


def test_keys_give_back_the_tokens_behind_them() -> None:
    momentum, kept, first, second = MomentumEncoder(tiny_model()), queue(4), pairs(10), pairs(20)
    kept.enqueue(kept.columns(first, *momentum.keys(first)))
    keys = Keys(second, kept.columns(second, *momentum.keys(second)), kept)
    ids, mask = keys.tokens("code", torch.tensor([1, 2]))
    assert ids.tolist() == [second.code_ids_BT[1].tolist(), first.code_ids_BT[0].tolist()]
    assert mask.all()


def test_kept_widths_are_those_of_the_queue() -> None:
    momentum, kept, batch = MomentumEncoder(tiny_model()), queue(4), pairs(10)
    keys = Keys(batch, kept.columns(batch, *momentum.keys(batch)), kept, keep_width=True)
    ids, mask = keys.tokens("code", torch.tensor([0, 1]))
    assert ids.shape == (2, 5)
    assert mask.sum(1).tolist() == [3, 3]


def test_a_pair_and_its_copies_in_the_queue_are_excluded() -> None:
    momentum, kept, batch = MomentumEncoder(tiny_model()), queue(4), pairs(10)
    columns = kept.columns(batch, *momentum.keys(batch))
    kept.enqueue(columns)
    keys = Keys(batch, columns, kept)
    assert keys.duplicates_BN.tolist() == [[False, False, True, False], [False, False, False, True]]
    assert keys.excluded().tolist() == [[True, False, True, False], [False, True, False, True]]


def test_a_restored_queue_is_the_saved_one() -> None:
    momentum, kept, other, batch = MomentumEncoder(tiny_model()), queue(), queue(), pairs(7)
    kept.enqueue(kept.columns(batch, *momentum.keys(batch)))
    other.load_state_dict(kept.state_dict())
    assert (other.filled, other.next_place) == (kept.filled, kept.next_place)
    assert other["text_keys_QE"].equal(kept["text_keys_QE"])
