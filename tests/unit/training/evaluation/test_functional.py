from collections.abc import Sequence
from math import comb

import pytest

from codet5p.core.tokenizer import Tokenizer
from codet5p.training.evaluation.functional import estimate_pass_at_k, evaluate_functional, function_body
from codet5p.training.tokenizer_training import train_tokenizer


@pytest.mark.parametrize(("samples", "correct", "k"), [(5, 2, 1), (10, 3, 5), (10, 0, 10), (4, 4, 2), (10, 8, 5)])
def test_pass_at_k_is_the_share_of_draws_with_a_passing_sample(samples: int, correct: int, k: int) -> None:
    expected = 1 - comb(samples - correct, k) / comb(samples, k)
    assert estimate_pass_at_k(samples, correct, k) == pytest.approx(expected)


def test_pass_at_k_needs_k_samples() -> None:
    with pytest.raises(ValueError, match="pass@10 needs at least 10 samples, got 5"):
        estimate_pass_at_k(5, 1, 10)


def test_a_completion_ends_at_the_next_top_level_statement() -> None:
    assert function_body("    return 1\n\ndef other():\n    pass\n") == "    return 1\n\n"
    assert (
        function_body("    x = 1\n    if x:\n        return x\nprint(2)") == "    x = 1\n    if x:\n        return x\n"
    )


class _Scripted:
    """Answers every prompt with the same texts in turn."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.tokenizer: Tokenizer = train_tokenizer(["x"], 257)
        self._texts = texts

    def continue_rows(self, prompts: Sequence[Sequence[int]], **_limits: object) -> list[list[int]]:
        return [self.tokenizer.encode(self._texts[row % len(self._texts)]) for row in range(len(prompts))]


HUMAN_EVAL = {
    "task_id": "HumanEval/x",
    "prompt": "def double(x):\n",
    "entry_point": "double",
    "test": "def check(candidate):\n    assert candidate(3) == 6\n",
}
MBPP = {
    "task_id": 2,
    "text": "Write a function to triple a number.",
    "code": "def triple(x):\r\n  return 3 * x",
    "test_list": ["assert triple(2) == 6"],
}


def test_right_and_wrong_samples_are_told_apart() -> None:
    model = _Scripted(["    return 2 * x\n", "    return x\n"])
    result = evaluate_functional(model, [HUMAN_EVAL], samples=2, ks=(1, 2))  # type: ignore[arg-type]
    assert result.metrics["pass_at_1"] == pytest.approx(50)
    assert result.metrics["pass_at_2"] == pytest.approx(100)


def test_mbpp_rows_are_run_against_their_asserts() -> None:
    model = _Scripted(["    return 3 * x\n"])
    assert evaluate_functional(model, [MBPP]).metrics["pass_at_1"] == 100  # type: ignore[arg-type]
