from pathlib import Path

import numpy as np
import pytest
from small_artifact import SMALL, SMALL_DECODER, write_artifact

from codet5p.core.errors import ArtifactError
from codet5p.lsp_server.index.encoder import EncoderPlace, LazyEncoder, find_encoder


def test_an_encoder_of_its_own_comes_before_that_of_the_model_that_completes(tmp_path: Path) -> None:
    laptop, own = tmp_path / "laptop", tmp_path / "embedding"
    write_artifact(laptop, SMALL_DECODER, modes=("complete",))
    assert find_encoder(laptop, tmp_path) is None
    write_artifact(own, SMALL, modes=("embed",))
    assert find_encoder(laptop, tmp_path) == EncoderPlace(own, tmp_path)


def test_a_model_that_can_also_embed_is_the_encoder(tmp_path: Path) -> None:
    write_artifact(tmp_path / "laptop", SMALL, modes=("complete", "embed"))
    assert find_encoder(tmp_path / "laptop", tmp_path) == EncoderPlace(tmp_path / "laptop", tmp_path)


def test_the_name_is_known_before_the_model_is_loaded(tmp_path: Path) -> None:
    manifest = write_artifact(tmp_path / "artifact", SMALL, modes=("embed",))
    encoder = LazyEncoder(EncoderPlace(tmp_path / "artifact", tmp_path / "cache"), num_threads=1)
    assert encoder.name == f"small-{manifest.revision}"
    assert not (tmp_path / "cache").exists()
    vectors = encoder.embed(["def f(): ...", "a function"])
    assert vectors.shape == (2, SMALL.embedding_dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_an_altered_artifact_is_an_error_when_it_is_loaded(tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", SMALL, modes=("embed",))
    weights = next((tmp_path / "artifact").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    encoder = LazyEncoder(EncoderPlace(tmp_path / "artifact", tmp_path / "cache"), num_threads=1)
    with pytest.raises(ArtifactError, match="altered"):
        encoder.load()
