import difflib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codet5p.training.evaluation.text_scores import bleu_tokens, edit_similarity, exact_match, smoothed_bleu


def test_exact_match_compares_tokens_not_blanks() -> None:
    assert exact_match("foo ( a )  :", " foo ( a ) :")
    assert not exact_match("foo(a):", "foo ( a ) :")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [("", "", 100), ("abc", "abc", 100), ("abc", "xyz", 0), ("abcd", "abd", 86), ("kitten", "sitting", 62)],
)
def test_edit_similarity_of_known_pairs(left: str, right: str, expected: float) -> None:
    assert edit_similarity(left, right) == expected


@given(st.text(alphabet="ab(", max_size=12), st.text(alphabet="ab(", max_size=12))
def test_edit_similarity_is_symmetric_and_never_below_matching_blocks(left: str, right: str) -> None:
    similarity = edit_similarity(left, right)
    assert similarity == edit_similarity(right, left)
    assert 0 <= similarity <= 100
    assert similarity >= math.floor(100 * difflib.SequenceMatcher(None, left, right, autojunk=False).ratio()) - 1


@given(st.text(alphabet="ab", max_size=10), st.text(alphabet="ab", max_size=10))
def test_edit_similarity_counts_the_longest_common_subsequence(left: str, right: str) -> None:
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    total = len(left) + len(right)
    assert edit_similarity(left, right) == (round(200 * table[-1][-1] / total) if total else 100)


def test_bleu_of_the_reference_itself_is_bounded_by_its_brevity_term() -> None:
    words = ["return", "the", "sum", "of", "two", "numbers"]
    assert smoothed_bleu(words, words) == pytest.approx(100.0)


def test_bleu_by_hand() -> None:
    # prediction "the cat sat", reference "the cat sat down": n-gram matches 3/3, (2+1)/(2+1), (1+1)/(1+1), (0+1)/(0+1);
    # brevity exp(1 - 5/4).
    score = smoothed_bleu(["the", "cat", "sat"], ["the", "cat", "sat", "down"])
    assert score == pytest.approx(100 * math.exp(-0.25))


def test_bleu_by_hand_with_a_wrong_word() -> None:
    # "the dog sat" against "the cat sat": 2/3, (0+1)/(2+1), (0+1)/(1+1), (0+1)/(0+1); no brevity penalty.
    expected = 100 * (2 / 3 * 1 / 3 * 1 / 2 * 1) ** 0.25
    assert smoothed_bleu(["the", "dog", "sat"], ["the", "cat", "sat"]) == pytest.approx(expected)


def test_bleu_clips_repeated_words() -> None:
    # "the the the" holds one matching "the": 1/3, 1/3, 1/2, 1/1.
    expected = 100 * (1 / 3 * 1 / 3 * 1 / 2 * 1) ** 0.25
    assert smoothed_bleu(["the", "the", "the"], ["the", "cat", "sat"]) == pytest.approx(expected)


def test_bleu_without_a_common_word_is_zero() -> None:
    assert smoothed_bleu(["a"], ["b"]) == 0
    assert smoothed_bleu([], ["b"]) == 0


def test_bleu_splits_punctuation_and_lowers_case() -> None:
    assert bleu_tokens("Returns snake_case, e.g. `x`!") == [
        "returns",
        "snake",
        "_",
        "case",
        ",",
        "e",
        ".",
        "g",
        ".",
        "`",
        "x",
        "`",
        "!",
    ]
