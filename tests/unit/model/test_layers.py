import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from tiny_models import SHALLOW_DEEP, T5

from codet5p.model.attention_mask import AttentionMask
from codet5p.model.layers import DecoderLayer, EncoderLayer, FeedForward

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
