import numpy as np
import pytest

from codet5p.training.evaluation.intervals import bootstrap_interval
from codet5p.training.evaluation.ranking import ndcg, ranks_of_gold, recall_at, reciprocal_ranks

SCORES = np.array([[0.9, 0.5, 0.1], [0.2, 0.2, 0.8], [0.3, 0.3, 0.3]])


def test_ranks_count_ties_against_the_model() -> None:
    assert ranks_of_gold(SCORES, np.array([1, 0, 2])).tolist() == [2, 3, 3]


def test_mrr_and_recall_by_hand() -> None:
    ranks = np.array([1, 2, 4])
    assert reciprocal_ranks(ranks).mean() == pytest.approx((1 + 1 / 2 + 1 / 4) / 3)
    assert recall_at(ranks, 1) == pytest.approx(1 / 3)
    assert recall_at(ranks, 2) == pytest.approx(2 / 3)


def test_ndcg_by_hand() -> None:
    gain = 1 / np.log2(2) + 7 / np.log2(3)
    best = 7 / np.log2(2) + 1 / np.log2(3)
    assert ndcg([1, 3, 0], 10) == pytest.approx(gain / best)
    assert ndcg([3, 1, 0], 10) == 1
    assert ndcg([0, 0], 10) == 0


def test_ndcg_looks_no_deeper_than_asked() -> None:
    assert ndcg([0, 0, 3], 2) == 0


def test_the_interval_covers_the_mean_and_narrows_with_rows() -> None:
    rng = np.random.default_rng(0)
    few, many = rng.random(30), rng.random(3000)
    low, high = bootstrap_interval(few)
    assert low < few.mean() < high
    assert np.diff(bootstrap_interval(many)) < np.diff((low, high)) / 3


def test_reciprocal_ranks_agree_with_sorting() -> None:
    rng = np.random.default_rng(1)
    scores, gold = rng.random((50, 20)), rng.integers(0, 20, 50)
    order = np.argsort(-scores, axis=1)
    expected = [1 / (1 + int(np.flatnonzero(row == right)[0])) for row, right in zip(order, gold, strict=True)]
    assert reciprocal_ranks(ranks_of_gold(scores, gold)).tolist() == pytest.approx(expected)
