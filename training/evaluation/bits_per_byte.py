"""Bits per byte: how well the decoder predicts text, comparable between tokenizers."""

import math
from collections.abc import Sequence

from codet5p.training.evaluation.model_protocol import EvaluatedModel
from codet5p.training.evaluation.result import SuiteResult, mean_with_interval

__all__ = ["evaluate_bits_per_byte"]


def evaluate_bits_per_byte(model: EvaluatedModel, texts: Sequence[str], *, context_tokens: int = 1024) -> SuiteResult:
    """Return the mean bits per byte over windows of `texts`.

    Args:
        model: Scores with its decoder alone.
        texts: Held-out files.
        context_tokens: Width of a window; windows do not overlap, and the first token of each is given.

    Returns:
        The result; the total is weighted by bytes, its interval is over windows.
    """
    tokenizer = model.tokenizer
    windows = [
        [tokenizer.token_id("[EOS]"), *ids[start : start + context_tokens - 1]]
        for ids in tokenizer.encode_batch(list(texts))
        for start in range(0, len(ids), context_tokens - 1)
    ]
    sizes = [sum(len(tokenizer.token_bytes[token]) for token in window) for window in windows]
    bits = [-score / math.log(2) for score in model.score_rows(windows)]
    per_window = mean_with_interval(
        "mean_over_windows", [b / max(1, size) for b, size in zip(bits, sizes, strict=True)]
    )
    return SuiteResult(
        suite="bits_per_byte",
        rows=len(windows),
        metrics={"bits_per_byte": sum(bits) / max(1, sum(sizes)), **per_window},
        settings={"context_tokens": context_tokens},
    )
