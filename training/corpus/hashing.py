"""Hashes that are the same in every process and on every machine, unlike Python's own."""

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

__all__ = ["only_words", "run_hashes", "seeded_rank", "text_digest", "token_hashes"]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MAX_REMEMBERED = 2_000_000
_WHITE_SPACE = re.compile(r"\s+")


class _TokenHashes(dict[str, int]):
    """The hash of each token, computed once while memory allows; its lowest bit tells words from punctuation."""

    def __missing__(self, token: str) -> int:
        digest = blake2b(token.lower().encode("utf-8", "replace"), digest_size=8).digest()
        value = int.from_bytes(digest, "little") & ~1 | (token[0].isalnum() or token[0] == "_")
        if len(self) < _MAX_REMEMBERED:
            self[token] = value
        return value


_hash_of_token = _TokenHashes().__getitem__


def token_hashes(tokens: Sequence[str]) -> NDArray[np.uint64]:
    """Return a 64-bit hash for each lexical token, case aside; the lowest bit is 1 for words."""
    return np.fromiter(map(_hash_of_token, tokens), np.uint64, len(tokens))


def only_words(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the hashes of the words among those of `token_hashes`."""
    return hashes[(hashes & np.uint64(1)).astype(np.bool_)]


def run_hashes(hashes: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """Return a hash for every run of `length` neighbours of `hashes`; none if there are fewer."""
    count = hashes.size - length + 1
    if count < 1:
        return np.empty(0, np.uint64)
    result = np.zeros(count, np.uint64)
    with np.errstate(over="ignore"):
        for offset in range(length):
            result = (result ^ hashes[offset : offset + count]) * _MULTIPLIER
            result ^= result >> np.uint64(29)
    return result


def text_digest(text: str) -> bytes:
    """Return 16 bytes that are equal for texts that differ in white space only."""
    return blake2b(_WHITE_SPACE.sub("", text).encode("utf-8", "replace"), digest_size=16).digest()


def seeded_rank(seed: int, key: bytes) -> bytes:
    """Return a pseudo-random sort key of `key`, the same for the same seed on every machine."""
    return blake2b(key, digest_size=8, key=seed.to_bytes(8, "little", signed=True)).digest()
