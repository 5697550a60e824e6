"""T5's relative attention bias: a learned number per head and distance, added to the attention scores.

Shape legend: H heads, T queries, S keys.

Source: T5 (arXiv 1910.10683) section 2.1; the buckets are those of mesh-tensorflow and transformers.
"""

import math

import torch
from torch import Tensor, nn

__all__ = ["RelativeBias", "relative_buckets"]


class RelativeBias(nn.Module):
    """The bias of one side of the model, shared by all of its self-attention layers.

    Encoder buckets tell past from future, half of them each; decoder buckets are all spent on the past.
    """

    def __init__(self, *, num_buckets: int, num_heads: int, max_distance: int, is_bidirectional: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_buckets, num_heads))
        self.max_distance = max_distance
        self.is_bidirectional = is_bidirectional

    def forward(self, query_length: int, key_length: int) -> Tensor:
        """Return the bias [1, H, T, S] of the last `query_length` of `key_length` tokens to all of them."""
        keys_S = torch.arange(key_length, device=self.weight.device)
        queries_T = keys_S[key_length - query_length :]
        buckets_TS = relative_buckets(
            keys_S - queries_T.unsqueeze(1),
            num_buckets=self.weight.size(0),
            max_distance=self.max_distance,
            is_bidirectional=self.is_bidirectional,
        )
        return self.weight[buckets_TS].permute(2, 0, 1).unsqueeze(0)


def relative_buckets(offsets: Tensor, *, num_buckets: int, max_distance: int, is_bidirectional: bool) -> Tensor:
    """Return the bucket of each offset: exact for short distances, logarithmic up to `max_distance`, then the last.

    Args:
        offsets: Key position minus query position, integers of any shape.
        num_buckets: Even; with `is_bidirectional` the upper half is for keys behind the query.
        max_distance: Distances from here on share the last bucket.
        is_bidirectional: Whether keys behind the query count; where not, they all fall into bucket 0.

    Returns:
        Bucket numbers below `num_buckets`, of the same shape.
    """
    if is_bidirectional:
        num_buckets //= 2
        first_bucket = (offsets > 0) * num_buckets
        distances = offsets.abs()
    else:
        first_bucket = torch.zeros_like(offsets)
        distances = (-offsets).clamp(min=0)
    num_exact = num_buckets // 2
    octaves = (distances.clamp(min=1).float() / num_exact).log() / math.log(max_distance / num_exact)
    logarithmic = (num_exact + (octaves * (num_buckets - num_exact)).long()).clamp(max=num_buckets - 1)
    return first_bucket + torch.where(distances < num_exact, distances, logarithmic)
