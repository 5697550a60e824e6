from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from codet5p.core.errors import CheckpointError, DataError
from codet5p.model.checkpoint import save_checkpoint
from codet5p.model.config import laptop
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.config import DistillationRecipe
from codet5p.training.distillation import Teachers, TextEmbeddings, write_text_embeddings
from codet5p.training.objectives.causal_lm import build_decoder_only_causal_lm
from codet5p.training.objectives.sequence_batch import decoder_states, sequence_loss
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_table import content_id

TOKENS = TaskTokens(clm=50, cls=51, match=52, tdec=53, cdec=54, eos=55, sentinels=(56,))


def tiny_model(vocabulary: int = 64, seed: int = 0) -> CodeT5pModel:
    torch.manual_seed(seed)
    shape = laptop(vocab_size=vocabulary, num_encoder_layers=1, num_decoder_layers=1)
    return CodeT5pModel(replace(shape, width=16, num_heads=2, num_key_value_heads=1, head_dim=8, feed_forward_width=24))


def test_stored_embeddings_are_found_by_their_text(tmp_path: Path) -> None:
    texts = ["one", "two", "three", "two"]
    assert (
        write_text_embeddings(texts, lambda rows: np.array([[len(row), 1.0] for row in rows]), tmp_path / "t.npz") == 3
    )
    stored = TextEmbeddings.from_file(tmp_path / "t.npz")
    rows, found = stored.find(torch.tensor([content_id("three"), content_id("unknown"), content_id("one")]))
    assert found.tolist() == [True, False, True]
    torch.testing.assert_close(rows[0], torch.tensor([5.0, 1.0]) / 26**0.5, atol=5e-3, rtol=0)


def test_eight_bits_and_fewer_directions_keep_the_similarities(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spread = rng.standard_normal((200, 64)) * np.geomspace(1, 0.01, 64)
    vectors = {f"text {number}": row for number, row in enumerate(spread)}
    ids = torch.tensor([content_id(text) for text in vectors])
    exact = torch.nn.functional.normalize(torch.from_numpy(spread), dim=-1).float()
    for width, tolerance in ((None, 0.01), (32, 0.03)):
        path = tmp_path / "t.npz"
        write_text_embeddings(list(vectors), lambda rows: np.array([vectors[row] for row in rows]), path, width=width)
        rows, found = TextEmbeddings.from_file(path).find(ids)
        assert found.all()
        assert rows.size(1) == (width or 64)
        assert (rows @ rows.T - exact @ exact.T).abs().max() < tolerance


def test_no_texts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there are no texts to embed"):
        write_text_embeddings([], lambda rows: np.zeros((len(rows), 2)), tmp_path / "t.npz")


def test_a_file_without_embeddings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="holds no text embeddings"):
        TextEmbeddings.from_file(tmp_path / "t.npz")


def test_a_student_that_is_its_teacher_pays_entropy_in_place_of_surprise(tmp_path: Path) -> None:
    student = tiny_model().eval()
    save_checkpoint(tmp_path / "teacher", student, tokenizer_json=None, extra={})
    teachers = Teachers.from_recipe(DistillationRecipe(decoder=tmp_path / "teacher", decoder_share=0.25), student)
    batch = build_decoder_only_causal_lm(np.arange(20).reshape(2, 10), TOKENS)
    hidden = decoder_states(student, batch)
    log_probabilities = student.logits(hidden).log_softmax(-1)
    entropy = -(log_probabilities.exp() * log_probabilities).sum()
    expected = 0.75 * sequence_loss(student, batch) + 0.25 * entropy
    torch.testing.assert_close(teachers.decoder_loss(student, hidden, batch), expected)


def test_another_vocabulary_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "teacher", tiny_model(128), tokenizer_json=None, extra={})
    with pytest.raises(CheckpointError, match="has 128 tokens, the model 64"):
        Teachers.from_recipe(DistillationRecipe(decoder=tmp_path / "teacher"), tiny_model())
