import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codet5p.training.objectives.causal_lm import (
    SplitCausalLm,
    build_decoder_only_causal_lm,
    build_seq2seq_causal_lm,
    sample_pivots,
)
from codet5p.training.objectives.cross_entropy import IGNORED_LABEL
from codet5p.training.objectives.task_tokens import TaskTokens

TOKENS = TaskTokens(clm=200, cls=201, match=202, tdec=203, cdec=204, eos=205, sentinels=tuple(range(210, 310)))


@settings(max_examples=50, deadline=None)
@given(length=st.integers(11, 200), seed=st.integers(0, 2**32 - 1))
def test_prefix_and_suffix_join_to_the_block(length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 200, (3, length))
    config = SplitCausalLm(max_source_tokens=300, max_target_tokens=300)
    pivots = sample_pivots(3, length, config, rng)
    batch = build_seq2seq_causal_lm(blocks, pivots, TOKENS, config)
    assert batch.source_mask_BS is not None
    for row in range(3):
        source = batch.source_ids_BS[row][batch.source_mask_BS[row]].tolist()
        suffix = [label for label in batch.labels_BT[row].tolist() if label != IGNORED_LABEL]
        assert source[0] == TOKENS.clm
        assert source[1:] + suffix == blocks[row].tolist()
        assert len(source) - 1 == pivots[row]


def test_pivots_are_uniform_from_a_tenth_to_nine_tenths() -> None:
    pivots = sample_pivots(200_000, 100, SplitCausalLm(), np.random.default_rng(0))
    counts = np.bincount(pivots)
    assert (pivots.min(), pivots.max()) == (10, 90)
    assert counts[10:] / counts.sum() == pytest.approx(np.full(81, 1 / 81), abs=0.001)


def test_a_long_prefix_loses_its_beginning_and_a_long_suffix_its_end() -> None:
    blocks = np.arange(20)[None, :]
    config = SplitCausalLm(max_source_tokens=4, max_target_tokens=3)
    batch = build_seq2seq_causal_lm(blocks, np.array([10]), TOKENS, config)
    assert batch.source_ids_BS.tolist() == [[TOKENS.clm, 7, 8, 9]]
    assert batch.target_ids_BT.tolist() == [[TOKENS.eos, 10, 11]]
    assert batch.labels_BT.tolist() == [[10, 11, 12]]


def test_the_width_does_not_depend_on_the_pivots() -> None:
    blocks = np.zeros((1, 100), np.int64)
    shapes = {
        tuple(build_seq2seq_causal_lm(blocks, np.array([pivot]), TOKENS, SplitCausalLm()).source_ids_BS.shape)
        for pivot in (10, 50, 90)
    }
    assert shapes == {(1, 91)}


def test_a_pivot_outside_the_block_is_refused() -> None:
    with pytest.raises(ValueError, match="pivots must lie within a block of 20 tokens"):
        build_seq2seq_causal_lm(np.zeros((1, 20), np.int64), np.array([20]), TOKENS, SplitCausalLm())


def test_decoder_only_puts_clm_alone_in_the_encoder() -> None:
    batch = build_decoder_only_causal_lm(np.array([[1, 2, 3], [4, 5, 6]]), TOKENS)
    assert batch.source_ids_BS.tolist() == [[TOKENS.clm], [TOKENS.clm]]
    assert batch.source_mask_BS is None
    assert batch.target_ids_BT.tolist() == [[1, 2], [4, 5]]
    assert batch.labels_BT.tolist() == [[2, 3], [5, 6]]


def test_separate_documents_are_numbered_and_do_not_predict_each_other() -> None:
    eos = TOKENS.eos
    batch = build_decoder_only_causal_lm(np.array([[1, eos, 2, 3, eos, 4]]), TOKENS, separate_documents=True)
    assert batch.target_documents_BT is not None
    assert batch.source_documents_BS is not None
    assert batch.target_documents_BT.tolist() == [[0, 0, 1, 1, 1]]
    assert batch.labels_BT.tolist() == [[eos, IGNORED_LABEL, 3, eos, IGNORED_LABEL]]
    assert batch.source_ids_BS.tolist() == [[TOKENS.clm, TOKENS.clm]]
    assert batch.source_documents_BS.tolist() == [[0, 1]]


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.9), (0.5, 0.5), (0.2, 1.0)])
def test_pivot_shares_must_rise_within_the_block(low: float, high: float) -> None:
    with pytest.raises(ValueError, match=r"pivots must rise within \(0, 1\)"):
        SplitCausalLm(lowest_pivot=low, highest_pivot=high)


def test_widths_without_room_are_refused() -> None:
    with pytest.raises(ValueError, match="room for"):
        SplitCausalLm(max_source_tokens=1)
