import pytest
import torch

from codet5p.model.attention_mask import causal_mask, visible_mask

CPU = torch.device("cpu")


def test_nothing_to_hide_leaves_the_fast_path() -> None:
    assert visible_mask(None, query_documents_BT=None, key_documents_BS=None) == (None, False)
    assert causal_mask(4, 4, None, CPU) == (None, True)


def test_a_single_new_token_sees_the_whole_cache() -> None:
    assert causal_mask(1, 5, None, CPU) == (None, False)


def test_new_tokens_behind_a_cache_see_it_and_each_other_in_order() -> None:
    mask = causal_mask(2, 4, None, CPU)
    assert mask.mask_BHTS.tolist() == [[True, True, True, False], [True, True, True, True]]
    assert not mask.is_causal


def test_padding_is_hidden_from_every_query() -> None:
    mask = visible_mask(torch.tensor([[True, False]]), query_documents_BT=None, key_documents_BS=None)
    assert mask.mask_BHTS.tolist() == [[[[True, False]]]]


def test_documents_see_the_real_tokens_of_their_own() -> None:
    mask = visible_mask(
        torch.tensor([[True, True, False]]),
        query_documents_BT=torch.tensor([[0, 1]]),
        key_documents_BS=torch.tensor([[0, 1, 1]]),
    )
    assert mask.mask_BHTS.tolist() == [[[[True, False, False], [False, True, False]]]]


def test_packed_targets_are_causal_inside_their_document() -> None:
    mask = causal_mask(3, 3, torch.tensor([[0, 0, 1]]), CPU)
    assert mask.mask_BHTS.tolist() == [[[[True, False, False], [True, True, False], [False, False, True]]]]


def test_a_bias_is_added_where_the_mask_allows() -> None:
    infinite = float("-inf")
    biased = causal_mask(2, 2, None, CPU).with_bias(torch.full((1, 1, 2, 2), 0.5))
    assert biased.mask_BHTS.tolist() == [[[[0.5, infinite], [0.5, 0.5]]]]
    assert not biased.is_causal


def test_documents_on_one_side_only_are_refused() -> None:
    with pytest.raises(ValueError, match="named on both sides of an attention, or on neither"):
        visible_mask(None, query_documents_BT=torch.zeros(1, 2), key_documents_BS=None)
