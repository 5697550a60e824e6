import torch

from codet5p.training.state_compression import compress_state, expand_state


def test_first_moments_keep_a_percent_of_their_block_s_largest() -> None:
    value = torch.randn(100, 60, generator=torch.Generator().manual_seed(0))
    restored = expand_state(compress_state({"exp_avg": value}))["exp_avg"]
    assert (restored - value).abs().max() <= value.abs().max() / 127


def test_second_moments_keep_their_magnitude_over_many_orders() -> None:
    value = 10.0 ** torch.empty(8192).uniform_(-14, -2, generator=torch.Generator().manual_seed(0))
    restored = expand_state(compress_state({"exp_avg_sq": value}))["exp_avg_sq"]
    assert (restored / value).log().abs().max() < 0.06


def test_zeros_stay_zero() -> None:
    value = torch.zeros(5000)
    value[::2] = 1e-6
    restored = expand_state(compress_state({"exp_avg_sq": value, "exp_avg": value}))
    assert restored["exp_avg_sq"][1::2].abs().max() == 0
    assert restored["exp_avg"][1::2].abs().max() == 0


def test_small_tensors_and_numbers_are_left_alone() -> None:
    state = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(7)}}, "groups": [{"lr": 0.1}]}
    restored = expand_state(compress_state(state))
    assert restored["groups"] == [{"lr": 0.1}]
    assert restored["state"][0]["exp_avg"].equal(torch.ones(7))


def test_the_compressed_form_takes_a_quarter() -> None:
    packed = compress_state({"exp_avg": torch.randn(100_000)})["exp_avg"]
    size = packed["int8"].numel() + 4 * packed["scale"].numel()
    assert size < 0.27 * 4 * 100_000
