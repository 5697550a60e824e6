import pytest
import torch
from transformers.models.t5.modeling_t5 import T5Attention

from codet5p.model.relative_bias import RelativeBias, relative_buckets


def test_causal_buckets_are_exact_then_logarithmic_then_shared() -> None:
    distances = torch.tensor([0, 1, 15, 16, 31, 64, 127, 128, 1000])
    buckets = relative_buckets(-distances, num_buckets=32, max_distance=128, is_bidirectional=False)
    assert buckets.tolist() == [0, 1, 15, 16, 21, 26, 31, 31, 31]


def test_causal_buckets_do_not_look_ahead() -> None:
    buckets = relative_buckets(torch.tensor([1, 50]), num_buckets=32, max_distance=128, is_bidirectional=False)
    assert buckets.tolist() == [0, 0]


def test_bidirectional_buckets_spend_half_on_each_side() -> None:
    offsets = torch.tensor([-200, -3, 0, 3, 200])
    buckets = relative_buckets(offsets, num_buckets=32, max_distance=128, is_bidirectional=True)
    assert buckets.tolist() == [15, 3, 0, 19, 31]


@pytest.mark.parametrize("is_bidirectional", [False, True])
@pytest.mark.parametrize(("num_buckets", "max_distance"), [(32, 128), (8, 16), (64, 512)])
def test_buckets_equal_those_of_transformers(num_buckets: int, max_distance: int, is_bidirectional: bool) -> None:
    offsets = torch.arange(-700, 701)
    expected = T5Attention._relative_position_bucket(offsets, is_bidirectional, num_buckets, max_distance)
    ours = relative_buckets(
        offsets, num_buckets=num_buckets, max_distance=max_distance, is_bidirectional=is_bidirectional
    )
    assert torch.equal(ours, expected)


def test_the_bias_of_the_last_tokens_is_the_end_of_the_whole_bias() -> None:
    bias = RelativeBias(num_buckets=8, num_heads=2, max_distance=16, is_bidirectional=False)
    torch.nn.init.normal_(bias.weight, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(bias(3, 9), bias(9, 9)[:, :, -3:])
