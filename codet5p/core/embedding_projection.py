"""From the encoder's first state to an embedding, in numpy: CTranslate2's own pooling always ends in an activation.

Shape legend: B texts, D model width, E embedding width.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from codet5p.core.artifact import SCALE_SUFFIX
from codet5p.core.ct2_variables import Tensors
from codet5p.core.errors import ArtifactError

__all__ = ["EmbeddingProjection"]

_WEIGHT = "text_code_projection.weight"
_BIAS = "text_code_projection.bias"
_SMALLEST_NORM = 1e-12  # as torch.nn.functional.normalize


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EmbeddingProjection:
    """One projection for text and code, and the normalisation behind it.

    Attributes:
        weight_ED: float32.
        bias_E: float32.
    """

    weight_ED: NDArray[np.float32]
    bias_E: NDArray[np.float32]

    @classmethod
    def from_tensors(cls, tensors: Tensors) -> Self:
        """Return the projection that an artifact's weights hold, in float32 however it is stored."""
        weight_ED = np.asarray(tensors[_WEIGHT]).astype(np.float32)
        if _WEIGHT + SCALE_SUFFIX in tensors:
            weight_ED /= np.asarray(tensors[_WEIGHT + SCALE_SUFFIX])[:, None]
        return cls(weight_ED=weight_ED, bias_E=np.asarray(tensors[_BIAS]).astype(np.float32))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Return the projection stored at `path`.

        Args:
            path: Written by `save`.

        Returns:
            The projection.

        Raises:
            ArtifactError: If the file is missing or damaged.
        """
        try:
            return cls.from_tensors(load_file(path))
        except (OSError, SafetensorError) as error:
            raise ArtifactError(f"cannot read {path}: {error}; see codet5p doctor") from None

    def save(self, path: Path) -> None:
        """Write the projection to `path`."""
        save_file({_WEIGHT: self.weight_ED, _BIAS: self.bias_E}, path)

    def embed(self, first_states_BD: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the embeddings, float32 [B, E] of length 1.

        Args:
            first_states_BD: Encoder states at `[CLS]`, position 0.

        Returns:
            L2-normalised embeddings.
        """
        projected_BE = first_states_BD @ self.weight_ED.T + self.bias_E
        norms_B1 = np.linalg.norm(projected_BE, axis=1, keepdims=True)
        embeddings_BE: NDArray[np.float32] = projected_BE / np.maximum(norms_B1, _SMALLEST_NORM)
        return embeddings_BE
