import numpy as np
import pytest
from ctranslate2.specs import common_spec
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from codet5p.export.quantization import dequantize, quantize_rows

MATRICES = arrays(np.float32, array_shapes(min_dims=2, max_dims=2), elements=st.floats(-100, 100, width=32))


def test_the_largest_value_of_a_row_becomes_127() -> None:
    stored, scale = quantize_rows(np.array([[0.5, -1.0], [4.0, 1.0]], dtype=np.float32))
    np.testing.assert_array_equal(stored, [[64, -127], [127, 32]])
    np.testing.assert_allclose(scale, [127.0, 31.75])
    assert (stored.dtype, scale.dtype) == (np.int8, np.float32)


def test_a_row_of_zeros_stays_zero() -> None:
    stored, scale = quantize_rows(np.zeros((2, 3), dtype=np.float32))
    np.testing.assert_array_equal(stored, 0)
    np.testing.assert_array_equal(scale, 1)


@given(matrix=MATRICES)
def test_no_value_is_off_by_more_than_half_a_step(matrix: np.ndarray) -> None:
    matrix = np.where(np.abs(matrix) < 1e-6, 0, matrix).astype(np.float32)
    stored, scale = quantize_rows(matrix)
    assert np.abs(stored.astype(int)).max() <= 127
    error = np.abs(dequantize(stored, scale) - matrix)
    assert (error <= 0.5 / scale[:, None] * (1 + 1e-4)).all()


def test_the_rounding_is_that_of_ctranslate2() -> None:
    matrix = np.random.default_rng(0).standard_normal((16, 24), dtype=np.float32)
    spec = common_spec.LinearSpec()
    spec.weight = matrix.copy()  # rounded in place
    spec.validate()
    spec._quantize("int8")
    stored, scale = quantize_rows(matrix)
    np.testing.assert_array_equal(stored, spec.weight.numpy())
    assert scale == pytest.approx(spec.weight_scale.numpy())
