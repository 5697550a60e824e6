"""Which rows of several tables a step reads: shuffled anew each epoch, shares met exactly."""

from collections.abc import Iterator, Sequence
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
    """Tables laid end to end, read in an endless shuffled order in which each has its share.

    Blocks of `block` rows are of one table.
    """

    def __init__(self, sizes: Sequence[int], weights: Sequence[float], *, block: int = 1) -> None:
        self._block = block
        self._turns: list[tuple[int, int]] = []
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
        picked = [piece for source, own in self._dealt(numbers) for piece in self._pieces(source, own, key)]
        return np.concatenate(picked) if picked else np.empty(0, np.int64)

    def _dealt(self, numbers: range) -> Iterator[tuple[int, range]]:
        """Yield sources with ranges of their own row numbers."""
        size = self._block
        if size == 1:
            yield from enumerate(deal_rows(self._weights, numbers))
            return
        for block in range(numbers.start // size, -(-numbers.stop // size)):
            source, own = self._turn(block)
            first, last = max(numbers.start - block * size, 0), min(numbers.stop - block * size, size)
            yield source, range(own * size + first, own * size + last)

    def _turn(self, block: int) -> tuple[int, int]:
        """Return whose block number `block` is, and which of its own: the source furthest behind its share is next."""
        shares = np.asarray(self._weights, np.float64) / sum(self._weights)
        counts = np.bincount([source for source, _ in self._turns], minlength=len(shares))
        while len(self._turns) <= block:
            source = int((shares * (len(self._turns) + 1) - counts).argmax())
            self._turns.append((source, int(counts[source])))
            counts[source] += 1
        return self._turns[block]

    def _pieces(self, source: int, own: range, key: tuple[int, ...]) -> Iterator[IntArray]:
        """Yield the table rows of a source's own row numbers, epoch by epoch."""
        size = self._sizes[source]
        for epoch in range(own.start // size, -(-own.stop // size)):
            order = _epoch_order(size, (*key, source, epoch))
            first, last = max(own.start - epoch * size, 0), min(own.stop - epoch * size, size)
            yield self._offsets[source] + order[first:last]


@lru_cache(maxsize=16)
def _epoch_order(size: int, key: tuple[int, ...]) -> IntArray:
    return np.random.default_rng(key).permutation(size)
