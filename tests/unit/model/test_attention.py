import math

import pytest
import torch

from codet5p.model.attention import Attention, KeysValues
from codet5p.model.attention_mask import AttentionMask


def small_attention(num_key_value_heads: int, *, is_scaled: bool = True) -> Attention:
    attention = Attention(
        width=6,
        num_heads=4,
        num_key_value_heads=num_key_value_heads,
        head_dim=2,
        is_scaled=is_scaled,
        dropout=0.0,
    )
    generator = torch.Generator().manual_seed(0)
    for weight in attention.parameters():
        torch.nn.init.normal_(weight, generator=generator)
    return attention


def attend_head_by_head(
    attention: Attention, hidden_TD: torch.Tensor, visible_TT: torch.Tensor, scale: float
) -> torch.Tensor:
    """Return attention as its definition has it, one query head at a time."""
    group_size = 4 // (attention.key.out_features // 2)
    gathered = []
    for head in range(4):
        shared = head // group_size
        queries_TC = hidden_TD @ attention.query.weight[2 * head : 2 * head + 2].T
        keys_TC = hidden_TD @ attention.key.weight[2 * shared : 2 * shared + 2].T
        values_TC = hidden_TD @ attention.value.weight[2 * shared : 2 * shared + 2].T
        scores_TT = (queries_TC @ keys_TC.T * scale).masked_fill(~visible_TT, float("-inf"))
        gathered.append(scores_TT.softmax(dim=-1) @ values_TC)
    return torch.cat(gathered, dim=-1) @ attention.output.weight.T


@pytest.mark.parametrize("num_key_value_heads", [1, 2, 4])
@pytest.mark.parametrize("has_mask", [False, True], ids=["fast", "masked"])
def test_attention_equals_its_definition(num_key_value_heads: int, has_mask: bool) -> None:
    attention = small_attention(num_key_value_heads)
    hidden_BTD = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(1))
    visible_TT = torch.ones(5, 5, dtype=torch.bool).tril()
    mask = AttentionMask(visible_TT, is_causal=False) if has_mask else AttentionMask(None, is_causal=True)
    ours_BTD = attention(hidden_BTD, attention.keys_values(hidden_BTD), mask)
    expected_TD = attend_head_by_head(attention, hidden_BTD[0], visible_TT, 1 / math.sqrt(2))
    torch.testing.assert_close(ours_BTD[0], expected_TD)


def test_unscaled_attention_leaves_the_scores_as_they_are() -> None:
    attention = small_attention(4, is_scaled=False)
    hidden_BTD = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(1))
    ours_BTD = attention(hidden_BTD, attention.keys_values(hidden_BTD), AttentionMask(None, is_causal=False))
    everything_TT = torch.ones(5, 5, dtype=torch.bool)
    torch.testing.assert_close(ours_BTD[0], attend_head_by_head(attention, hidden_BTD[0], everything_TT, 1.0))


def test_a_query_that_sees_nothing_gathers_zeros() -> None:
    attention = small_attention(2)
    hidden_BTD = torch.randn(1, 2, 6, generator=torch.Generator().manual_seed(1))
    visible_TT = torch.tensor([[False, False], [True, True]])
    mask = AttentionMask(visible_TT, is_causal=False)
    gathered_BTD = attention(hidden_BTD, attention.keys_values(hidden_BTD), mask)
    assert gathered_BTD[0, 0].tolist() == [0.0] * 6
    assert gathered_BTD[0, 1].abs().min() > 0


def test_keys_and_values_join_in_time_and_are_chosen_by_row() -> None:
    earlier, later = (KeysValues(torch.full((2, 1, 1, 1), v), torch.full((2, 1, 1, 1), -v)) for v in (1.0, 2.0))
    joined = earlier.followed_by(later)
    assert joined.keys_BKSC.flatten(1).tolist() == [[1.0, 2.0], [1.0, 2.0]]
    assert joined.values_BKSC.flatten(1).tolist() == [[-1.0, -2.0], [-1.0, -2.0]]
    distinct = KeysValues(torch.tensor([1.0, 2.0]).view(2, 1, 1, 1), torch.tensor([3.0, 4.0]).view(2, 1, 1, 1))
    chosen = distinct.rows(torch.tensor([1, 1, 0]))
    assert chosen.keys_BKSC.flatten().tolist() == [2.0, 2.0, 1.0]
    assert chosen.values_BKSC.flatten().tolist() == [4.0, 4.0, 3.0]
