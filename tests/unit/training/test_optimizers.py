import pytest
import torch
from torch import nn

from codet5p.training.config import OptimizerRecipe
from codet5p.training.optimizers import Muon, build_optimizers, orthogonalise


def test_muon_steps_like_torch_s_own() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(8, 16, bias=False), nn.Linear(8, 16, bias=False)
    theirs.load_state_dict(ours.state_dict())
    start = ours.weight.detach().clone()
    settings = {"lr": 0.02, "momentum": 0.95, "weight_decay": 0.1}
    optimizers = [Muon(ours.parameters(), **settings), torch.optim.Muon(theirs.parameters(), **settings)]
    for step in range(5):
        inputs = torch.randn(4, 8, generator=torch.Generator().manual_seed(step))
        for module, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            module(inputs).square().sum().backward()
            optimizer.step()
    # Both orthogonalise in bfloat16, in another order of operations.
    assert (ours.weight - theirs.weight).norm() < 0.05 * (theirs.weight - start).norm()


@pytest.mark.parametrize("shape", [(2, 6, 4), (3, 4, 6), (1, 5, 5)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalise(matrices).float())
    assert values.min() > 0.3
    assert values.max() < 1.3


def test_a_matrix_steps_the_same_alone_and_among_others() -> None:
    matrices = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([orthogonalise(matrix.unsqueeze(0)) for matrix in matrices])
    torch.testing.assert_close(orthogonalise(matrices), alone, rtol=2e-2, atol=2e-2)


def test_muon_refuses_what_is_no_matrix() -> None:
    with pytest.raises(ValueError, match="Muon steps matrices only"):
        Muon([nn.Parameter(torch.zeros(3))], lr=0.1)


class _Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(5, 4)
        self.layer = nn.Linear(4, 4)
        self.norm = nn.RMSNorm(4)


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_only_the_matrices_of_layers_decay(kind: str) -> None:
    model = _Model()
    optimizers = build_optimizers(model, OptimizerRecipe(kind=kind, weight_decay=0.1))  # type: ignore[arg-type]
    decayed = [
        parameter
        for optimizer in optimizers
        for group in optimizer.param_groups
        if group["weight_decay"] > 0
        for parameter in group["params"]
    ]
    assert len(decayed) == 1
    assert decayed[0] is model.layer.weight
    trained = sum(len(group["params"]) for optimizer in optimizers for group in optimizer.param_groups)
    assert trained == len(list(model.parameters()))


def test_frozen_weights_are_in_no_optimizer() -> None:
    model = _Model()
    model.layer.requires_grad_(requires_grad=False)
    optimizers = build_optimizers(model, OptimizerRecipe())
    assert sum(len(group["params"]) for optimizer in optimizers for group in optimizer.param_groups) == 2
