from dataclasses import replace

import numpy as np
import pytest
import torch
from small_artifact import SMALL, SMALL_DECODER, random_weights

from codet5p.core.model_config import CodeT5pConfig
from codet5p.export.folding import folded_biases
from codet5p.model.checkpoint import assign_weights
from codet5p.model.transformer import CodeT5pModel

CLM_ID = 7


def torch_model(config: CodeT5pConfig) -> tuple[CodeT5pModel, dict[str, np.ndarray]]:
    weights = random_weights(config)
    model = CodeT5pModel(config)
    assign_weights(model, {name: torch.from_numpy(weight) for name, weight in weights.items()})
    return model.eval(), weights


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, activation="relu", num_key_value_heads=4)])
def test_the_constants_are_what_cross_attention_adds_in_the_torch_model(config: CodeT5pConfig) -> None:
    model, weights = torch_model(config)
    added: dict[int, torch.Tensor] = {}
    for layer in config.cross_attention_layers:
        attention = model.decoder.layers[layer].cross_attention
        attention.register_forward_hook(lambda _, __, output, layer=layer: added.update({layer: output}))
    with torch.no_grad():
        states = model.encode(torch.tensor([[CLM_ID]]))
        every_key = torch.ones(1, 1, dtype=torch.bool)  # a mask, or the model would take the same shortcut
        model.decode(torch.tensor([[3, 5, 9, 11]]), states, every_key)
    biases = folded_biases(config, weights, CLM_ID)
    assert biases.keys() == set(config.cross_attention_layers) == added.keys()
    for layer, bias in biases.items():
        output = added[layer][0] if isinstance(added[layer], tuple) else added[layer]
        assert np.abs(bias).max() > 0.01
        for position in range(4):
            np.testing.assert_allclose(output.reshape(4, -1)[position].numpy(), bias, atol=1e-5)


def test_another_token_gives_other_constants() -> None:
    weights = random_weights(SMALL)
    assert not np.allclose(folded_biases(SMALL, weights, 1)[0], folded_biases(SMALL, weights, 2)[0])


def test_without_cross_attention_there_is_nothing_to_fold() -> None:
    assert folded_biases(SMALL_DECODER, random_weights(SMALL_DECODER), CLM_ID) == {}


def test_a_missing_weight_is_named() -> None:
    weights = random_weights(SMALL)
    del weights["decoder.layers.2.cross_attention.value.weight"]
    with pytest.raises(KeyError, match=r"decoder\.layers\.2\.cross_attention\.value\.weight"):
        folded_biases(SMALL, weights, CLM_ID)
