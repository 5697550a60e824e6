"""Span denoising: spans of the input are replaced by sentinel tokens, and the decoder writes the spans.

Shape legend: B rows, L tokens of a chunk, W words of a row at most, K spans of a row at most, S source tokens,
T target tokens.

Every row of a batch is built at once. A chunk is cut into words (or single tokens), each row draws its span lengths
and the places of its spans, and both sequences are written with one scatter each.

A share of the rows may be cut into lines instead: what an editor asks to be filled in is a whole line or the rest of
one. A line begins with the token that holds the newline before it, because that token often holds the indentation too,
and ends before the next such token. Whoever asks the model therefore leaves the white space before the hole to it.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from codet5p.training.objectives.cross_entropy import IGNORED_LABEL
from codet5p.training.objectives.sequence_batch import SequenceBatch, shift_right
from codet5p.training.objectives.task_tokens import TaskTokens

__all__ = ["SpanDenoising", "build_span_denoising", "line_starts", "mask_lines", "sample_spans", "target_width"]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
_FEWEST_LINES = 4  # a chunk of fewer, minified code for instance, is cut into words


@dataclass(frozen=True, kw_only=True, slots=True)
class SpanDenoising:
    """How much is masked.

    Attributes:
        mask_rate: Share of the tokens that is masked, on average.
        longest_span: Span lengths are uniform from 1 to this, in words; the mean is half of one more.
        whole_words: Whether a span begins and ends where words do.
        line_share: Share of the rows whose spans are whole lines or, every other one, the rests of lines.
        longest_lines: Spans of such rows are uniform from 1 to this many lines.

    Source: CodeT5+ section 3.1 (15 %, mean 3, whole words); CodeT5 (arXiv 2109.00859) section 3.2, lengths 1 to 5.
    Lines are ours, after fill-in-the-middle training (arXiv 2207.14255), which cuts at random characters.
    """

    mask_rate: float = 0.15
    longest_span: int = 5
    whole_words: bool = True
    line_share: float = 0.0
    longest_lines: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.mask_rate <= 0.5:
            raise ValueError(f"mask_rate must be in (0, 0.5], got {self.mask_rate}")
        if self.longest_span < 1:
            raise ValueError(f"longest_span must be at least 1, got {self.longest_span}")
        if not 0 <= self.line_share <= 1 or self.longest_lines < 1:
            raise ValueError(
                f"line_share must be in [0, 1] and longest_lines at least 1, got {self.line_share} and "
                f"{self.longest_lines}"
            )

    @property
    def mean_span(self) -> float:
        """Mean span length, in words."""
        return (1 + self.longest_span) / 2


def target_width(chunk_tokens: int, config: SpanDenoising) -> int:
    """Return a width that the targets of nearly all rows fit in.

    Args:
        chunk_tokens: Tokens of a chunk.
        config: Rate and lengths.

    Returns:
        The expected target length and a third more, a multiple of 8.
    """
    expected = chunk_tokens * config.mask_rate * (1 + 1 / config.mean_span) + 1
    return -(-int(expected * 4 / 3 + 8) // 8) * 8


def sample_spans(lengths_B: IntArray, config: SpanDenoising, max_spans: int, rng: np.random.Generator) -> BoolArray:
    """Return which words are masked, and which of them open a span.

    The lengths of the spans are drawn first; then the words that stay are dealt to the gaps so that every arrangement
    with at least one word between two spans is equally likely.

    Args:
        lengths_B: Number of words of each row, at least 1.
        config: Rate and lengths.
        max_spans: No row gets more spans: there are only so many sentinels.
        rng: Source of chance.

    Returns:
        Bool [2, B, W]: masked, and first of a span. W is the longest row.

    Source: our arrangement; T5 (arXiv 1910.10683) draws a random partition instead, whose lengths are not uniform.
    """
    rows, words = len(lengths_B), int(lengths_B.max())
    wanted_B = lengths_B * config.mask_rate / config.mean_span
    spans_B = np.floor(wanted_B + rng.random(rows)).astype(np.int64)  # rounding at random keeps the rate exact
    spans_B = np.clip(spans_B, 1, np.minimum(max_spans, np.maximum(1, lengths_B // (config.longest_span + 1))))
    spans = int(spans_B.max())
    used_BK = np.arange(spans) < spans_B[:, None]
    drawn_BK = rng.integers(1, config.longest_span + 1, size=(rows, spans))
    drawn_BK = np.minimum(drawn_BK, np.maximum(1, lengths_B[:, None] // 2)) * used_BK
    slots_B = lengths_B - drawn_BK.sum(1) + 1
    starts_BK = _distinct_sorted(slots_B, spans_B, words + 1, rng)[:, :spans]
    starts_BK = starts_BK + np.cumsum(drawn_BK, axis=1) - drawn_BK
    edges_BW = np.zeros((rows, words + 2), dtype=np.int64)
    opens_BW = np.zeros((rows, words + 2), dtype=np.bool_)
    row_of_K = np.broadcast_to(np.arange(rows)[:, None], used_BK.shape)[used_BK]
    opens_BW[row_of_K, starts_BK[used_BK]] = True
    edges_BW[row_of_K, starts_BK[used_BK]] += 1
    edges_BW[row_of_K, (starts_BK + drawn_BK)[used_BK]] -= 1
    return np.stack([np.cumsum(edges_BW, axis=1)[:, :words] > 0, opens_BW[:, :words]])


def _distinct_sorted(slots_B: IntArray, counts_B: IntArray, width: int, rng: np.random.Generator) -> IntArray:
    """Return, per row, `counts_B` distinct numbers below `slots_B` in ascending order, then numbers of no meaning."""
    most = int(counts_B.max())
    keys = rng.random((len(slots_B), width))
    keys[np.arange(width) >= slots_B[:, None]] = 2.0
    chosen_BK = np.argpartition(keys, most - 1, axis=1)[:, :most]
    by_key_BK = np.take_along_axis(chosen_BK, np.argsort(np.take_along_axis(keys, chosen_BK, axis=1), axis=1), axis=1)
    by_key_BK[np.arange(most) >= counts_B[:, None]] = width
    return np.sort(by_key_BK, axis=1)


def build_span_denoising(
    chunks_BL: IntArray,
    tokens: TaskTokens,
    config: SpanDenoising,
    rng: np.random.Generator,
    continues_word_BL: BoolArray | None = None,
    holds_newline_BL: BoolArray | None = None,
) -> SequenceBatch:
    """Return denoising pairs for fixed chunks of a packed token stream.

    Putting each span of the target back in place of its sentinel in the source gives the chunk exactly.

    Args:
        chunks_BL: Token ids; a chunk may hold the end of one file and the start of the next.
        tokens: Sentinels and `[EOS]`.
        config: Rate and lengths.
        rng: Source of chance.
        continues_word_BL: True at a token that continues the word of the token before; needed for whole words.
        holds_newline_BL: True at a token with a newline in it; needed for lines.

    Returns:
        Source and target of fixed widths, L and `target_width`, whatever was drawn. Spans at the end of a row whose
        target would not fit stay unmasked.

    Raises:
        ValueError: If whole words or lines are asked for without what says where they are.

    Source: CodeT5+ section 3.1.
    """
    if config.whole_words and continues_word_BL is None:
        raise ValueError("whole words need continues_word_BL")
    if config.line_share and holds_newline_BL is None:
        raise ValueError("lines need holds_newline_BL")
    starts_word_BL = np.ones(chunks_BL.shape, np.bool_) if not config.whole_words else ~np.asarray(continues_word_BL)
    starts_word_BL[:, 0] = True
    masked_BL, opens_BL = _in_tokens(starts_word_BL, config, len(tokens.sentinels), rng)
    if holds_newline_BL is not None and config.line_share:
        starts_line_BL = line_starts(holds_newline_BL, chunks_BL == tokens.eos)
        is_by_line_B = rng.random(len(chunks_BL)) < config.line_share
        is_by_line_B &= starts_line_BL.sum(1) >= _FEWEST_LINES
        spans = mask_lines(
            starts_line_BL[is_by_line_B], starts_word_BL[is_by_line_B], config, len(tokens.sentinels), rng
        )
        masked_BL[is_by_line_B], opens_BL[is_by_line_B] = _without(spans, chunks_BL[is_by_line_B] == tokens.eos)
    width = target_width(chunks_BL.shape[1], config)
    masked_BL, opens_BL = _fitting(masked_BL, opens_BL, width)
    return _write(chunks_BL, masked_BL, opens_BL, tokens, width)


def _in_tokens(
    starts_unit_BL: BoolArray, config: SpanDenoising, max_spans: int, rng: np.random.Generator
) -> tuple[BoolArray, BoolArray]:
    """Return which tokens are masked, and which of them open a span, where spans are made of whole units."""
    unit_BL = np.cumsum(starts_unit_BL, axis=1) - 1
    masked_BW, opens_BW = sample_spans(unit_BL[:, -1] + 1, config, max_spans, rng)
    opens_BL = np.take_along_axis(opens_BW, unit_BL, axis=1) & starts_unit_BL
    return np.take_along_axis(masked_BW, unit_BL, axis=1), opens_BL


def line_starts(holds_newline_BL: BoolArray, is_eos_BL: BoolArray) -> BoolArray:
    """Return the tokens at which lines begin: those that hold a newline, and the first token of a chunk and of a file.

    Args:
        holds_newline_BL: True at a token with a newline in it.
        is_eos_BL: True at the `[EOS]` between files, which is a line of its own here.

    Returns:
        Bool [B, L].
    """
    starts_BL = holds_newline_BL | is_eos_BL
    starts_BL[:, 1:] |= is_eos_BL[:, :-1]
    starts_BL[:, 0] = True
    return starts_BL


def mask_lines(
    starts_line_BL: BoolArray,
    starts_word_BL: BoolArray,
    config: SpanDenoising,
    max_spans: int,
    rng: np.random.Generator,
) -> tuple[BoolArray, BoolArray]:
    """Return which tokens are masked, and which of them open a span, where spans end where lines do.

    Args:
        starts_line_BL: From `line_starts`.
        starts_word_BL: Where the rest of a line may begin.
        config: Rate and lengths.
        max_spans: Most spans of a row.
        rng: Source of chance.

    Returns:
        Bool [B, L] twice. Every other span, at random, begins at a word behind the start of its first line, any with
        equal chance, if there is one.
    """
    if not len(starts_line_BL):
        return starts_line_BL.copy(), starts_line_BL.copy()
    by_line = replace(config, longest_span=config.longest_lines)
    masked_BL, opens_BL = _in_tokens(starts_line_BL, by_line, max_spans, rng)
    length = starts_line_BL.shape[1]
    row_K, start_K = np.nonzero(opens_BL)
    # The first line of a span ends before the next start of a line.
    next_start_BL = np.minimum.accumulate(np.where(starts_line_BL, np.arange(length), length)[:, ::-1], axis=1)[:, ::-1]
    next_start_BL = np.pad(next_start_BL, ((0, 0), (0, 1)), constant_values=length)
    end_K = next_start_BL[row_K, start_K + 1]
    words_BL = np.cumsum(starts_word_BL, axis=1)
    before_K, until_K = words_BL[row_K, start_K], words_BL[row_K, end_K - 1]
    is_rest_K = (rng.random(len(row_K)) < 0.5) & (until_K > before_K)
    chosen_K = before_K + 1 + np.floor(rng.random(len(row_K)) * (until_K - before_K)).astype(np.int64)
    place_K = (words_BL[row_K] < chosen_K[:, None]).sum(1)  # of the token at which that word starts
    row_K, start_K, place_K = row_K[is_rest_K], start_K[is_rest_K], place_K[is_rest_K]
    opens_BL[row_K, start_K] = False
    opens_BL[row_K, place_K] = True
    # What stands between a line's start and its rest is shown: -1 from the start on, +1 from the rest on.
    shown_BL = np.zeros((len(opens_BL), length + 1), np.int64)
    shown_BL[row_K, start_K] = 1
    shown_BL[row_K, place_K] = -1
    return masked_BL & (np.cumsum(shown_BL, axis=1)[:, :length] == 0), opens_BL


def _without(spans: tuple[BoolArray, BoolArray], unwanted_BL: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Return the spans that hold none of the unwanted tokens."""
    masked_BL, opens_BL = spans
    span_BL = np.cumsum(opens_BL, axis=1, dtype=np.int64)
    row_K, place_K = np.nonzero(masked_BL & unwanted_BL)
    is_spoilt = np.zeros((len(masked_BL), span_BL.max(initial=0) + 1), np.bool_)
    is_spoilt[row_K, span_BL[row_K, place_K]] = True
    keeps_BL = ~np.take_along_axis(is_spoilt, span_BL, axis=1)
    return masked_BL & keeps_BL, opens_BL & keeps_BL


