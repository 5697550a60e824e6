import torch
from tiny_models import SHALLOW_DEEP, random_ids, random_model

from codet5p.model.attention import KeysValues
from codet5p.model.cache import KeyValueCache, LayerCache, source_keys_values


def keys_values(*values: float) -> KeysValues:
    tensor = torch.tensor(values).view(1, 1, -1, 1)
    return KeysValues(tensor, -tensor)


def test_a_layer_returns_all_tokens_so_far() -> None:
    cache = LayerCache()
    assert cache.extend(keys_values(1.0)).keys_BKSC.flatten().tolist() == [1.0]
    assert cache.extend(keys_values(2.0, 3.0)).values_BKSC.flatten().tolist() == [-1.0, -2.0, -3.0]


def test_the_number_of_tokens_grows_with_decoding() -> None:
    model, cache = random_model(SHALLOW_DEEP), KeyValueCache(SHALLOW_DEEP.num_decoder_layers)
    assert cache.num_tokens == 0
    model.decode(random_ids(1, 4), cache=cache)
    assert cache.num_tokens == 4


def test_selected_rows_go_on_as_if_decoded_in_that_order() -> None:
    model, cache = random_model(SHALLOW_DEEP), KeyValueCache(SHALLOW_DEEP.num_decoder_layers)
    states_BSD, prefix_BT, next_BT = model.encode(random_ids(3, 5)), random_ids(3, 4), random_ids(3, 1, seed=9)
    model.decode(prefix_BT, states_BSD, cache=cache)
    rows_B = torch.tensor([2, 2, 0])
    cache.select_rows(rows_B)
    stepped_BTD = model.decode(next_BT, states_BSD[rows_B], cache=cache)
    whole_BTD = model.decode(torch.cat((prefix_BT[rows_B], next_BT), dim=1), states_BSD[rows_B])
    torch.testing.assert_close(stepped_BTD, whole_BTD[:, -1:])


def test_the_source_is_projected_once_per_cache() -> None:
    attention = random_model(SHALLOW_DEEP).decoder.layers[0].cross_attention
    cache, states_BSD = LayerCache(), torch.randn(1, 3, 24, generator=torch.Generator().manual_seed(0))
    first = source_keys_values(attention, states_BSD, cache)
    assert source_keys_values(attention, states_BSD, cache) is first
    fresh = source_keys_values(attention, states_BSD, None)
    assert fresh is not first
    assert torch.equal(fresh.keys_BKSC, first.keys_BKSC)
