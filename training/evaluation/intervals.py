"""Bootstrap intervals of a mean."""

from collections.abc import Sequence

import numpy as np

__all__ = ["bootstrap_interval"]


def bootstrap_interval(values: Sequence[float], *, resamples: int = 1000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the mean of `values`.

    Args:
        values: One score for each row, at least one.
        resamples: Number of bootstrap samples.
        seed: Of the resampling.

    Returns:
        Lower and upper end, by percentiles.
    """
    array = np.asarray(values, np.float64)
    rng = np.random.default_rng(seed)
    means = [array[rng.integers(0, len(array), len(array))].mean() for _ in range(resamples)]
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))
