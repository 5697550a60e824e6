"""Near duplicates: MinHash signatures, and the search for earlier documents that resemble a new one.

Source: Broder, On the resemblance and containment of documents (1997); banding as in Leskovec et al., Mining of Massive
Datasets, section 3.4. Vectorised over shingles and permutations, so that signing a document costs no Python loop; a
test compares the estimate with the exact Jaccard similarity.

Shape legend: P permutations, S shingles of a document, B bands.
"""

import numpy as np
from numpy.typing import NDArray

from codet5p.training.corpus.config import DeduplicationConfig
from codet5p.training.corpus.hashing import run_hashes

__all__ = ["NearDuplicateIndex", "minhash_signature"]

_SEED = 0x5EED
_CHUNK_SHINGLES = 4096


def minhash_signature(hashes: NDArray[np.uint64], config: DeduplicationConfig) -> NDArray[np.uint32]:
    """Return the MinHash signature of the set of shingles of a document.

    Args:
        hashes: `token_hashes` of the document, at least one.
        config: Shingle length and number of permutations.

    Returns:
        signature_P, uint32; the share of equal entries of two signatures estimates the Jaccard similarity.
    """
    shingles_S = run_hashes(hashes, min(config.shingle_tokens, hashes.size))
    shingles_S = np.unique(shingles_S >> np.uint64(32))
    with np.errstate(over="ignore"):
        multipliers_P, offsets_P = _permutations(config.permutations)
        signature_P = np.full(config.permutations, np.iinfo(np.uint32).max, np.uint32)
        for start in range(0, shingles_S.size, _CHUNK_SHINGLES):
            chunk = shingles_S[start : start + _CHUNK_SHINGLES]
            permuted_SP = (chunk[:, None] * multipliers_P[None] + offsets_P[None]) >> np.uint64(32)
            signature_P = np.minimum(signature_P, permuted_SP.min(axis=0).astype(np.uint32))
    return signature_P


def _permutations(count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return multipliers (odd) and offsets of multiply-shift hashing, which is 2-universal on 32-bit keys."""
    if count not in _PERMUTATIONS:
        generator = np.random.default_rng(_SEED)
        numbers = generator.integers(0, 2**64, size=(2, count), dtype=np.uint64)
        _PERMUTATIONS[count] = (numbers[0] | np.uint64(1), numbers[1])
    return _PERMUTATIONS[count]


_PERMUTATIONS: dict[int, tuple[NDArray[np.uint64], NDArray[np.uint64]]] = {}


class NearDuplicateIndex:
    """The documents kept so far, searched by bands of their signatures."""

    def __init__(self, config: DeduplicationConfig) -> None:
        self._config = config
        self._rows = config.permutations // config.bands
        self._buckets: dict[tuple[int, bytes], int] = {}
        self._signatures: list[NDArray[np.uint32]] = []

    def add_unless_duplicate(self, signature: NDArray[np.uint32]) -> int | None:
        """Return the number of the earlier document that resembles this one; keep this one if there is none.

        A bucket remembers its first document only, so that memory and time stay linear.

        Args:
            signature: signature_P of `minhash_signature`.

        Returns:
            The number of a kept document, counted from 0 in the order of keeping, or None if this one was kept.
        """
        bands = [(band, part.tobytes()) for band, part in enumerate(signature.reshape(-1, self._rows))]
        for candidate in dict.fromkeys(self._buckets[key] for key in bands if key in self._buckets):
            similarity = float(np.mean(self._signatures[candidate] == signature))
            if similarity >= self._config.threshold:
                return candidate
        for key in bands:
            self._buckets.setdefault(key, len(self._signatures))
        self._signatures.append(signature)
        return None
