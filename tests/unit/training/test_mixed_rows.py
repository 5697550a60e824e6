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
