from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codet5p.training.objectives.cross_entropy import IGNORED_LABEL
from codet5p.training.objectives.sequence_batch import SequenceBatch
from codet5p.training.objectives.span_denoising import (
    SpanDenoising,
    build_span_denoising,
    line_starts,
    sample_spans,
    target_width,
)
from codet5p.training.objectives.task_tokens import TaskTokens

TOKENS = TaskTokens(clm=200, cls=201, match=202, tdec=203, cdec=204, eos=205, sentinels=tuple(range(210, 310)))


def reconstruct(batch: SequenceBatch, row: int) -> list[int]:
    """Put the spans of the target back where the sentinels of the source stand."""
    assert batch.source_mask_BS is not None
    source = batch.source_ids_BS[row][batch.source_mask_BS[row]].tolist()
    target = [label for label in batch.labels_BT[row].tolist() if label != IGNORED_LABEL]
    assert target[-1] == TOKENS.eos
    spans: dict[int, list[int]] = {}
    for token in target[:-1]:
        if token in TOKENS.sentinels:
            current = spans.setdefault(token, [])
        else:
            current.append(token)
    assert list(spans) == list(TOKENS.sentinels[: len(spans)])
    return [token for placed in source for token in spans.get(placed, [placed])]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 6),
    length=st.integers(1, 300),
    seed=st.integers(0, 2**32 - 1),
    rate=st.floats(0.01, 0.5),
    longest=st.integers(1, 9),
    words=st.booleans(),
)
def test_every_pair_reconstructs_its_chunk(
    rows: int, length: int, seed: int, rate: float, longest: int, words: bool
) -> None:
    rng = np.random.default_rng(seed)
    chunks = rng.integers(0, 200, (rows, length))
    continues = rng.random((rows, length)) < 0.4 if words else None
    config = SpanDenoising(mask_rate=rate, longest_span=longest, whole_words=words)
    batch = build_span_denoising(chunks, TOKENS, config, rng, continues)
    assert batch.target_ids_BT.shape == (rows, target_width(length, config))
    assert [reconstruct(batch, row) for row in range(rows)] == chunks.tolist()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_whole_words_are_never_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chunks = np.arange(128)[None, :]
    continues = rng.random((1, 128)) < 0.5
    batch = build_span_denoising(chunks, TOKENS, SpanDenoising(), rng, continues)
    assert batch.source_mask_BS is not None
    source = batch.source_ids_BS[0][batch.source_mask_BS[0]].tolist()
    shown = set(source)
    for token in range(1, 128):
        if continues[0, token]:
            assert (token in shown) == (token - 1 in shown), "both tokens of a word are shown, or neither is"


def test_the_mask_rate_is_met_on_average() -> None:
    rng = np.random.default_rng(0)
    masked, _ = sample_spans(np.full(4000, 512), SpanDenoising(), 100, rng)
    assert masked.mean() == pytest.approx(0.15, abs=0.002)


def test_the_mask_rate_of_tokens_holds_with_whole_words_too() -> None:
    rng = np.random.default_rng(0)
    chunks = rng.integers(0, 200, (1000, 512))
    batch = build_span_denoising(chunks, TOKENS, SpanDenoising(), rng, rng.random(chunks.shape) < 0.5)
    labels = batch.labels_BT.numpy()
    masked = ((labels != IGNORED_LABEL) & (labels < 200)).sum()
    assert masked / chunks.size == pytest.approx(0.15, abs=0.004)


def test_span_lengths_are_uniform_from_one_to_five() -> None:
    rng = np.random.default_rng(0)
    masked, opens = sample_spans(np.full(2000, 512), SpanDenoising(), 100, rng)
    lengths = np.bincount(np.bincount(np.cumsum(opens.ravel())[masked.ravel()])[1:])
    assert lengths[0] == 0
    assert len(lengths) == 6
    assert lengths[1:] / lengths.sum() == pytest.approx(np.full(5, 0.2), abs=0.01)
    assert lengths @ np.arange(6) / lengths.sum() == pytest.approx(3.0, abs=0.03)


