"""Token healing: which tokens may come first, given bytes that they must start with.

A prompt that ends inside a word forces the model to continue from a token boundary that its training never showed
(`ret` + `urn` where the vocabulary has ` return`). The prompt therefore stops a token earlier, and the first token
generated must start with the bytes taken off.
"""

from bisect import bisect_left
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from codet5p.core.tokenizer import Tokenizer

__all__ = ["HealingTable"]

_MAX_PREFIXES = 256


class HealingTable:
    """Allowed first tokens for each prefix, found once and kept for the most recent prefixes."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._order = sorted(range(len(tokenizer.token_bytes)), key=tokenizer.token_bytes.__getitem__)
        self._sorted_bytes = [tokenizer.token_bytes[token_id] for token_id in self._order]
        self._recent: OrderedDict[bytes, NDArray[np.int64]] = OrderedDict()

    def allowed_ids(self, prefix: bytes) -> NDArray[np.int64]:
        """Return the ids of all tokens whose bytes start with `prefix`, int64 [N]; N may be 0."""
        if (known := self._recent.get(prefix)) is not None:
            self._recent.move_to_end(prefix)
            return known
        first = bisect_left(self._sorted_bytes, prefix)
        last = first
        while last < len(self._sorted_bytes) and self._sorted_bytes[last].startswith(prefix):
            last += 1
        allowed = np.array(self._order[first:last], dtype=np.int64)
        self._recent[prefix] = allowed
        if len(self._recent) > _MAX_PREFIXES:
            self._recent.popitem(last=False)
        return allowed
