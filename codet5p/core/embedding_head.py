"""From the encoder's states to embeddings, in numpy: CTranslate2's own pooling always ends in an activation.

Shape legend: B texts, S tokens, D model width, E embedding width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from codet5p.core.artifact import dequantised
from codet5p.core.ct2_variables import Tensors
from codet5p.core.errors import ArtifactError
from codet5p.core.model_config import CodeT5pConfig

__all__ = ["PROJECTION_NAME", "EmbeddingHead", "EmbeddingProjection"]

PROJECTION_NAME = "projection.safetensors"
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
        return cls(weight_ED=dequantised(tensors, _WEIGHT), bias_E=np.asarray(tensors[_BIAS]).astype(np.float32))

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

    def project(self, pooled_BD: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the projected states, float32 [B, E]."""
        projected_BE: NDArray[np.float32] = pooled_BD @ self.weight_ED.T + self.bias_E
        return projected_BE


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EmbeddingHead:
    """All that follows the encoder: pooling, projection where there is one, normalisation.

    Attributes:
        pooling: The state at `[CLS]`, position 0, or the mean of all states.
        projection: None where the pooled state is the embedding.
        width: Of the embedding.
    """

    pooling: Literal["first", "mean"]
    projection: EmbeddingProjection | None
    width: int

    @classmethod
    def from_folder(cls, folder: Path, config: CodeT5pConfig) -> Self:
        """Return the head of the assembled encoder in `folder`.

        Args:
            folder: Holds `projection.safetensors`, if the model has a projection.
            config: Shape of the model.

        Returns:
            The head.

        Raises:
            ArtifactError: If the projection is missing or damaged.
        """
        has_projection = config.has_embedding_projection
        projection = EmbeddingProjection.from_file(folder / PROJECTION_NAME) if has_projection else None
        return cls(pooling=config.pooling, projection=projection, width=config.embedding_dim)

    def embed(self, states_BSD: NDArray[np.float32], lengths: Sequence[int]) -> NDArray[np.float32]:
        """Return the embeddings, float32 [B, E] of length 1.

        Args:
            states_BSD: Encoder states.
            lengths: Tokens of each text; states behind them are padding.

        Returns:
            L2-normalised embeddings.
        """
        pooled_BD = states_BSD[:, 0] if self.pooling == "first" else _mean(states_BSD, np.asarray(lengths))
        embeddings_BE = pooled_BD if self.projection is None else self.projection.project(pooled_BD)
        norms_B1 = np.linalg.norm(embeddings_BE, axis=1, keepdims=True)
        normalized_BE: NDArray[np.float32] = embeddings_BE / np.maximum(norms_B1, _SMALLEST_NORM)
        return normalized_BE


def _mean(states_BSD: NDArray[np.float32], lengths_B: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the mean state of the real tokens, [B, D]."""
    is_real_BS = np.arange(states_BSD.shape[1]) < lengths_B[:, None]
    weights_BS = (is_real_BS / lengths_B[:, None]).astype(np.float32)
    mean_BD: NDArray[np.float32] = np.matmul(weights_BS[:, None], states_BSD)[:, 0]
    return mean_BD