def test_spans_lie_anywhere_with_equal_chance() -> None:
    rng = np.random.default_rng(0)
    masked, _ = sample_spans(np.full(20000, 60), SpanDenoising(), 100, rng)
    assert masked[:, 10:50].mean(axis=0) == pytest.approx(np.full(40, masked[:, 10:50].mean()), abs=0.02)


def test_two_spans_never_touch() -> None:
    rng = np.random.default_rng(0)
    masked, opens = sample_spans(np.full(500, 64), SpanDenoising(mask_rate=0.5), 100, rng)
    assert not (opens[:, 1:] & masked[:, :-1]).any()


def test_a_row_never_needs_more_sentinels_than_there_are() -> None:
    rng = np.random.default_rng(0)
    _, opens = sample_spans(np.full(10, 5000), SpanDenoising(), 100, rng)
    assert opens.sum(axis=1).max() <= 100


def test_rows_of_different_word_counts_are_drawn_within_themselves() -> None:
    rng = np.random.default_rng(0)
    lengths = np.array([3, 40, 200])
    masked, opens = sample_spans(lengths, SpanDenoising(), 100, rng)
    beyond = np.arange(200) >= lengths[:, None]
    assert not (masked & beyond).any()
    assert opens.any(axis=1).all()


def test_an_overfull_target_leaves_its_last_spans_unmasked() -> None:
    config = SpanDenoising(mask_rate=0.05, longest_span=1)
    rng = np.random.default_rng(3)
    continues = np.ones((1, 100), np.bool_)
    continues[0, ::50] = False  # two words of fifty tokens: any span bursts the target
    chunks = np.arange(100)[None, :]
    batch = build_span_denoising(chunks, TOKENS, config, rng, continues)
    assert reconstruct(batch, 0) == chunks[0].tolist()
    assert batch.labels_BT[0, 0] == TOKENS.eos


def test_the_decoder_reads_its_labels_shifted() -> None:
    rng = np.random.default_rng(0)
    batch = build_span_denoising(np.arange(64)[None, :], TOKENS, SpanDenoising(whole_words=False), rng)
    count = batch.num_labels
    assert batch.target_ids_BT[0, 0] == TOKENS.eos
    assert batch.target_ids_BT[0, 1:count].tolist() == batch.labels_BT[0, : count - 1].tolist()


def test_the_same_seed_gives_the_same_batch() -> None:
    chunks = np.arange(128).reshape(2, 64)
    one, two = (
        build_span_denoising(chunks, TOKENS, SpanDenoising(whole_words=False), np.random.default_rng(7))
        for _ in range(2)
    )
    assert one.labels_BT.equal(two.labels_BT)


def test_whole_words_need_to_know_the_words() -> None:
    with pytest.raises(ValueError, match="whole words need continues_word_BL"):
        build_span_denoising(np.zeros((1, 8), np.int64), TOKENS, SpanDenoising(), np.random.default_rng(0))


@pytest.mark.parametrize("rate", [0.0, 0.6])
def test_an_impossible_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="mask_rate must be in"):
        SpanDenoising(mask_rate=rate)


def test_an_empty_span_is_refused() -> None:
    with pytest.raises(ValueError, match="longest_span must be at least 1"):
        SpanDenoising(longest_span=0)


