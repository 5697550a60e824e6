"""Rounding matrices to int8, one scale a row."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["dequantize", "quantize_rows"]


def quantize_rows(matrix_RC: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the int8 matrix and the scales with `matrix = int8 / scale`.

    Args:
        matrix_RC: R rows of C float32 values.

    Returns:
        The rounded values, int8 [R, C] in -127..127, and one scale a row, float32 [R]; an all-zero row gets scale 1.

    Source: CTranslate2's int8 scheme (`ModelSpec._quantize`), so that its runtime uses the values as they are.
    """
    largest_R = np.abs(matrix_RC).max(axis=1)
    scale_R = np.where(largest_R > 0, 127.0 / np.where(largest_R > 0, largest_R, 1.0), 1.0).astype(np.float32)
    return np.rint(matrix_RC * scale_R[:, None]).astype(np.int8), scale_R


def dequantize(stored_RC: NDArray[Any], scale_R: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the float32 values [R, C] that `stored_RC` with `scale_R` stands for."""
    return stored_RC.astype(np.float32) / scale_R[:, None]
