from dataclasses import replace

import pytest
import torch
from tiny_models import SHALLOW_DEEP, T5

from codet5p.model.config import CodeT5pConfig
from codet5p.model.initialisation import initialise_weights
from codet5p.model.transformer import CodeT5pModel

WIDTH, HEAD_DIM, INNER = 256, 64, 512


def widened(config: CodeT5pConfig) -> CodeT5pConfig:
    return replace(
        config,
        vocab_size=2000,
        width=WIDTH,
        head_dim=HEAD_DIM,
        feed_forward_width=INNER,
        relative_buckets=512,
        relative_max_distance=1024,
    )


@pytest.mark.parametrize(
    ("config", "name", "expected"),
    [
        (SHALLOW_DEEP, "token_embedding.weight", WIDTH**-0.5),
        (T5, "token_embedding.weight", 1.0),
        (replace(SHALLOW_DEEP, tie_head=False), "token_embedding.weight", 1.0),
        (replace(SHALLOW_DEEP, tie_head=False), "lm_head.weight", WIDTH**-0.5),
        (SHALLOW_DEEP, "decoder.layers.0.self_attention.query.weight", WIDTH**-0.5),
        (T5, "decoder.layers.0.cross_attention.query.weight", (WIDTH * HEAD_DIM) ** -0.5),
        (T5, "encoder.layers.0.self_attention.key.weight", WIDTH**-0.5),
        (T5, "encoder.layers.0.self_attention.output.weight", (4 * HEAD_DIM) ** -0.5),
        (T5, "encoder.layers.0.feed_forward.output.weight", INNER**-0.5),
        (T5, "encoder.relative_bias.weight", WIDTH**-0.5),
    ],
)
def test_weights_have_the_standard_deviation_of_the_table(config: CodeT5pConfig, name: str, expected: float) -> None:
    model = CodeT5pModel(widened(config))
    initialise_weights(model, torch.Generator().manual_seed(0))
    weight = model.state_dict()[name]
    assert weight.std().item() == pytest.approx(expected, rel=0.05)
    assert weight.mean().item() == pytest.approx(0.0, abs=0.1 * expected)


def test_norms_begin_at_one_and_biases_at_zero() -> None:
    weights = CodeT5pModel(SHALLOW_DEEP).state_dict()
    assert all((weight == 1).all() for name, weight in weights.items() if "norm" in name)
    assert all((weight == 0).all() for name, weight in weights.items() if name.endswith(".bias"))


def test_a_generator_decides_every_weight() -> None:
    first, second = CodeT5pModel(T5), CodeT5pModel(T5)
    for model in (first, second):
        initialise_weights(model, torch.Generator().manual_seed(7))
    assert all(torch.equal(weight, second.state_dict()[name]) for name, weight in first.state_dict().items())


def test_first_logits_have_about_unit_variance() -> None:
    for config in (SHALLOW_DEEP, T5):
        model = CodeT5pModel(widened(config)).eval()
        initialise_weights(model, torch.Generator().manual_seed(0))
        ids = torch.arange(50).unsqueeze(0)
        assert model(ids, ids).std().item() == pytest.approx(1.0, rel=0.25)
