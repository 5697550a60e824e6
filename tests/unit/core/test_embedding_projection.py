from pathlib import Path

import numpy as np
import pytest

from codet5p.core.embedding_projection import EmbeddingProjection
from codet5p.core.errors import ArtifactError

TENSORS = {
    "text_code_projection.weight": np.array([[3, 0], [0, 4]], np.float32),
    "text_code_projection.bias": np.array([0, 0], np.float32),
}


def test_states_are_projected_and_brought_to_length_one() -> None:
    projection = EmbeddingProjection.from_tensors(TENSORS)
    embeddings = projection.embed(np.array([[1, 1], [2, 0]], np.float32))
    np.testing.assert_allclose(embeddings, [[0.6, 0.8], [1, 0]], atol=1e-7)
    assert embeddings.dtype == np.float32


def test_the_bias_counts() -> None:
    bias = {"text_code_projection.bias": np.array([0, -4], np.float32)}
    embeddings = EmbeddingProjection.from_tensors(TENSORS | bias).embed(np.array([[1, 1]], np.float32))
    np.testing.assert_allclose(embeddings, [[1, 0]])


def test_a_vector_of_zeros_stays_one() -> None:
    embeddings = EmbeddingProjection.from_tensors(TENSORS).embed(np.zeros((1, 2), np.float32))
    np.testing.assert_array_equal(embeddings, [[0, 0]])


def test_int8_rows_are_read_with_their_scales() -> None:
    quantized = {
        "text_code_projection.weight": np.array([[127, 0], [0, 127]], np.int8),
        "text_code_projection.weight_scale": np.array([127 / 3, 127 / 4], np.float32),
        "text_code_projection.bias": np.zeros(2, np.float32),
    }
    weight = EmbeddingProjection.from_tensors(quantized).weight_ED
    np.testing.assert_allclose(weight, TENSORS["text_code_projection.weight"], rtol=1e-6)


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    projection = EmbeddingProjection.from_tensors(TENSORS)
    projection.save(tmp_path / "projection.safetensors")
    read = EmbeddingProjection.from_file(tmp_path / "projection.safetensors")
    np.testing.assert_array_equal(read.weight_ED, projection.weight_ED)
    np.testing.assert_array_equal(read.bias_E, projection.bias_E)


@pytest.mark.parametrize("content", [None, b"", b"damaged" * 9])
def test_a_missing_or_damaged_file_is_an_error_with_the_remedy(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "projection.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"^cannot read .*projection\.safetensors: .*; see codet5p doctor$"):
        EmbeddingProjection.from_file(path)
