"""The exported embedding model computes what the torch model computes, in the server and in other libraries."""

import inspect
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import torch
from bert_folder import write_bert_folder
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer

from codet5p.core.assembly import assemble
from codet5p.core.encoder_inputs import opened_source
from codet5p.core.errors import ArtifactError
from codet5p.core.tokenizer import Tokenizer
from codet5p.export.exporter import ExportOptions, export_artifact
from codet5p.export.hugging_face import write_hugging_face
from codet5p.export.sentence_transformers import write_sentence_transformers
from codet5p.lsp_server.engine.encoder_engine import EncoderEngine, EncoderLimits
from codet5p.lsp_server.engine.loading import load_encoder_engine
from codet5p.model.checkpoint import save_checkpoint
from codet5p.model.importers.minilm import import_minilm
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.evaluation.torch_model import TorchModel

MAX_TOKENS = 60
POSITIONS = 64
"""Of the small model; both the server and the folder have to mind them."""
TEXTS = (
    "Return the value of a header.",
    "def parseHttpHeader(self):\n    return self.value\n",
    "",
    "[CLS] is only text here, and ä",
    "return value; " * 40,
)
INT8_COSINE = 0.99
"""Least cosine between int8 and float32 embeddings; 0.9996 measured."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedding")
    write_bert_folder(folder / "bert")
    imported = import_minilm(folder / "bert")
    save_checkpoint(folder / "checkpoint", imported.model, tokenizer_json=imported.tokenizer_json, extra={})
    return folder / "checkpoint"


@pytest.fixture(scope="module")
def expected(checkpoint: Path) -> NDArray[np.float32]:
    torch_model = TorchModel.from_checkpoint(checkpoint)
    return torch_model.embed_rows([opened_source(torch_model.tokenizer, text, MAX_TOKENS) for text in TEXTS])


def engine(checkpoint: Path, quantization: str) -> EncoderEngine:
    home = checkpoint.parent / quantization
    options = ExportOptions(name="small", modes=("embed",), quantization=quantization)  # type: ignore[arg-type]
    export_artifact(checkpoint, home / "artifact", options)
    return load_encoder_engine(home / "artifact", home / "cache", num_threads=1)


def embedded(engine: EncoderEngine, tokenizer: Tokenizer) -> NDArray[np.float32]:
    return engine.embed_ids([opened_source(tokenizer, text, MAX_TOKENS) for text in TEXTS])


def test_the_float32_artifact_gives_the_vectors_of_torch(checkpoint: Path, expected: NDArray[np.float32]) -> None:
    tokenizer = Tokenizer.from_file(checkpoint / "tokenizer.json")
    np.testing.assert_allclose(embedded(engine(checkpoint, "float32"), tokenizer), expected, atol=1e-4)


def test_the_int8_artifact_gives_almost_the_same_directions(checkpoint: Path, expected: NDArray[np.float32]) -> None:
    tokenizer = Tokenizer.from_file(checkpoint / "tokenizer.json")
    found = embedded(engine(checkpoint, "int8"), tokenizer)
    assert (found * expected).sum(axis=1).min() >= INT8_COSINE
    assert np.linalg.norm(expected[1] - expected[2]) > 0.1


def test_the_artifact_holds_one_model_and_no_projection(checkpoint: Path) -> None:
    home = checkpoint.parent / "alone"
    export_artifact(checkpoint, home / "artifact", ExportOptions(name="small", modes=("embed",)))
    models = assemble(home / "artifact", home / "cache")
    assert models.encoder is not None
    assert models.completion is models.sequence_to_sequence is None
    assert sorted(path.name for path in models.encoder.iterdir()) == ["config.json", "model.bin", "vocabulary.json"]


def test_sentence_transformers_gives_the_same_vectors(checkpoint: Path, expected: NDArray[np.float32]) -> None:
    folder = checkpoint.parent / "sentence-transformers"
    write_sentence_transformers(checkpoint, folder, max_tokens=MAX_TOKENS)
    assert inspect.signature(write_sentence_transformers).parameters["max_tokens"].default == EncoderLimits().max_tokens
    found = SentenceTransformer(str(folder), device="cpu").encode(list(TEXTS))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_an_artifact_gives_sentence_transformers_the_vectors_of_the_server(checkpoint: Path) -> None:
    int8 = engine(checkpoint, "int8")
    home = checkpoint.parent / "int8"
    write_sentence_transformers(home / "artifact", home / "sentence-transformers")
    library = SentenceTransformer(str(home / "sentence-transformers"), device="cpu")
    assert library.max_seq_length == POSITIONS < EncoderLimits().max_tokens
    texts = [*TEXTS, "word " * 500]
    found = library.encode(texts)
    assert (found * int8.embed(texts)).sum(axis=1).min() >= INT8_COSINE  # the server rounds its states to int8 too
    folder = assemble(home / "artifact", home / "cache").folder("embed")
    int8._encoder = ctranslate2.Encoder(str(folder), compute_type="float32")
    np.testing.assert_allclose(found, int8.embed(texts), atol=1e-3)


def test_an_altered_artifact_is_no_model_for_other_libraries(checkpoint: Path, tmp_path: Path) -> None:
    export_artifact(checkpoint, tmp_path / "artifact", ExportOptions(name="small", modes=("embed",)))
    (weights,) = (tmp_path / "artifact").glob("weights-*")
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="truncated"):
        write_sentence_transformers(tmp_path / "artifact", tmp_path / "folder")


def test_transformers_loads_a_plain_bert(checkpoint: Path, expected: NDArray[np.float32]) -> None:
    folder = checkpoint.parent / "hugging-face"
    assert write_hugging_face(checkpoint, folder) == "BertModel"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer([*TEXTS], padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
    bert, report = AutoModel.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    with torch.inference_mode():
        states_BSD = bert(**batch).last_hidden_state
    weights_BS1 = batch["attention_mask"].unsqueeze(-1)
    mean_BD = (states_BSD * weights_BS1).sum(1) / weights_BS1.sum(1)
    np.testing.assert_allclose(torch.nn.functional.normalize(mean_BD, dim=1).numpy(), expected, atol=1e-4)


def test_the_model_is_one_of_ours(checkpoint: Path) -> None:
    model = TorchModel.from_checkpoint(checkpoint)._model
    assert isinstance(model, CodeT5pModel)
    assert (model.decoder, model.text_code_projection, model.matching_head) == (None, None, None)
