import pytest
import torch

from codet5p.training.objectives.cross_entropy import IGNORED_LABEL
from codet5p.training.objectives.distillation import similarity_distillation_loss, summed_distillation_loss


def heads() -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    student = tuple(torch.randn(rows, 4, generator=generator, requires_grad=True) for rows in (6, 9))
    teacher = tuple(torch.randn(rows, 5, generator=generator) for rows in (6, 9))
    return student, teacher  # type: ignore[return-value]


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_value_and_gradient_are_those_of_soft_cross_entropy(chunk: int) -> None:
    student, teacher = heads()
    labels = torch.tensor([1, 2, IGNORED_LABEL, 3, 4, 5])
    loss = summed_distillation_loss(student, teacher, labels, chunk_positions=chunk)
    valid = labels != IGNORED_LABEL
    targets = (teacher[0] @ teacher[1].T).softmax(-1)[valid]
    plain = torch.nn.functional.cross_entropy((student[0] @ student[1].T)[valid], targets, reduction="sum")
    torch.testing.assert_close(loss, plain)
    torch.testing.assert_close(torch.autograd.grad(loss, student), torch.autograd.grad(plain, student))


def test_agreeing_with_the_teacher_costs_its_entropy_and_pulls_nowhere() -> None:
    _, teacher = heads()
    student = tuple(tensor.clone().requires_grad_() for tensor in teacher)
    loss = summed_distillation_loss(student, teacher, torch.zeros(6, dtype=torch.int64))  # type: ignore[arg-type]
    probabilities = (teacher[0] @ teacher[1].T).softmax(-1)
    torch.testing.assert_close(loss, -(probabilities * probabilities.log()).sum())
    gradient = torch.autograd.grad(loss, student)[0]
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-5, rtol=0)


def test_equal_similarities_cost_nothing_whatever_the_width() -> None:
    texts = torch.nn.functional.normalize(torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), dim=-1)
    rotated = torch.cat([texts, torch.zeros(5, 4)], dim=1)
    assert similarity_distillation_loss(texts, rotated).item() == pytest.approx(0, abs=1e-6)
    assert similarity_distillation_loss(texts, texts.flip(0)).item() > 0.1


def test_two_texts_have_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="at least three texts, got 2"):
        similarity_distillation_loss(torch.eye(2), torch.eye(2))
