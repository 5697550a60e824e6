"""The vectors of one index in memory: int8 for the scores, one bit a number for finding where to look.

A stored vector is a float32 scale and int8 numbers; number times scale gives the original to about 1e-3 of a cosine.
Searching all of them exactly would read every byte at each query. So a first pass compares signs alone, one bit a
number, and only the nearest by that are scored; a small table skips the first pass. docs/experiments.md has it beside
exact search and usearch.

Shape legend: N vectors, E their width, W their 64-bit words of signs, K vectors looked at.
"""

import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["VectorTable", "pack", "unpack"]

_SCALE_BYTES = 4
_HASH_WORDS = 2
_LARGEST = 127
_ALL_BELOW = 4096
"""Up to so many vectors are scored without a first pass."""
_LOOKED_AT = 4096
"""Vectors that the first pass lets through, at least."""
_WIDENING = 8


def pack(vectors_NE: NDArray[np.float32]) -> list[bytes]:
    """Return each vector as it is stored: a little-endian float32 scale, then E int8 numbers."""
    scales_N = (np.abs(vectors_NE).max(axis=1) / _LARGEST).astype("<f4")
    codes_NE = np.rint(vectors_NE / np.where(scales_N > 0, scales_N, 1)[:, None]).astype(np.int8)
    return [scale.tobytes() + codes.tobytes() for scale, codes in zip(scales_N, codes_NE, strict=True)]


def unpack(stored: bytes) -> NDArray[np.float32]:
    """Return a stored vector, float32 [E]."""
    scale = np.frombuffer(stored, "<f4", 1)
    vector_E: NDArray[np.float32] = (np.frombuffer(stored, np.int8, offset=_SCALE_BYTES) * scale).astype(np.float32)
    return vector_E


class VectorTable:
    """All vectors of one model in one index, kept up to date by reading only what is new."""

    def __init__(self, model: str) -> None:
        """Create an empty table for the vectors of `model`."""
        self.model = model
        self._last_id = 0
        self._hashes_N2 = np.zeros((0, _HASH_WORDS), np.uint64)
        self._scales_N = np.zeros(0, np.float32)
        self._codes_NE = np.zeros((0, 0), np.int8)
        self._signs_NW = np.zeros((0, 0), np.uint64)
        self._order_N = np.zeros(0, np.int64)

    def __len__(self) -> int:
        """Return the number of vectors, those of vanished chunks included."""
        return len(self._scales_N)

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Take in the vectors that were stored since the last call."""
        rows = connection.execute(
            "SELECT id, content_hash, vector FROM vectors WHERE model = ? AND id > ? ORDER BY id",
            (self.model, self._last_id),
        ).fetchall()
        if not rows:
            return
        stored = np.frombuffer(b"".join(row[2] for row in rows), np.uint8).reshape(len(rows), -1)
        codes_NE = stored[:, _SCALE_BYTES:].view(np.int8)
        if not len(self):
            self._codes_NE, self._signs_NW = codes_NE[:0], _signs(codes_NE[:0])
        hashes = np.frombuffer(b"".join(row[1] for row in rows), np.uint64).reshape(-1, _HASH_WORDS)
        self._hashes_N2 = np.concatenate([self._hashes_N2, hashes])
        self._scales_N = np.concatenate([self._scales_N, stored[:, :_SCALE_BYTES].copy().view("<f4")[:, 0]])
        self._codes_NE = np.concatenate([self._codes_NE, codes_NE])
        self._signs_NW = np.concatenate([self._signs_NW, _signs(codes_NE)])
        self._order_N = np.argsort(self._hashes_N2[:, 0], kind="stable")
        self._last_id = rows[-1][0]

    def nearest(self, vector_E: NDArray[np.float32], count: int) -> Iterator[list[tuple[bytes, float]]]:
        """Yield content hashes with their cosines, the nearest first, in ever longer lists until all are in one.

        Args:
            vector_E: The query's vector, L2-normalised.
            count: Length of the first list.

        Yields:
            Lists of which each begins anew, so that whoever has to leave some out asks on.
        """
        distances_N = self._distances(vector_E)
        while True:
            rows_K = self._rows(distances_N, max(count, _LOOKED_AT))
            scores_K = self._scores(rows_K, vector_E)
            best = np.argsort(-scores_K, kind="stable")[:count]
            yield [(self._hashes_N2[rows_K[i]].tobytes(), float(scores_K[i])) for i in best]
            if count >= len(self):
                return
            count *= _WIDENING

    def similarities(self, vector_E: NDArray[np.float32], hashes: Sequence[bytes]) -> dict[bytes, float]:
        """Return the cosine of each content hash that has a vector."""
        rows = {content: row for content in hashes if (row := self._row_of(content)) is not None}
        scores = self._scores(np.fromiter(rows.values(), np.int64, len(rows)), vector_E)
        return dict(zip(rows, scores.tolist(), strict=True))

    def _distances(self, vector_E: NDArray[np.float32]) -> NDArray[np.uint16] | None:
        """Return the number of signs in which each vector differs from the query's; None where all are scored."""
        if len(self) <= _ALL_BELOW:
            return None
        differing_NW = np.bitwise_count(self._signs_NW ^ _signs(vector_E[None]))
        distances_N: NDArray[np.uint16] = differing_NW.sum(axis=1, dtype=np.uint16)
        return distances_N

    def _rows(self, distances_N: NDArray[np.uint16] | None, count: int) -> NDArray[np.int64]:
        if distances_N is None or count >= len(self):
            return np.arange(len(self))
        return np.argpartition(distances_N, count)[:count]

    def _scores(self, rows_K: NDArray[np.int64], vector_E: NDArray[np.float32]) -> NDArray[np.float32]:
        if not len(rows_K):
            return np.zeros(0, np.float32)
        scores_K: NDArray[np.float32] = (self._codes_NE[rows_K].astype(np.float32) @ vector_E) * self._scales_N[rows_K]
        return scores_K

    def _row_of(self, content: bytes) -> int | None:
        first, second = np.frombuffer(content, np.uint64)
        place = int(np.searchsorted(self._hashes_N2[:, 0], first, sorter=self._order_N))
        while place < len(self):
            row = int(self._order_N[place])
            if self._hashes_N2[row, 0] != first:
                return None
            if self._hashes_N2[row, 1] == second:
                return row
            place += 1
        return None


def _signs(values_NE: NDArray[np.int8] | NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return one bit a number, set above 0, in 64-bit words."""
    width = -(-values_NE.shape[1] // 64) * 8
    bits = np.packbits(values_NE > 0, axis=1)
    padded = np.zeros((len(values_NE), width), np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded.view(np.uint64)
