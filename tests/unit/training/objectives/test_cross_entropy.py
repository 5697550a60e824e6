import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from codet5p.training.objectives.cross_entropy import IGNORED_LABEL, linear_cross_entropy


def inputs(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(7, 5, generator=generator, dtype=dtype, requires_grad=True)
    weight = torch.randn(11, 5, generator=generator, dtype=dtype, requires_grad=True)
    return hidden, weight, torch.tensor([0, 3, IGNORED_LABEL, 10, 2, IGNORED_LABEL, 5])


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_value_and_gradients_equal_those_of_plain_torch(chunk: int) -> None:
    hidden, weight, labels = inputs(torch.float32)
    loss = linear_cross_entropy(hidden, weight, labels, chunk_positions=chunk)
    gradients = torch.autograd.grad(2 * loss, (hidden, weight))
    plain = F.cross_entropy(hidden @ weight.T, labels, ignore_index=IGNORED_LABEL, reduction="sum")
    expected = torch.autograd.grad(2 * plain, (hidden, weight))
    torch.testing.assert_close(loss, plain)
    torch.testing.assert_close(gradients, expected)


def test_a_frozen_head_still_passes_the_gradient_on() -> None:
    hidden, weight, labels = inputs(torch.float32)
    linear_cross_entropy(hidden, weight.detach(), labels).backward()
    assert hidden.grad is not None
    assert hidden.grad[2].abs().sum() == 0
    assert hidden.grad[0].abs().sum() > 0


def test_nothing_to_predict_costs_nothing() -> None:
    hidden, weight, labels = inputs(torch.float32)
    loss = linear_cross_entropy(hidden, weight, torch.full_like(labels, IGNORED_LABEL))
    assert loss.item() == 0


def test_labels_must_match_the_hidden_states() -> None:
    hidden, weight, labels = inputs()
    with pytest.raises(ValueError, match=r"\(7, 5\) hidden states need as many labels, got \(6,\)"):
        linear_cross_entropy(hidden, weight, labels[:6])
