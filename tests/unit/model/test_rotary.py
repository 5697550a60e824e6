import math

import torch

from codet5p.model.rotary import halves_from_interleaved, positions_in_documents, rotary_rotation, rotate


def test_one_plane_turns_by_one_radian_per_token() -> None:
    positions_BT = torch.arange(3).unsqueeze(0)
    heads_BHTC = torch.tensor([1.0, 0.0]).expand(1, 1, 3, 2)
    rotated_BHTC = rotate(heads_BHTC, rotary_rotation(positions_BT, rotary_dim=2, base=10_000.0))
    expected_TC = torch.tensor([[math.cos(t), math.sin(t)] for t in range(3)])
    torch.testing.assert_close(rotated_BHTC[0, 0], expected_TC)


def test_later_planes_turn_more_slowly_and_the_halves_pair_up() -> None:
    rotation = rotary_rotation(torch.tensor([[5]]), rotary_dim=4, base=100.0)
    heads_BHTC = torch.tensor([1.0, 0.0, 0.0, 2.0]).view(1, 1, 1, 4)
    expected_C = torch.tensor([math.cos(5.0), -2 * math.sin(0.5), math.sin(5.0), 2 * math.cos(0.5)])
    torch.testing.assert_close(rotate(heads_BHTC, rotation).flatten(), expected_C)


def test_scores_depend_on_the_distance_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    query_BHTC, key_BHTC = torch.randn(2, 1, 1, 1, 8, generator=generator)

    def score(query_position: int, key_position: int) -> torch.Tensor:
        turned = [
            rotate(heads, rotary_rotation(torch.tensor([[position]]), rotary_dim=8, base=10_000.0))
            for heads, position in ((query_BHTC, query_position), (key_BHTC, key_position))
        ]
        return (turned[0] * turned[1]).sum()

    torch.testing.assert_close(score(7, 3), score(104, 100), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(score(7, 3), score(7, 4))


def test_channels_behind_the_rotated_ones_stay() -> None:
    heads_BHTC = torch.arange(6.0).view(1, 1, 1, 6)
    rotated_BHTC = rotate(heads_BHTC, rotary_rotation(torch.tensor([[9]]), rotary_dim=4, base=10_000.0))
    assert rotated_BHTC[..., 4:].tolist() == [[[[4.0, 5.0]]]]
    assert not torch.allclose(rotated_BHTC[..., :4], heads_BHTC[..., :4])


def test_rotation_keeps_the_dtype_and_is_computed_in_float32() -> None:
    rotation = rotary_rotation(torch.tensor([[4000]]), rotary_dim=2, base=10_000.0)
    heads_BHTC = torch.ones(1, 1, 1, 2, dtype=torch.bfloat16)
    exact_BHTC = rotate(heads_BHTC.float(), rotation)
    assert rotate(heads_BHTC, rotation).dtype == torch.bfloat16
    torch.testing.assert_close(rotate(heads_BHTC, rotation), exact_BHTC.bfloat16())


def test_positions_start_anew_with_each_document() -> None:
    documents_BT = torch.tensor([[3, 3, 3, 1, 1, 3], [0, 0, 0, 0, 0, 0]])
    assert positions_in_documents(documents_BT).tolist() == [[0, 1, 2, 0, 1, 0], [0, 1, 2, 3, 4, 5]]


def test_interleaved_weights_are_permuted_to_halves_and_the_rest_stays() -> None:
    weight_OD = torch.arange(12.0).unsqueeze(1)  # two heads of six rows, four of them rotated
    halves_OD = halves_from_interleaved(weight_OD, head_dim=6, rotary_dim=4)
    assert halves_OD.flatten().tolist() == [0, 2, 1, 3, 4, 5, 6, 8, 7, 9, 10, 11]
