"""Tokenised code as one long row of files, each closed by `[EOS]`, read in blocks.

Shape legend: B rows, L tokens of a block.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codet5p.core.errors import DataError

__all__ = ["TokenStream", "block_starts", "continuation_tables", "continues_word"]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class TokenStream:
    """Documents of several shards, read as one row of tokens in which `[EOS]` follows each document.

    Shards hold documents only; the separators are put in on reading, so they may be memory-mapped files that know
    nothing of our task tokens.
    """

    def __init__(self, shards: Sequence[tuple[NDArray[Any], IntArray]], eos: int) -> None:
        """Take (tokens, ends) of each shard; `ends` says where each document ends in the shard's tokens."""
        self._shards = [(tokens, ends + np.arange(1, len(ends) + 1)) for tokens, ends in shards if len(ends)]
        self._shard_ends = np.cumsum([ends[-1] for _, ends in self._shards], dtype=np.int64)
        self._eos = eos
        if not self._shards:
            raise DataError("a code source holds no documents; prepare it again or leave it out of the recipe")

    def __len__(self) -> int:
        return int(self._shard_ends[-1])

    def read(self, starts_B: IntArray, length: int) -> IntArray:
        """Return the tokens from each start on.

        Args:
            starts_B: Positions in the row; each start plus `length` is within it.
            length: Tokens to read.

        Returns:
            int64 [B, L].
        """
        block_BL = np.empty((len(starts_B), length), np.int64)
        for row, start in enumerate(starts_B.tolist()):
            self._read_into(block_BL[row], start)
        return block_BL

    def _read_into(self, out: IntArray, start: int) -> None:
        number = int(np.searchsorted(self._shard_ends, start, side="right"))
        written = 0
        while written < len(out):
            tokens, ends = self._shards[number]
            first = start + written - (int(self._shard_ends[number]) - int(ends[-1]))
            document = int(np.searchsorted(ends, first, side="right"))
            while written < len(out) and document < len(ends):
                separator = int(ends[document]) - 1
                piece = tokens[first - document : separator - document][: len(out) - written]
                out[written : written + len(piece)] = piece
                written += len(piece)
                if written < len(out):
                    out[written] = self._eos
                    written += 1
                document, first = document + 1, separator + 1
            number += 1


def block_starts(num_tokens: int, length: int, rows: range, key: tuple[int, ...]) -> IntArray:
    """Return where blocks number `rows` of an endless shuffled reading begin.

    Every epoch cuts the stream at another phase and visits the blocks in another order, so that a row number alone
    says which tokens it is: nothing has to be remembered to resume.

    Args:
        num_tokens: Length of the stream.
        length: Tokens of a block.
        rows: Row numbers, from 0 on.
        key: Seeds the order; different keys give independent orders.

    Returns:
        int64 [B].

    Raises:
        DataError: If the stream is shorter than one block.
    """
    if num_tokens < length:
        raise DataError(f"a code source has {num_tokens} tokens and cannot fill a row of {length}; add data")
    per_epoch = max(1, (num_tokens - length) // length)
    starts = []
    for epoch in range(rows.start // per_epoch, (rows.stop - 1) // per_epoch + 1):
        phase, order = _epoch_order(num_tokens, length, (*key, epoch))
        first, last = max(rows.start - epoch * per_epoch, 0), min(rows.stop - epoch * per_epoch, per_epoch)
        starts.append(phase + order[first:last] * length)
    return np.concatenate(starts) if starts else np.empty(0, np.int64)


@lru_cache(maxsize=16)
def _epoch_order(num_tokens: int, length: int, key: tuple[int, ...]) -> tuple[int, IntArray]:
    rng = np.random.default_rng(key)
    blocks = max(1, (num_tokens - length) // length)
    phase = int(rng.integers(0, num_tokens - blocks * length + 1))
    return phase, rng.permutation(blocks)


def continuation_tables(token_bytes: Sequence[bytes]) -> tuple[BoolArray, BoolArray]:
    """Return which tokens begin, and which end, inside a word.

    Args:
        token_bytes: The bytes of each token; empty for special tokens, which never belong to a word.

    Returns:
        Bool arrays over the vocabulary: the first byte is one of a word, the last byte is.
    """
    begins = np.array([bool(token) and _is_word_byte(token[0]) for token in token_bytes])
    ends = np.array([bool(token) and _is_word_byte(token[-1]) for token in token_bytes])
    return begins, ends


def continues_word(ids_BL: IntArray, tables: tuple[BoolArray, BoolArray]) -> BoolArray:
    """Return which tokens continue the word of the token before them.

    Args:
        ids_BL: Token ids.
        tables: From `continuation_tables`.

    Returns:
        Bool [B, L]; a word is a run of letters, digits, underscores and bytes beyond ASCII.
    """
    begins, ends = tables
    continues_BL = np.zeros(ids_BL.shape, np.bool_)
    continues_BL[:, 1:] = begins[ids_BL[:, 1:]] & ends[ids_BL[:, :-1]]
    return continues_BL


def _is_word_byte(byte: int) -> bool:
    return byte >= 0x80 or byte == ord("_") or chr(byte).isalnum()
