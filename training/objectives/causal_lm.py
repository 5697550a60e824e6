"""Both causal language-modelling objectives on packed blocks of code.

Shape legend: B rows, L tokens of a block, S source tokens, T target tokens.

Packing. A block is a slice of the stream of files, each closed by `[EOS]`. Plain causal packing lets a token see the
files before its own in the block; it needs no mask, so attention runs on the fast causal kernel. With
`separate_documents` every file attends to itself alone, which takes an explicit mask.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from codet5p.training.objectives.cross_entropy import IGNORED_LABEL
from codet5p.training.objectives.sequence_batch import SequenceBatch, shift_right
from codet5p.training.objectives.task_tokens import TaskTokens

__all__ = ["SplitCausalLm", "build_decoder_only_causal_lm", "build_seq2seq_causal_lm", "sample_pivots"]

IntArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitCausalLm:
    """Where the seq2seq form splits, and how long its parts may be.

    Attributes:
        lowest_pivot: Least share of the block that goes to the encoder.
        highest_pivot: Greatest share.
        max_source_tokens: Width of the source, `[CLM]` included; a longer prefix loses its beginning.
        max_target_tokens: Width of the target; a longer suffix loses its end.

    Source: CodeT5+ section 3.1 and appendix.
    """

    lowest_pivot: float = 0.1
    highest_pivot: float = 0.9
    max_source_tokens: int = 768
    max_target_tokens: int = 600

    def __post_init__(self) -> None:
        if not 0 < self.lowest_pivot < self.highest_pivot < 1:
            raise ValueError(f"pivots must rise within (0, 1), got {self.lowest_pivot} and {self.highest_pivot}")
        if self.max_source_tokens < 2 or self.max_target_tokens < 1:
            raise ValueError("the source needs room for [CLM] and one token, the target for one token")


def build_decoder_only_causal_lm(
    blocks_BL: IntArray, tokens: TaskTokens, *, separate_documents: bool = False
) -> SequenceBatch:
    """Return a batch in which the decoder predicts every next token, with `[CLM]` alone in the encoder.

    Args:
        blocks_BL: Token ids of packed files; L is one more than the decoder's length.
        tokens: `[CLM]` and `[EOS]`.
        separate_documents: Whether a file sees only itself; then its `[EOS]` does not predict the next file's start.

    Returns:
        Source [B, 1], or [B, documents] where they are kept apart, one `[CLM]` for each; target [B, L - 1].

    Source: CodeT5+ section 3.1. The source length is exactly 1, so that cross-attention adds a constant which the
    export folds into a bias.
    """
    inputs_BT, labels_BT = blocks_BL[:, :-1], blocks_BL[:, 1:]
    rows = len(blocks_BL)
    if not separate_documents:
        return SequenceBatch(
            source_ids_BS=torch.full((rows, 1), tokens.clm),
            target_ids_BT=torch.from_numpy(np.ascontiguousarray(inputs_BT)),
            labels_BT=torch.from_numpy(np.ascontiguousarray(labels_BT)),
        )
    ends_BT = inputs_BT == tokens.eos
    documents_BT = np.cumsum(ends_BT, axis=1) - ends_BT
    source_documents_BS = np.broadcast_to(np.arange(int(documents_BT.max()) + 1), (rows, int(documents_BT.max()) + 1))
    return SequenceBatch(
        source_ids_BS=torch.full(source_documents_BS.shape, tokens.clm),
        target_ids_BT=torch.from_numpy(np.ascontiguousarray(inputs_BT)),
        labels_BT=torch.from_numpy(np.where(ends_BT, IGNORED_LABEL, labels_BT)),
        target_documents_BT=torch.from_numpy(documents_BT),
        source_documents_BS=torch.from_numpy(source_documents_BS.copy()),
    )


def sample_pivots(rows: int, block_tokens: int, config: SplitCausalLm, rng: np.random.Generator) -> IntArray:
    """Return where each block splits.

    Args:
        rows: Number of blocks.
        block_tokens: Tokens of a block.
        config: Range of the pivot.
        rng: Source of chance.

    Returns:
        int64 [B]: the number of tokens that go to the encoder, uniform between the two shares, both included.
    """
    lowest = max(1, int(np.ceil(config.lowest_pivot * block_tokens)))
    highest = min(block_tokens - 1, int(np.floor(config.highest_pivot * block_tokens)))
    return rng.integers(lowest, highest + 1, size=rows)


def build_seq2seq_causal_lm(
    blocks_BL: IntArray, pivots_B: IntArray, tokens: TaskTokens, config: SplitCausalLm
) -> SequenceBatch:
    """Return a batch in which the encoder reads `[CLM]` and the prefix, and the decoder writes the suffix.

    Args:
        blocks_BL: Token ids of packed files.
        pivots_B: Prefix length of each block, from `sample_pivots`.
        tokens: `[CLM]` and `[EOS]`.
        config: Widths of source and target.

    Returns:
        Source and target as wide as the widths allow and the block needs; shorter rows are filled and masked.

    Raises:
        ValueError: If a pivot leaves one side empty.

    Source: CodeT5+ section 3.1.
    """
    length = blocks_BL.shape[1]
    if pivots_B.min() < 1 or pivots_B.max() >= length:
        raise ValueError(f"pivots must lie within a block of {length} tokens")
    longest_prefix = int(np.floor(config.highest_pivot * length))
    prefix_width = min(config.max_source_tokens - 1, longest_prefix)
    target_width = min(config.max_target_tokens, length - int(np.ceil(config.lowest_pivot * length)))
    first_B1 = np.maximum(pivots_B - prefix_width, 0)[:, None]
    prefix_at = first_B1 + np.arange(prefix_width)
    prefix_mask = prefix_at < pivots_B[:, None]
    prefix = np.where(prefix_mask, np.take_along_axis(blocks_BL, np.minimum(prefix_at, length - 1), axis=1), tokens.eos)
    target_at = pivots_B[:, None] + np.arange(target_width)
    suffix = np.take_along_axis(blocks_BL, np.minimum(target_at, length - 1), axis=1)
    labels_BT = np.where(target_at < length, suffix, IGNORED_LABEL)
    return SequenceBatch(
        source_ids_BS=torch.from_numpy(np.pad(prefix, ((0, 0), (1, 0)), constant_values=tokens.clm)),
        source_mask_BS=torch.from_numpy(np.pad(prefix_mask, ((0, 0), (1, 0)), constant_values=True)),
        target_ids_BT=torch.from_numpy(shift_right(labels_BT, tokens.eos)),
        labels_BT=torch.from_numpy(labels_BT),
    )
