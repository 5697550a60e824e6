from pathlib import Path

import numpy as np
import pytest
from small_artifact import SMALL, SMALL_EMBEDDING

from codet5p.core.embedding_head import PROJECTION_NAME, EmbeddingHead, EmbeddingProjection
from codet5p.core.errors import ArtifactError

TENSORS = {
    "text_code_projection.weight": np.array([[3, 0], [0, 4]], np.float32),
    "text_code_projection.bias": np.array([0, 0], np.float32),
}


def head(tensors: dict[str, np.ndarray] = TENSORS) -> EmbeddingHead:
    return EmbeddingHead(pooling="first", projection=EmbeddingProjection.from_tensors(tensors), width=2)


def states(*rows: list[float]) -> np.ndarray:
    """Return one state for each of two texts, float32 [2, 1, 2]."""
    return np.array(rows, np.float32)[:, None]


def test_the_first_states_are_projected_and_brought_to_length_one() -> None:
    states_BSD = np.concatenate([states([1, 1], [2, 0]), states([7, 8], [9, 9])], axis=1)
    embeddings = head().embed(states_BSD, [2, 2])
    np.testing.assert_allclose(embeddings, [[0.6, 0.8], [1, 0]], atol=1e-7)
    assert embeddings.dtype == np.float32


def test_the_bias_counts() -> None:
    bias = {"text_code_projection.bias": np.array([0, -4], np.float32)}
    np.testing.assert_allclose(head(TENSORS | bias).embed(states([1, 1]), [1]), [[1, 0]])


def test_a_vector_of_zeros_stays_one() -> None:
    np.testing.assert_array_equal(head().embed(states([0, 0]), [1]), [[0, 0]])


def test_a_mean_leaves_padding_out_and_needs_no_projection() -> None:
    states_BSD = np.concatenate([states([3, 0], [5, 0]), states([3, 8], [-99, 99])], axis=1)
    embeddings = EmbeddingHead(pooling="mean", projection=None, width=2).embed(states_BSD, [2, 1])
    np.testing.assert_allclose(embeddings, [[0.6, 0.8], [1, 0]], atol=1e-7)
    assert embeddings.dtype == np.float32


def test_the_head_of_a_folder_is_what_the_shape_says(tmp_path: Path) -> None:
    plain = EmbeddingHead.from_folder(tmp_path, SMALL_EMBEDDING)
    assert (plain.pooling, plain.projection, plain.width) == ("mean", None, 24)
    EmbeddingProjection.from_tensors(TENSORS).save(tmp_path / PROJECTION_NAME)
    found = EmbeddingHead.from_folder(tmp_path, SMALL)
    assert (found.pooling, found.width) == ("first", 8)
    assert found.projection is not None


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
    projection.save(tmp_path / PROJECTION_NAME)
    read = EmbeddingProjection.from_file(tmp_path / PROJECTION_NAME)
    np.testing.assert_array_equal(read.weight_ED, projection.weight_ED)
    np.testing.assert_array_equal(read.bias_E, projection.bias_E)


@pytest.mark.parametrize("content", [None, b"", b"damaged" * 9])
def test_a_missing_or_damaged_file_is_an_error_with_the_remedy(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / PROJECTION_NAME
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"^cannot read .*projection\.safetensors: .*; see codet5p doctor$"):
        EmbeddingProjection.from_file(path)
