"""How alike a prediction and its reference are: exact match, edit similarity, smoothed BLEU-4."""

import math
import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["bleu_tokens", "edit_similarity", "exact_match", "smoothed_bleu"]

_MAX_ORDER = 4
_PUNCTUATION = re.compile(r"([\W_])")


def exact_match(prediction: str, reference: str) -> bool:
    """Return whether both are the same list of tokens, split at whitespace."""
    return prediction.split() == reference.split()


def edit_similarity(prediction: str, reference: str) -> float:
    """Return how alike two texts are, from 0 to 100.

    Args:
        prediction: Any text.
        reference: Any text.

    Returns:
        100 * (1 - D / (length + length)), D the edit distance with insertions and deletions only; 100 for two empty
        texts. Whole numbers, as fuzzywuzzy's `ratio` gives them.

    Source: CodeXGLUE line completion, evaluator.py, which calls fuzzywuzzy. Its difflib fallback counts matching
    blocks and can be lower; we compute the distance itself, as its fast form does.
    """
    total = len(prediction) + len(reference)
    if total == 0:
        return 100.0
    return float(round(200 * _common_subsequence(prediction, reference) / total))


def _common_subsequence(left: str, right: str) -> int:
    """Return the length of the longest common subsequence, with bit vectors (Hyyrö 2004)."""
    places: Counter[str] = Counter()
    for place, character in enumerate(left):
        places[character] |= 1 << place
    mask = (1 << len(left)) - 1
    rest = mask
    for character in right:
        matches = rest & places[character]
        rest = ((rest + matches) | (rest - matches)) & mask
    return len(left) - rest.bit_count()


def bleu_tokens(text: str) -> list[str]:
    """Return lower-case words, with punctuation split off."""
    return _PUNCTUATION.sub(r" \1 ", text.lower()).split()


def smoothed_bleu(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """Return sentence BLEU-4 with smoothing, from 0 to 100.

    Args:
        prediction: Tokens.
        reference: Tokens, one reference.

    Returns:
        The geometric mean of the n-gram precisions, n from 1 to 4, times the brevity term. For n of 2 and more, 1 is
        added to matches and total; the brevity term is exp(min(0, 1 - (r + 1) / (c + 1))). 0 without a common word.

    Source: CodeXGLUE code-to-text, evaluator.py (smoothing of Lin and Och 2004).
    """
    logarithms = 0.0
    for order in range(1, _MAX_ORDER + 1):
        ours, theirs = _ngrams(prediction, order), _ngrams(reference, order)
        matches = sum(min(count, theirs[ngram]) for ngram, count in ours.items())
        total = max(0, len(prediction) - order + 1)
        smoothing = order > 1
        if matches + smoothing == 0:
            return 0.0
        logarithms += math.log((matches + smoothing) / (total + smoothing))
    brevity = min(0.0, 1 - (len(reference) + 1) / (len(prediction) + 1))
    return 100 * math.exp(logarithms / _MAX_ORDER + brevity)


def _ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[start : start + order]) for start in range(len(tokens) - order + 1))
