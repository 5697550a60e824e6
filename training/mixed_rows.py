"""Which rows of several tables a step reads: shuffled anew each epoch, shares met exactly."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["MixedRows", "deal_rows"]

IntArray = NDArray[np.int64]


def deal_rows(weights: Sequence[float], rows: range) -> list[range]:
    """Return which rows of each source the rows number `rows` of the mixture are.

    Shares are met exactly over time, without chance. The heaviest source takes what rounding leaves over.

    Args:
        weights: One for each source.
        rows: Row numbers of the mixture.

    Returns:
        A range of row numbers for each source; their lengths add up.
    """
    shares = np.asarray(weights, np.float64) / sum(weights)
    heaviest = int(shares.argmax())

    def dealt_before(row: int) -> IntArray:
        counts = np.floor(shares * row + 1e-9).astype(np.int64)
        counts[heaviest] = row - (counts.sum() - counts[heaviest])
        return counts

    return [range(int(a), int(b)) for a, b in zip(dealt_before(rows.start), dealt_before(rows.stop), strict=True)]


class MixedRows:
    """Tables laid end to end, read in an endless shuffled order in which each has its share."""

    def __init__(self, sizes: Sequence[int], weights: Sequence[float]) -> None:
        self._sizes = tuple(sizes)
        self._weights = tuple(weights)
        self._offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])

    def rows(self, numbers: range, key: tuple[int, ...]) -> IntArray:
        """Return the table rows that the rows number `numbers` of the mixture are.

        Args:
            numbers: Row numbers from 0 on; one epoch of a table is over when each of its rows was read once.
            key: Seeds the order.

        Returns:
            int64, rows of the joined tables.
        """
        picked = []
        for source, own in enumerate(deal_rows(self._weights, numbers)):
            size = self._sizes[source]
            for epoch in range(own.start // size, -(-own.stop // size)):
                order = _epoch_order(size, (*key, source, epoch))
                first, last = max(own.start - epoch * size, 0), min(own.stop - epoch * size, size)
                picked.append(self._offsets[source] + order[first:last])
        return np.concatenate(picked) if picked else np.empty(0, np.int64)


@lru_cache(maxsize=16)
def _epoch_order(size: int, key: tuple[int, ...]) -> IntArray:
    return np.random.default_rng(key).permutation(size)
