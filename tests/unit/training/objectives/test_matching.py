import math

import pytest
import torch

from codet5p.training.objectives.matching import hard_negatives, matching_decoder_input, matching_loss, state_at_end
from codet5p.training.objectives.task_tokens import TaskTokens

TOKENS = TaskTokens(clm=200, cls=201, match=202, tdec=203, cdec=204, eos=205, sentinels=tuple(range(210, 310)))


def test_negatives_follow_the_softmax_of_the_similarity() -> None:
    similarity = torch.tensor([0.0, 1.0, 2.0, 5.0]).repeat(40_000, 1)
    excluded = torch.tensor([False, False, False, True]).repeat(40_000, 1)
    drawn = hard_negatives(similarity, excluded, torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    weights = torch.tensor([1.0, math.e, math.e**2, 0.0])
    assert shares.tolist() == pytest.approx((weights / weights.sum()).tolist(), abs=0.01)


def test_excluded_keys_are_never_drawn() -> None:
    excluded = torch.eye(5, dtype=torch.bool)
    for seed in range(20):
        drawn = hard_negatives(100 * torch.eye(5), excluded, torch.Generator().manual_seed(seed))
        assert not (drawn == torch.arange(5)).any()


def test_a_row_with_nothing_to_draw_still_gets_a_key() -> None:
    drawn = hard_negatives(torch.zeros(1, 3), torch.ones(1, 3, dtype=torch.bool), torch.Generator().manual_seed(0))
    assert 0 <= drawn.item() < 3


def test_the_decoder_reads_match_and_code_between_two_eos() -> None:
    ids = torch.tensor([[201, 7, 8], [201, 9, 0]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    decoder_input, ends = matching_decoder_input(ids, mask, TOKENS)
    assert decoder_input.tolist() == [[205, 202, 7, 8, 205], [205, 202, 9, 205, 205]]
    assert ends.tolist() == [4, 3]
    assert ids.tolist() == [[201, 7, 8], [201, 9, 0]], "arguments are not edited"


def test_the_judged_state_is_the_one_at_the_end() -> None:
    hidden = torch.arange(8.0).reshape(2, 4, 1)
    assert state_at_end(hidden, torch.tensor([3, 2])).tolist() == [[3.0], [6.0]]


def test_the_loss_of_an_undecided_head_is_log_two() -> None:
    loss = matching_loss(torch.zeros(6, 2), torch.tensor([True, True, False, False, False, False]))
    assert loss.item() == pytest.approx(math.log(2))


def test_the_loss_is_minus_the_log_probability_of_the_right_class() -> None:
    loss = matching_loss(torch.tensor([[0.0, 2.0], [0.0, 2.0]]), torch.tensor([True, False]))
    assert loss.item() == pytest.approx((math.log(1 + math.exp(-2)) + math.log(1 + math.exp(2))) / 2)


def test_gradients_agree_with_finite_differences() -> None:
    logits = torch.randn(4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float32, requires_grad=True)
    labels = torch.tensor([True, False, False, True])
    matching_loss(logits, labels).backward()
    expected = (logits.detach().softmax(-1) - torch.nn.functional.one_hot(labels.long(), 2)) / 4
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, expected)
