"""Encoding in processes."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as BpeTokenizer
from tokenizers import models, pre_tokenizers

from codet5p.training.corpus.encoding import EncodedBatch, Encoder


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = BpeTokenizer(models.BPE(vocab={token: i for i, token in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def encoded(tokenizer: Path, texts: list[str], workers: int) -> list[EncodedBatch]:
    with Encoder(tokenizer, "<u2", workers) as encoder:
        return list(encoder.encode(texts))


def test_batches_come_in_the_order_of_the_texts_whatever_the_number_of_processes(tokenizer: Path) -> None:
    texts = [f"text {number} " * (1 + number % 7) for number in range(3000)]
    alone, together = encoded(tokenizer, texts, 0), encoded(tokenizer, texts, 2)
    assert [batch.lengths.tolist() for batch in alone] == [batch.lengths.tolist() for batch in together]
    assert all(np.array_equal(one.ids, other.ids) for one, other in zip(alone, together, strict=True))
    assert np.concatenate([batch.lengths for batch in alone]).tolist() == [len(text) for text in texts]


def test_a_batch_has_the_type_asked_for_and_counts_bytes_of_text(tokenizer: Path) -> None:
    (batch,) = encoded(tokenizer, ["ä", "", "ab"], 0)
    assert batch.ids.dtype == np.dtype("<u2")
    assert batch.lengths.tolist() == [2, 0, 2]
    assert batch.text_bytes == 4


def test_no_texts_give_no_batch(tokenizer: Path) -> None:
    assert encoded(tokenizer, [], 0) == []
