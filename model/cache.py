"""The key-value cache: what decoding one token at a time need not compute again."""

from torch import Tensor

from codet5p.model.attention import Attention, KeysValues
from codet5p.model.rotary import Rotation

__all__ = ["KeyValueCache", "LayerCache", "source_keys_values"]


class LayerCache:
    """Keys and values of one decoder layer, empty at first."""

    def __init__(self) -> None:
        self.self_attention: KeysValues | None = None
        self.cross_attention: KeysValues | None = None

    def extend(self, later: KeysValues) -> KeysValues:
        """Store the self-attention keys and values of further tokens; return those of all tokens so far."""
        earlier = self.self_attention
        self.self_attention = later if earlier is None else earlier.followed_by(later)
        return self.self_attention


class KeyValueCache:
    """One `LayerCache` per decoder layer; grows with each decoded token."""

    def __init__(self, num_layers: int) -> None:
        self.layers = [LayerCache() for _ in range(num_layers)]

    @property
    def num_tokens(self) -> int:
        """Decoded tokens held, which is also the position of the next one."""
        first = self.layers[0].self_attention
        return 0 if first is None else first.keys_BKSC.size(2)

    def select_rows(self, rows_B: Tensor) -> None:
        """Keep the chosen batch rows, which may repeat: a beam search continues some beams and drops others."""
        for layer in self.layers:
            if layer.self_attention is not None:
                layer.self_attention = layer.self_attention.rows(rows_B)
            if layer.cross_attention is not None:
                layer.cross_attention = layer.cross_attention.rows(rows_B)


def source_keys_values(
    cross_attention: Attention, states_BSD: Tensor, cache: LayerCache | None, rotation: Rotation | None = None
) -> KeysValues:
    """Return the keys and values of the encoder states, computed once per cache."""
    if cache is None:
        return cross_attention.keys_values(states_BSD, rotation)
    if cache.cross_attention is None:
        cache.cross_attention = cross_attention.keys_values(states_BSD, rotation)
    return cache.cross_attention
