"""Trimming a tokenizer to what a corpus uses."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as BpeTokenizer
from tokenizers import models, pre_tokenizers

from codet5p.core.errors import ConfigError, DataError
from codet5p.core.special_tokens import CLM, SPECIAL_TOKENS
from codet5p.core.tokenizer import Tokenizer
from codet5p.training.corpus.vocabulary import TokenUse, token_shares, trim_tokenizer
from codet5p.training.tokenizer_training import train_tokenizer

CODE = "def compute_total(values, factor):\n    return sum(value * factor for value in values)\n" * 5
PROSE = "Photosynthesis converts light energy into chemical energy, which organisms metabolise.\n" * 5
SMALLEST = 256 + len(SPECIAL_TOKENS)
SIZE = SMALLEST + 60


def use_of(tokenizer: Tokenizer, text: str) -> TokenUse:
    counts = np.bincount(tokenizer.encode(text), minlength=tokenizer.vocab_size)
    return TokenUse(counts=counts, text_bytes=len(text.encode()))


@pytest.fixture(scope="module")
def full() -> Tokenizer:
    return train_tokenizer([CODE, PROSE], 256 + 150)


@pytest.fixture(scope="module")
def trimmed(full: Tokenizer) -> Tokenizer:
    shares = token_shares({"python": use_of(full, CODE)})
    return Tokenizer(BpeTokenizer.from_str(trim_tokenizer(full.to_json(), shares, SIZE)))


def test_the_size_is_met_and_special_tokens_and_bytes_stay(full: Tokenizer, trimmed: Tokenizer) -> None:
    assert trimmed.vocab_size == SIZE < full.vocab_size
    assert set(SPECIAL_TOKENS) == {trimmed.tokens[token_id] for token_id in trimmed.special_ids}
    assert {bytes([byte]) for byte in range(256)} <= set(trimmed.token_bytes)
    assert trimmed.tokens == [token for token in full.tokens if token in set(trimmed.tokens)]


def test_what_is_used_most_is_encoded_as_before(full: Tokenizer, trimmed: Tokenizer) -> None:
    frequent = "def compute_total(values, factor):\n    return sum(value"
    assert [trimmed.tokens[i] for i in trimmed.encode(frequent)] == [full.tokens[i] for i in full.encode(frequent)]
    assert len(trimmed.encode(PROSE)) > len(full.encode(PROSE))


@given(st.text())
def test_every_text_is_still_encoded_without_loss(trimmed: Tokenizer, text: str) -> None:
    assert trimmed.decode(trimmed.encode(text + CODE)) == text + CODE


def test_a_text_that_names_a_special_token_is_only_text(trimmed: Tokenizer) -> None:
    ids = trimmed.encode(f"x = '{CLM}'")
    assert trimmed.special_ids.isdisjoint(ids)
    assert trimmed.decode(ids) == f"x = '{CLM}'"


def test_every_token_can_be_merged_from_its_parts(trimmed: Tokenizer) -> None:
    model = json.loads(trimmed.to_json())["model"]
    merged = {left + right for left, right in model["merges"]}
    assert {token for token in model["vocab"] if len(token) > 1} == merged
    assert {part for merge in model["merges"] for part in merge} <= set(model["vocab"])


def test_a_small_source_counts_as_much_as_a_large_one() -> None:
    large = TokenUse(counts=np.array([900, 100, 0]), text_bytes=4000)
    small = TokenUse(counts=np.array([0, 1, 1]), text_bytes=8)
    assert token_shares({"python": large, "text": small}).tolist() == [0.45, 0.3, 0.25]
    assert large.tokens_per_byte == 0.25


def test_keeping_all_tokens_changes_nothing(full: Tokenizer) -> None:
    same = trim_tokenizer(full.to_json(), np.zeros(full.vocab_size), full.vocab_size)
    assert json.loads(same)["model"]["vocab"] == json.loads(full.to_json())["model"]["vocab"]
    assert json.loads(same)["model"]["merges"] == json.loads(full.to_json())["model"]["merges"]


@pytest.mark.parametrize("size", [SMALLEST - 1, 10**6])
def test_an_impossible_size_is_refused_with_the_possible_ones(full: Tokenizer, size: int) -> None:
    with pytest.raises(ConfigError, match=f"choose from {SMALLEST} to {full.vocab_size}"):
        trim_tokenizer(full.to_json(), np.zeros(full.vocab_size), size)


def test_a_tokenizer_of_another_kind_is_refused() -> None:
    words = BpeTokenizer(models.WordLevel(vocab={"a": 0, "?": 1}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(DataError, match="only a byte-level BPE tokenizer can be trimmed"):
        trim_tokenizer(words.to_str(), [0.5, 0.5], 1)


def test_the_smaller_tokenizer_is_read_from_its_file(trimmed: Tokenizer, tmp_path: Path) -> None:
    trimmed.save(tmp_path / "tokenizer.json")
    assert Tokenizer.from_file(tmp_path / "tokenizer.json").tokens == trimmed.tokens
