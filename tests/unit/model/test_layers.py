import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from tiny_models import SHALLOW_DEEP, T5, random_model

from codet5p.model.attention_mask import AttentionMask, causal_mask
from codet5p.model.config import CodeT5pConfig
from codet5p.model.layers import DecoderLayer, EncoderLayer, FeedForward
from codet5p.model.rotary import rotary_rotation

EVERYTHING = AttentionMask(None, is_causal=False)


def hidden() -> torch.Tensor:
    return torch.randn(1, 3, 24, generator=torch.Generator().manual_seed(0))


def test_swiglu_gates_the_input_projection() -> None:
    network = FeedForward(SHALLOW_DEEP)
    expected = (
        F.silu(hidden() @ network.gate.weight.T) * (hidden() @ network.input.weight.T)
    ) @ network.output.weight.T
    torch.testing.assert_close(network(hidden()), expected)


def test_relu_needs_no_gate() -> None:
    network = FeedForward(T5)
    assert network.gate is None
    expected = F.relu(hidden() @ network.input.weight.T) @ network.output.weight.T
    torch.testing.assert_close(network(hidden()), expected)


def test_a_layer_whose_outputs_are_zero_passes_the_residual_stream_on() -> None:
    layer = EncoderLayer(T5)
    torch.nn.init.zeros_(layer.self_attention.output.weight)
    torch.nn.init.zeros_(layer.feed_forward.output.weight)
    torch.testing.assert_close(layer(hidden(), EVERYTHING, None), hidden())


def test_cross_attention_stands_between_self_attention_and_feed_forward() -> None:
    layer = DecoderLayer(T5, has_cross_attention=True)
    states = hidden().flip(1)
    ours = layer(hidden(), EVERYTHING, None, states_BSD=states, cross_mask=EVERYTHING, cache=None)

    normed = layer.self_attention_norm(hidden())
    expected = hidden() + layer.self_attention(normed, layer.self_attention.keys_values(normed), EVERYTHING)
    normed = layer.cross_attention_norm(expected)
    expected = expected + layer.cross_attention(normed, layer.cross_attention.keys_values(states), EVERYTHING)
    expected = expected + layer.feed_forward(layer.feed_forward_norm(expected))
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("config", [SHALLOW_DEEP, T5], ids=["shallow-deep", "t5"])
def test_a_single_source_state_gives_every_token_the_same_as_attention_would(config: CodeT5pConfig) -> None:
    layer = random_model(config).decoder.layers[0]  # type: ignore[union-attr]
    assert isinstance(layer, DecoderLayer)
    generator = torch.Generator().manual_seed(0)
    hidden_BTD = torch.randn(3, 5, config.width, generator=generator)
    states_B1D = torch.randn(3, 1, config.width, generator=generator)
    attention = layer.cross_attention
    expected_BTD = attention(layer.cross_attention_norm(hidden_BTD), attention.keys_values(states_B1D), EVERYTHING)
    torch.testing.assert_close(attention.of_one_key(states_B1D).expand(3, 5, -1), expected_BTD)
    queried = []
    attention.query.register_forward_hook(lambda *_: queried.append(1))
    rotation = None
    if config.position == "rotary":
        rotation = rotary_rotation(torch.arange(5).unsqueeze(0), rotary_dim=config.head_dim, base=config.rope_base)
    causal = causal_mask(5, 5, None, torch.device("cpu"))
    layer(hidden_BTD, causal, rotation, states_BSD=states_B1D, cross_mask=EVERYTHING, cache=None)
    assert not queried, "nothing is asked"
    layer.train()
    layer.dropout.p = 0.5
    layer(hidden_BTD, causal, rotation, states_BSD=states_B1D, cross_mask=EVERYTHING, cache=None)
    assert queried, "dropout treats each token apart"
