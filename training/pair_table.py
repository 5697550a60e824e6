"""Tokenised text-code pairs, and the batches made of them.

Shape legend: P pairs in all, B pairs of a batch, S text tokens, T code tokens; both with `[CLS]` in front.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codet5p.core.errors import DataError
from codet5p.training.config import PairRecipe
from codet5p.training.objectives.task_tokens import TaskTokens

__all__ = ["PairBatch", "PairTable", "TokenRows", "TokenizesBatches", "content_id", "every", "padded_width"]

IntArray = NDArray[np.int64]
_WIDTH_STEP = 64  # widths are rounded up to this, so that a compiled model meets few different shapes
_CHUNK_TEXTS = 4096


class TokenizesBatches(Protocol):
    """What a tokenizer must offer for `TokenRows.from_texts`."""

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text."""
        ...


class TokenRows:
    """Many short token sequences in one array, a tenth of the memory of Python lists."""

    def __init__(self, tokens: NDArray[np.int32], offsets: IntArray) -> None:
        self.tokens = tokens
        self.offsets = offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def from_texts(cls, texts: Sequence[str], tokenizer: TokenizesBatches, max_tokens: int) -> Self:
        """Return `texts` as tokens.

        Args:
            texts: One row each.
            tokenizer: Gives the ids.
            max_tokens: Rows lose what lies beyond.

        Returns:
            The rows.
        """
        pieces: list[NDArray[np.int32]] = []
        for start in range(0, len(texts), _CHUNK_TEXTS):
            encoded = tokenizer.encode_batch(texts[start : start + _CHUNK_TEXTS])
            pieces.extend(np.asarray(ids[:max_tokens], np.int32) for ids in encoded)
        lengths = np.fromiter((len(piece) for piece in pieces), np.int64, len(pieces))
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return cls(np.concatenate(pieces) if pieces else np.empty(0, np.int32), offsets)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of all `parts`, one behind the other."""
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return cls(np.concatenate([part.tokens for part in parts]), offsets)

    def row(self, number: int) -> list[int]:
        """Return the tokens of row `number`."""
        return [int(token) for token in self.tokens[self.offsets[number] : self.offsets[number + 1]]]

    def lengths(self, rows: IntArray) -> IntArray:
        """Return the number of tokens of each of `rows`."""
        return self.offsets[rows + 1] - self.offsets[rows]

    def padded(
        self, rows: IntArray, *, opening: int, filling: int, max_tokens: int, widths: Sequence[int] = ()
    ) -> tuple[Tensor, Tensor]:
        """Return the rows behind `opening`, filled up to a common width.

        Args:
            rows: Row numbers, [B].
            opening: Token put in front.
            filling: Token put behind short rows.
            max_tokens: Greatest width, `opening` included.
            widths: The widths to choose from; multiples of 64 where there are none.

        Returns:
            Ids, int64 [B, S], and mask, True at real tokens.
        """
        lengths_B = np.minimum(self.lengths(rows), max_tokens - 1)
        width = padded_width(int(lengths_B.max()) + 1, max_tokens, widths)
        places_BS = np.arange(width - 1)
        mask_BS = places_BS < lengths_B[:, None]
        ids_BS = np.full(mask_BS.shape, filling, np.int64)
        ids_BS[mask_BS] = self.tokens[(self.offsets[rows][:, None] + places_BS)[mask_BS]]
        ids_BS = np.pad(ids_BS, ((0, 0), (1, 0)), constant_values=opening)
        return torch.from_numpy(ids_BS), torch.from_numpy(np.pad(mask_BS, ((0, 0), (1, 0)), constant_values=True))


def padded_width(longest: int, max_tokens: int, widths: Sequence[int] = ()) -> int:
    """Return the width of a batch.

    Args:
        longest: Tokens of its longest row.
        max_tokens: Greatest width, at least `longest`.
        widths: Ascending to `max_tokens`.

    Returns:
        The least of `widths` that holds the row; where there are none, `longest` rounded up, and at most `max_tokens`.
    """
    if widths:
        return next(width for width in widths if width >= longest)
    return min(-(-longest // _WIDTH_STEP) * _WIDTH_STEP, max_tokens)


@dataclass(frozen=True, kw_only=True, slots=True)
class PairBatch:
    """Text-code pairs as the encoder reads them.

    Attributes:
        text_ids_BS: `[CLS] text`, int64.
        text_mask_BS: True at real tokens.
        code_ids_BT: `[CLS] code`, int64.
        code_mask_BT: True at real tokens.
        content_ids_B2: Hash of the text and of the code, to recognise duplicates; int64.
    """

    text_ids_BS: Tensor
    text_mask_BS: Tensor
    code_ids_BT: Tensor
    code_mask_BT: Tensor
    content_ids_B2: Tensor

    def __len__(self) -> int:
        return len(self.text_ids_BS)

    @property
    def num_tokens(self) -> int:
        """Token positions of both sides, padding included."""
        return self.text_ids_BS.numel() + self.code_ids_BT.numel()

    def one_in(self, share: int) -> Self:
        """Return one in `share` pairs: the middle one of each run of as many; the tensors are views."""
        if share == 1:
            return self
        return replace(self, **{name: every(tensor, share) for name, tensor in self._tensors().items()})

    def to(self, device: torch.device) -> Self:
        """Return the batch on `device`."""
        return replace(self, **{name: tensor.to(device, non_blocking=True) for name, tensor in self._tensors().items()})

    def pin_memory(self) -> Self:
        """Return the batch in page-locked memory; the data loader calls this."""
        return replace(self, **{name: tensor.pin_memory() for name, tensor in self._tensors().items()})

    def _tensors(self) -> dict[str, Tensor]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


class PairTable:
    """All pairs of a run, tokenised."""

    def __init__(self, texts: TokenRows, codes: TokenRows, content_ids_P2: IntArray) -> None:
        self.texts = texts
        self.codes = codes
        self.content_ids_P2 = content_ids_P2

    def __len__(self) -> int:
        return len(self.texts)

    @classmethod
    def from_pairs(
        cls,
        pairs: Iterable[tuple[str, str]],
        tokenizer: TokenizesBatches,
        *,
        max_text_tokens: int,
        max_code_tokens: int,
    ) -> Self:
        """Return `pairs` of text and code as tokens.

        Args:
            pairs: Text first.
            tokenizer: Gives the ids.
            max_text_tokens: Longest text kept, a place for `[CLS]` included.
            max_code_tokens: The same for code.

        Returns:
            The table.

        Raises:
            DataError: If there is no pair.
        """
        kept = list(pairs)
        if not kept:
            raise DataError("a source of pairs is empty; prepare it again or leave it out of the recipe")
        content = np.array([(content_id(text), content_id(code)) for text, code in kept], np.int64)
        texts = TokenRows.from_texts([text for text, _ in kept], tokenizer, max_text_tokens - 1)
        codes = TokenRows.from_texts([code for _, code in kept], tokenizer, max_code_tokens - 1)
        return cls(texts, codes, content)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the pairs of all `parts`, one behind the other."""
        return cls(
            TokenRows.joined([part.texts for part in parts]),
            TokenRows.joined([part.codes for part in parts]),
            np.concatenate([part.content_ids_P2 for part in parts]),
        )

    def batch(self, rows: IntArray, tokens: TaskTokens, config: PairRecipe) -> PairBatch:
        """Return the pairs number `rows`.

        Args:
            rows: [B].
            tokens: `[CLS]` opens a row, `[EOS]` fills it up.
            config: Widths.

        Returns:
            The batch.
        """
        text_ids, text_mask = self.texts.padded(
            rows,
            opening=tokens.cls,
            filling=tokens.eos,
            max_tokens=config.max_text_tokens,
            widths=config.text_widths,
        )
        code_ids, code_mask = self.codes.padded(
            rows,
            opening=tokens.cls,
            filling=tokens.eos,
            max_tokens=config.max_code_tokens,
            widths=config.code_widths,
        )
        return PairBatch(
            text_ids_BS=text_ids,
            text_mask_BS=text_mask,
            code_ids_BT=code_ids,
            code_mask_BT=code_mask,
            content_ids_B2=torch.from_numpy(self.content_ids_P2[rows]),
        )


def every(tensor: Tensor, share: int) -> Tensor:
    """Return one in `share` rows of `tensor`, as a view; rows sorted by length so give a sample of all lengths."""
    return tensor if share == 1 else tensor[share // 2 :: share]


def content_id(text: str) -> int:
    """Return a 64-bit hash of `text` that does not depend on its white space."""
    digest = hashlib.blake2b(" ".join(text.split()).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
