"""MinHash: estimates against exact similarities, and the search."""

import numpy as np
import pytest

from codet5p.training.corpus.config import DeduplicationConfig
from codet5p.training.corpus.hashing import run_hashes, token_hashes
from codet5p.training.corpus.near_duplicates import NearDuplicateIndex, minhash_signature
from codet5p.training.corpus.text_rules import lexical_tokens

CONFIG = DeduplicationConfig()
WORDS = [f"word{number}" for number in range(600)]


def hashes(words: list[str]) -> np.ndarray:
    return token_hashes(lexical_tokens(" ".join(words)))


def jaccard(first: list[str], second: list[str]) -> float:
    a, b = (set(run_hashes(hashes(words), CONFIG.shingle_tokens).tolist()) for words in (first, second))
    return len(a & b) / len(a | b)


@pytest.mark.parametrize("changed", [0, 5, 20, 60, 300])
def test_signatures_estimate_the_jaccard_similarity(changed: int) -> None:
    other = [f"new{number}" if number % 600 < changed else word for number, word in enumerate(WORDS)]
    first, second = (minhash_signature(hashes(words), CONFIG) for words in (WORDS, other))
    # Three standard deviations of the mean of 128 draws.
    assert float(np.mean(first == second)) == pytest.approx(jaccard(WORDS, other), abs=0.14)


def test_the_order_of_shingles_does_not_matter_but_the_order_of_words_does() -> None:
    signature = minhash_signature(hashes(WORDS), CONFIG)
    assert (minhash_signature(hashes(WORDS + WORDS), CONFIG) == signature).mean() > 0.9
    assert (minhash_signature(hashes(WORDS[::-1]), CONFIG) == signature).mean() < 0.1


def test_a_text_shorter_than_a_shingle_has_a_signature() -> None:
    assert minhash_signature(hashes(["a"]), CONFIG).shape == (CONFIG.permutations,)


def test_near_copies_are_found_and_others_kept() -> None:
    index = NearDuplicateIndex(CONFIG)
    near = [*WORDS[:590], *(f"tail{number}" for number in range(10))]
    far = [*WORDS[:300], *(f"tail{number}" for number in range(300))]
    assert index.add_unless_duplicate(minhash_signature(hashes(far), CONFIG)) is None
    assert index.add_unless_duplicate(minhash_signature(hashes(WORDS), CONFIG)) is None
    assert index.add_unless_duplicate(minhash_signature(hashes(near), CONFIG)) == 1


def test_bands_must_divide_permutations() -> None:
    with pytest.raises(ValueError, match="bands must divide permutations"):
        DeduplicationConfig(permutations=100, bands=16)