def lines_of(rng: np.random.Generator, rows: int, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return chunks in which the tokens from 150 on hold a newline, where words go on, and where newlines are."""
    chunks = rng.integers(0, 200, (rows, length))
    chunks[rng.random((rows, length)) < 0.01] = TOKENS.eos
    newlines = (chunks >= 150) & (chunks < 200) & (rng.random((rows, length)) < 0.6)
    continues = (rng.random((rows, length)) < 0.4) & ~newlines & (chunks != TOKENS.eos)
    continues[:, 1:] &= ~newlines[:, :-1]
    return chunks, continues, newlines


def spans_of(batch: SequenceBatch, row: int) -> list[tuple[int, int]]:
    """Return where in the chunk each hole starts and ends."""
    assert batch.source_mask_BS is not None
    source = batch.source_ids_BS[row][batch.source_mask_BS[row]].tolist()
    target = [label for label in batch.labels_BT[row].tolist() if label != IGNORED_LABEL][:-1]
    marks = [place for place, token in enumerate(target) if token in TOKENS.sentinels]
    lengths = [end - start - 1 for start, end in pairwise([*marks, len(target)])]
    spans, place = [], 0
    for token in source:
        if token in TOKENS.sentinels:
            spans.append((place, place + lengths[len(spans)]))
            place = spans[-1][1]
        else:
            place += 1
    return spans


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(1, 5), length=st.integers(1, 200), seed=st.integers(0, 2**32 - 1), lines=st.integers(1, 3))
def test_line_holes_reconstruct_end_with_lines_and_stay_apart(rows: int, length: int, seed: int, lines: int) -> None:
    rng = np.random.default_rng(seed)
    chunks, continues, newlines = lines_of(rng, rows, length)
    config = SpanDenoising(line_share=1.0, longest_lines=lines)
    batch = build_span_denoising(chunks, TOKENS, config, rng, continues, newlines)
    assert [reconstruct(batch, row) for row in range(rows)] == chunks.tolist()
    starts = line_starts(newlines, chunks == TOKENS.eos)
    for row in np.flatnonzero(starts.sum(1) >= 4):
        spans = spans_of(batch, int(row))
        assert all(end == length or starts[row, end] for _, end in spans)
        assert not any(continues[row, start] and not starts[row, start] for start, _ in spans)
        assert TOKENS.eos not in [chunks[row, place] for span in spans for place in range(*span)]
        assert all(0 < starts[row, start:end].sum() + (not starts[row, start]) <= lines for start, end in spans)
        assert all(end < start for (_, end), (start, _) in pairwise(spans))


def test_every_other_line_hole_is_the_rest_of_a_line() -> None:
    rng = np.random.default_rng(0)
    chunks, continues, newlines = lines_of(rng, 400, 256)
    batch = build_span_denoising(chunks, TOKENS, SpanDenoising(line_share=1.0), rng, continues, newlines)
    starts = line_starts(newlines, chunks == TOKENS.eos)
    places = [(row, start) for row in range(400) for start, _ in spans_of(batch, row)]
    whole = np.mean([starts[place] for place in places])
    words = np.cumsum(~continues, axis=1)
    alone = np.mean([words[row, start] == words[row, min(start + 1, 255)] for row, start in places])
    assert 0.5 < whole < 0.7, f"lines of one word, such as {alone:.0%}, have no rest"


def test_a_share_of_the_rows_has_line_holes() -> None:
    rng = np.random.default_rng(0)
    chunks, continues, newlines = lines_of(rng, 400, 256)
    batch = build_span_denoising(chunks, TOKENS, SpanDenoising(line_share=0.3), rng, continues, newlines)
    starts = line_starts(newlines, chunks == TOKENS.eos)
    by_line = [all(end == 256 or starts[row, end] for _, end in spans_of(batch, row)) for row in range(len(chunks))]
    assert np.mean(by_line) == pytest.approx(0.3, abs=0.06)


def test_without_lines_nothing_is_drawn_for_them() -> None:
    chunks, continues, newlines = lines_of(np.random.default_rng(0), 8, 128)
    one = build_span_denoising(chunks, TOKENS, SpanDenoising(), np.random.default_rng(1), continues, newlines)
    two = build_span_denoising(chunks, TOKENS, SpanDenoising(), np.random.default_rng(1), continues)
    assert one.labels_BT.equal(two.labels_BT)


def test_lines_need_to_know_the_newlines() -> None:
    with pytest.raises(ValueError, match="lines need holds_newline_BL"):
        build_span_denoising(
            np.zeros((1, 8), np.int64),
            TOKENS,
            SpanDenoising(whole_words=False, line_share=0.5),
            np.random.default_rng(0),
        )
