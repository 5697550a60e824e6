"""A model that loses tokens."""

from dataclasses import replace

import pytest
import torch
from tiny_models import SHALLOW_DEEP, random_model
from tokenizers import Tokenizer as BpeTokenizer
from tokenizers import models

from codet5p.core.errors import CheckpointError
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.vocabulary import with_vocabulary

LETTERS = "abcdefgh"
KEPT = "bdeg"


def tokenizer_of(letters: str) -> Tokenizer:
    return Tokenizer(BpeTokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[])))


def test_the_tokens_that_stay_have_the_logits_they_had() -> None:
    model = random_model(replace(SHALLOW_DEEP, vocab_size=len(LETTERS)))
    smaller = with_vocabulary(model, tokenizer_of(LETTERS), tokenizer_of(KEPT)).eval()
    assert smaller.config == replace(model.config, vocab_size=len(KEPT))
    rows = [LETTERS.index(letter) for letter in KEPT]
    old_ids, new_ids = torch.tensor([[rows[2], rows[0], rows[1]]]), torch.tensor([[2, 0, 1]])
    with torch.inference_mode():
        before = model(old_ids, old_ids)
        after = smaller(new_ids, new_ids)
    torch.testing.assert_close(after, before[..., rows])


def test_a_token_that_the_model_never_had_is_named() -> None:
    model = random_model(replace(SHALLOW_DEEP, vocab_size=len(LETTERS)))
    with pytest.raises(CheckpointError, match="no token 'z'; trim its own tokenizer with codet5p corpus vocabulary"):
        with_vocabulary(model, tokenizer_of(LETTERS), tokenizer_of("abz"))


def test_a_model_with_a_head_of_its_own_is_refused() -> None:
    model = random_model(replace(SHALLOW_DEEP, vocab_size=len(LETTERS), tie_head=False))
    with pytest.raises(CheckpointError, match="output head is its embedding"):
        with_vocabulary(model, tokenizer_of(LETTERS), tokenizer_of(KEPT))
