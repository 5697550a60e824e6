import math

import pytest
import torch

from codet5p.training.objectives.contrastive import contrastive_loss, duplicate_mask

ONE = torch.tensor(1.0)


def test_orthogonal_pairs_give_the_closed_form() -> None:
    eye = torch.eye(2)
    loss = contrastive_loss(eye, eye, eye, eye, temperature=ONE)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_temperature_divides_the_similarities() -> None:
    eye = torch.eye(2)
    loss = contrastive_loss(eye, eye, eye, eye, temperature=torch.tensor(0.5))
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2)))


def test_a_queued_negative_raises_the_loss() -> None:
    eye, queued = torch.eye(3)[:2], torch.eye(3)
    loss = contrastive_loss(eye, eye, queued, queued, temperature=ONE)
    assert loss.item() == pytest.approx(math.log(1 + 2 * math.exp(-1)))


def test_a_masked_duplicate_counts_for_nothing() -> None:
    eye, queued = torch.eye(2), torch.cat([torch.eye(2), torch.eye(2)])
    ids = torch.tensor([[1, 2], [3, 4]])
    duplicates = duplicate_mask(ids, ids.repeat(2, 1))
    loss = contrastive_loss(eye, eye, queued, queued, temperature=ONE, duplicates_BN=duplicates)
    assert loss.item() == pytest.approx(math.log(1 + 2 * math.exp(-1)))  # each row keeps two strangers, loses its twin


def test_a_key_with_the_same_text_or_the_same_code_is_a_duplicate() -> None:
    mask = duplicate_mask(torch.tensor([[1, 10], [2, 20]]), torch.tensor([[1, 10], [2, 20], [1, 99], [98, 20], [7, 8]]))
    assert mask.tolist() == [[False, False, True, False, False], [False, False, False, True, False]]


def test_swapping_the_sides_changes_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    text, code = (torch.nn.functional.normalize(torch.randn(4, 8, generator=generator), dim=-1) for _ in range(2))
    forwards = contrastive_loss(text, code, text, code, temperature=ONE)
    backwards = contrastive_loss(code, text, code, text, temperature=ONE)
    assert forwards.item() == pytest.approx(backwards.item())


def test_gradients_agree_with_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    text, code, keys = (torch.randn(3, 4, generator=generator, dtype=torch.float64) for _ in range(3))
    temperature = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    text.requires_grad_()
    code.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda t, c, scale: contrastive_loss(t, c, keys, keys, temperature=scale), (text, code, temperature)
    )


def test_a_step_downhill_pulls_the_pair_together() -> None:
    text = torch.nn.functional.normalize(torch.tensor([[1.0, 0.2], [0.1, 1.0]]), dim=-1).requires_grad_()
    code = torch.eye(2)
    contrastive_loss(text, code, code, code, temperature=ONE).backward()
    assert text.grad is not None
    moved = torch.nn.functional.normalize(text.detach() - 0.1 * text.grad, dim=-1)
    assert ((moved * code).sum(-1) > (text.detach() * code).sum(-1)).all()


def test_sides_that_do_not_pair_up_are_refused() -> None:
    with pytest.raises(ValueError, match="text and code must pair up"):
        contrastive_loss(torch.eye(2), torch.eye(3), torch.eye(3), torch.eye(3), temperature=ONE)
