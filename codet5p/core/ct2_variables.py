"""The variables of one CTranslate2 model, each filled from weights of ours when it is written.

CTranslate2 wants some of our matrices fused, rows below rows; int8 rows keep their scales through that.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codet5p.core.artifact import SCALE_SUFFIX

__all__ = ["Tensors", "VariableTable"]

Tensors = Mapping[str, NDArray[Any]]
_Value = NDArray[Any] | np.generic


class VariableTable:
    """CTranslate2's names, and for each of them how to read its value from the weights of an artifact."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors
        self.variables: dict[str, Callable[[], _Value]] = {}
        self.aliases: dict[str, str] = {}

    def add_scalars(self, scope: str, scalars: Mapping[str, np.generic]) -> None:
        """Add settings under `scope`."""
        for name, value in scalars.items():
            self.variables[f"{scope}/{name}"] = lambda value=value: value  # type: ignore[misc]

    def add_array(self, name: str, read: Callable[[], NDArray[Any]]) -> None:
        """Add a float32 array that `read` makes when it is written."""
        self.variables[name] = lambda: read().astype(np.float32)

    def add_vector(self, name: str, *sources: str) -> None:
        """Add a weight as float32, as it is; of several, one behind the other."""
        self.add_array(name, lambda: np.concatenate([self.tensors[source] for source in sources]))

    def add_matrix(self, name: str, *sources: str, factors: Mapping[str, float] | None = None) -> None:
        """Add the matrix whose rows are those of `sources`, one after the other.

        Args:
            name: CTranslate2's name, without the suffix of the scales.
            *sources: Names of our matrices; all int8 with scales, or all float32.
            factors: By what to multiply the values of a source; 1 where it is not named.
        """
        factors = factors or {}
        self.variables[name] = lambda: np.concatenate([self._values(source, factors) for source in sources])
        if self._is_quantized(sources[0]):
            self.variables[name + SCALE_SUFFIX] = lambda: np.concatenate(
                [self._scales(source, factors) for source in sources]
            )

    def add_zero_matrix(self, name: str, rows: int, columns: int, *, like: str) -> None:
        """Add a matrix of zeros, stored as our matrix `like` is."""
        if self._is_quantized(like):
            self.variables[name] = lambda: np.zeros((rows, columns), np.int8)
            self.variables[name + SCALE_SUFFIX] = lambda: np.ones(rows, np.float32)
        else:
            self.variables[name] = lambda: np.zeros((rows, columns), np.float32)

    def alias_matrix(self, name: str, holder: str) -> None:
        """Let `name` stand for the matrix `holder`, scales included."""
        for suffix in ("", SCALE_SUFFIX):
            if holder + suffix in self.variables:
                self.aliases[name + suffix] = holder + suffix

    def _is_quantized(self, source: str) -> bool:
        return source + SCALE_SUFFIX in self.tensors

    def _values(self, source: str, factors: Mapping[str, float]) -> NDArray[Any]:
        values = np.asarray(self.tensors[source])
        if self._is_quantized(source) or source not in factors:
            return values  # of quantised rows the scales carry the factor
        return (values * factors[source]).astype(np.float32)

    def _scales(self, source: str, factors: Mapping[str, float]) -> NDArray[np.float32]:
        scales = np.asarray(self.tensors[source + SCALE_SUFFIX])
        return (scales / factors.get(source, 1.0)).astype(np.float32)
