import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from codet5p.training.mixed_rows import MixedRows, deal_rows


@given(st.lists(st.floats(0.05, 1.0), min_size=1, max_size=4), st.integers(1, 40))
def test_dealt_rows_follow_one_another_and_meet_their_shares(weights: list[float], steps: int) -> None:
    previous = [0] * len(weights)
    for step in range(steps):
        dealt = deal_rows(weights, range(64 * step, 64 * (step + 1)))
        assert [rows.start for rows in dealt] == previous
        assert sum(len(rows) for rows in dealt) == 64
        previous = [rows.stop for rows in dealt]
    shares = np.asarray(weights) / sum(weights)
    assert np.abs(np.asarray(previous) - shares * 64 * steps).max() <= len(weights)


def test_an_epoch_reads_each_row_once() -> None:
    mixed = MixedRows([10, 5], [2.0, 1.0])
    rows = mixed.rows(range(15), (0,))
    assert sorted(rows.tolist()) == list(range(15))
    assert mixed.rows(range(15), (1,)).tolist() != rows.tolist()


def test_reading_in_parts_is_reading_at_once() -> None:
    mixed = MixedRows([7], [1.0])
    whole = mixed.rows(range(21), (0,))
    assert np.concatenate([mixed.rows(range(a, a + 3), (0,)) for a in range(0, 21, 3)]).tolist() == whole.tolist()


@given(st.lists(st.floats(0.05, 1.0), min_size=1, max_size=6), st.integers(1, 60))
def test_a_block_is_of_one_table_and_shares_are_met_in_blocks(weights: list[float], blocks: int) -> None:
    mixed = MixedRows([100] * len(weights), weights, block=4)
    table_NB = mixed.rows(range(4 * blocks), (0,)).reshape(blocks, 4) // 100
    assert (table_NB == table_NB[:, :1]).all()
    shares = np.asarray(weights) / sum(weights)
    assert np.abs(np.bincount(table_NB[:, 0], minlength=len(weights)) - shares * blocks).max() <= len(weights)


def test_blocks_read_in_parts_are_those_read_at_once() -> None:
    mixed, again = (MixedRows([9, 5], [2.0, 1.0], block=4) for _ in range(2))
    whole = mixed.rows(range(48), (0,))
    assert (
        np.concatenate([again.rows(range(a, a + 3), (0,)) for a in range(45, -1, -3)][::-1]).tolist() == whole.tolist()
    )
    assert sorted(whole[whole < 9][:9].tolist()) == list(range(9))
