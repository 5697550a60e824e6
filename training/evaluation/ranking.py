"""Ranking metrics: mean reciprocal rank, recall, graded gain.

Shape legend: Q queries, C candidates.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["ndcg", "ranks_of_gold", "recall_at", "reciprocal_ranks"]


def ranks_of_gold(scores_QC: NDArray[np.floating], gold_Q: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rank of each query's right candidate, from 1 on.

    Args:
        scores_QC: The higher the better.
        gold_Q: Number of the right candidate.

    Returns:
        int64 [Q]; ties count against the model.
    """
    gold_scores_Q1 = np.take_along_axis(scores_QC, gold_Q[:, None], axis=1)
    ranks: NDArray[np.int64] = (scores_QC >= gold_scores_Q1).sum(axis=1)
    return ranks


def reciprocal_ranks(ranks_Q: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return 1 / rank for each query; their mean is the MRR."""
    return 1.0 / ranks_Q


def recall_at(ranks_Q: NDArray[np.int64], k: int) -> float:
    """Return the share of queries whose right candidate is among the first `k`."""
    return float((ranks_Q <= k).mean())


def ndcg(relevances: Sequence[float], k: int) -> float:
    """Return the normalised discounted cumulative gain of one ranking.

    Args:
        relevances: Grade of each candidate in ranked order, all candidates included; 0 is irrelevant.
        k: How many of the first are counted.

    Returns:
        From 0 to 1; 0 if nothing is relevant. The gain of a grade is 2^grade - 1.

    Source: Burges et al. 2005.
    """
    best = _gain(sorted(relevances, reverse=True)[:k])
    return _gain(relevances[:k]) / best if best else 0.0


def _gain(relevances: Sequence[float]) -> float:
    return float(sum((2**grade - 1) / np.log2(place + 2) for place, grade in enumerate(relevances)))