def _fitting(masked_BL: BoolArray, opens_BL: BoolArray, width: int) -> tuple[BoolArray, BoolArray]:
    """Return the spans whose target, closing `[EOS]` included, ends within `width`."""
    span_BL = np.cumsum(opens_BL, axis=1)
    end_BL = np.cumsum(masked_BL.astype(np.int64) + opens_BL, axis=1)
    overfull_BL = masked_BL & (end_BL >= width)
    first_overfull_B1 = np.where(overfull_BL, span_BL, np.iinfo(np.int64).max).min(axis=1, keepdims=True)
    fits_BL = span_BL < first_overfull_B1
    return masked_BL & fits_BL, opens_BL & fits_BL


def _write(
    chunks_BL: IntArray, masked_BL: BoolArray, opens_BL: BoolArray, tokens: TaskTokens, width: int
) -> SequenceBatch:
    rows, length = chunks_BL.shape
    row_BL = np.broadcast_to(np.arange(rows)[:, None], chunks_BL.shape)
    sentinel_BL = np.asarray(tokens.sentinels, np.int64)[np.maximum(np.cumsum(opens_BL, axis=1) - 1, 0)]

    kept_BL = ~masked_BL | opens_BL
    place_BL = np.cumsum(kept_BL, axis=1) - 1
    source_BS = np.full((rows, length), tokens.eos, np.int64)
    source_BS[row_BL[kept_BL], place_BL[kept_BL]] = np.where(opens_BL, sentinel_BL, chunks_BL)[kept_BL]
    source_mask_BS = np.arange(length) <= place_BL[:, -1:]

    # In the target a span takes one place more than its tokens: the sentinel stands just before the first of them.
    end_BL = np.cumsum(masked_BL.astype(np.int64) + opens_BL, axis=1)
    labels_BT = np.full((rows, width), IGNORED_LABEL, np.int64)
    labels_BT[row_BL[masked_BL], end_BL[masked_BL] - 1] = chunks_BL[masked_BL]
    labels_BT[row_BL[opens_BL], end_BL[opens_BL] - 2] = sentinel_BL[opens_BL]
    labels_BT[np.arange(rows), end_BL[:, -1]] = tokens.eos
    return SequenceBatch(
        source_ids_BS=torch.from_numpy(source_BS),
        source_mask_BS=torch.from_numpy(source_mask_BS),
        target_ids_BT=torch.from_numpy(shift_right(labels_BT, tokens.eos)),
        labels_BT=torch.from_numpy(labels_BT),
    )
