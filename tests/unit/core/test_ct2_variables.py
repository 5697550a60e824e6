import numpy as np
import pytest

from codet5p.core.ct2_variables import VariableTable

INT8 = {
    "a": np.array([[10, -20]], np.int8),
    "a_scale": np.array([4], np.float32),
    "b": np.array([[3, 5], [7, 9]], np.int8),
    "b_scale": np.array([2, 8], np.float32),
}
FLOAT = {"a": np.array([[1, -2]], np.float32), "b": np.array([[3, 5], [7, 9]], np.float32)}


def test_rows_follow_each_other_with_their_scales() -> None:
    table = VariableTable(INT8)
    table.add_matrix("m", "b", "a")
    np.testing.assert_array_equal(table.variables["m"](), [[3, 5], [7, 9], [10, -20]])
    np.testing.assert_array_equal(table.variables["m_scale"](), [2, 8, 4])
    assert np.asarray(table.variables["m"]()).dtype == np.int8


def test_vectors_follow_each_other() -> None:
    table = VariableTable({"a": np.array([1, 2], np.float32), "b": np.array([3], np.float32)})
    table.add_vector("v", "b", "a")
    np.testing.assert_array_equal(table.variables["v"](), [3, 1, 2])


@pytest.mark.parametrize("tensors", [INT8, FLOAT], ids=["int8", "float32"])
def test_a_factor_multiplies_the_values_of_its_source_alone(tensors: dict[str, np.ndarray]) -> None:
    plain, multiplied = VariableTable(tensors), VariableTable(tensors)
    plain.add_matrix("m", "b", "a")
    multiplied.add_matrix("m", "b", "a", factors={"a": 4.0})

    def values(table: VariableTable) -> np.ndarray:
        scales = np.asarray(table.variables["m_scale"]()) if "m_scale" in table.variables else np.ones(3)
        return np.asarray(table.variables["m"]()) / scales[:, None]

    np.testing.assert_allclose(values(multiplied), values(plain) * [[1], [1], [4]])


def test_an_alias_brings_its_scales_where_there_are_any() -> None:
    for tensors, expected in ((INT8, {"n": "m", "n_scale": "m_scale"}), (FLOAT, {"n": "m"})):
        table = VariableTable(tensors)
        table.add_matrix("m", "a")
        table.alias_matrix("n", "m")
        assert table.aliases == expected


def test_a_vector_is_read_as_float32_and_only_when_it_is_written() -> None:
    tensors: dict[str, np.ndarray] = {}
    table = VariableTable(tensors)
    table.add_vector("v", "late")
    tensors["late"] = np.array([1.5], np.float64)
    assert np.asarray(table.variables["v"]()).dtype == np.float32
