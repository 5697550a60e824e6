from pathlib import Path

import numpy as np
import pytest
from small_artifact import SMALL, write_artifact

from codet5p.core.errors import EngineError
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine import encoder_engine
from codet5p.lsp_server.engine.encoder_engine import EncoderEngine, EncoderLimits
from codet5p.lsp_server.engine.loading import load_encoder_engine
from codet5p.lsp_server.index.embedding import Embedder


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EncoderEngine:
    folder = tmp_path_factory.mktemp("embed")
    write_artifact(folder / "artifact", SMALL, modes=("embed",))
    return load_encoder_engine(folder / "artifact", folder / "cache", num_threads=1)


def test_the_engine_is_what_the_index_asks_for(engine: EncoderEngine) -> None:
    embedder: Embedder = engine
    vectors = embedder.embed(["one", "", "three\n" * 50])
    assert vectors.shape == (3, SMALL.embedding_dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert embedder.name.startswith("small-")


def test_rows_keep_the_order_of_their_texts(engine: EncoderEngine) -> None:
    texts = ["a long text " * 9, "b", "a middling text", "b"]
    together = engine.embed(texts)
    np.testing.assert_allclose(together, np.concatenate([engine.embed([text]) for text in texts]), atol=1e-5)
    np.testing.assert_array_equal(together[1], together[3])
    assert np.abs(together[0] - together[1]).max() > 0.01


def test_threads_share_the_batches_and_change_no_vector(engine: EncoderEngine, tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", SMALL, modes=("embed",))
    several = load_encoder_engine(tmp_path / "artifact", tmp_path / "cache", num_threads=3)
    several._limits = EncoderLimits(max_batch_tokens=20)
    texts = [f"{'text ' * (number % 7)}{number}" for number in range(40)]
    assert len(list(several._batches([len(text) for text in texts]))) > 3
    np.testing.assert_allclose(several.embed(texts), engine.embed(texts), atol=1e-6)


def test_without_a_number_there_is_a_thread_a_core_and_no_more_than_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_artifact(tmp_path / "artifact", SMALL, modes=("embed",))
    for cores, threads in ((1, 1), (2, 2), (64, 4)):
        monkeypatch.setattr(encoder_engine, "_num_cores", lambda cores=cores: cores)
        loaded = load_encoder_engine(tmp_path / "artifact", tmp_path / "cache", num_threads=0)
        assert loaded._encoder.num_encoders == threads


def test_batches_are_sorted_by_length_and_within_the_limit(engine: EncoderEngine) -> None:
    engine._limits = EncoderLimits(max_batch_tokens=10)
    assert list(engine._batches([5, 1, 4, 12, 2])) == [[1, 4], [2, 0], [3]]
    engine._limits = EncoderLimits()


def test_what_is_beyond_the_limit_is_not_read(engine: EncoderEngine) -> None:
    text = "x" * 143  # one place is for the opening token
    np.testing.assert_array_equal(engine.embed([text]), engine.embed([text + "tail"]))


@pytest.mark.parametrize("changes", [{"max_tokens": 1}, {"max_batch_tokens": 0}])
def test_limits_without_room_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        EncoderLimits(**changes)


def test_a_folder_without_a_model_is_an_error_with_the_remedy(tmp_path: Path, tokenizer: Tokenizer) -> None:
    with pytest.raises(EngineError, match=r"^cannot load the model .*; see codet5p doctor$"):
        EncoderEngine(tmp_path, tokenizer, config=SMALL, name="none", num_threads=1)
