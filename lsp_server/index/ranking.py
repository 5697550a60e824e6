"""From candidates to an order: fusion of the two rankings, then the rules of code.

The base score is a weighted mean of BM25 and cosine, each as a share of the largest there is. The rules then use what
is known of code and not of prose: a definition of what the query names beats its uses, a file with many good chunks is
probably the one meant, five hits in one file are less use than hits in five, and tests, examples, generated and
vendored code are rarely looked for. Where the query means one function, the rules about files are left out.

Source: the rules are those of semble (MinishLab, MIT), formulated anew. Where we differ: the share of the query's words
in a name and in a file's name counts, a query may mean a function, and shares are joined where semble joins ranks
(reciprocal rank fusion); docs/experiments.md has both measured.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from codet5p.lsp_server.index.config import RankingConfig
from codet5p.lsp_server.index.query import Query
from codet5p.lsp_server.index.reader import Candidate
from codet5p.lsp_server.index.roles import is_reexport
from codet5p.lsp_server.index.words import stem, words_of

__all__ = ["Ranked", "rank", "rank_similar"]

_DEFINING_KINDS = frozenset({"function", "method", "class"})
_MIN_ABBREVIATION = 4
_CACHED_NAMES = 50_000


class Ranked(NamedTuple):
    """A candidate with its final score; scores compare within one answer only."""

    candidate: Candidate
    score: float


def rank(candidates: Sequence[Candidate], query: Query, config: RankingConfig, limit: int) -> list[Ranked]:
    """Return the best candidates, the best first.

    Args:
        candidates: Chunks of one or several indexes.
        query: What was asked.
        config: The rules' weights.
        limit: Hits, at most.

    Returns:
        Candidates with positive scores, the best being 1.
    """
    if config.knows_functions and query.means_function:
        config = config.for_functions()
    scores = _base_scores(candidates, config)
    best = max(scores, default=0.0)
    if best <= 0.0:
        return []
    shares = [score / best for score in scores]
    totals: defaultdict[tuple[Path, str], float] = defaultdict(float)
    for candidate, share in zip(candidates, shares, strict=True):
        totals[candidate.place] += share
    largest = max(totals.values())
    words = _QueryWords(query.words)
    ranked = [
        Ranked(
            candidate,
            _role_factor(candidate, query, config)
            * (
                share
                + _boosts(candidate, query, words, config)
                + config.coherence_boost * totals[candidate.place] / largest
            ),
        )
        for candidate, share in zip(candidates, shares, strict=True)
    ]
    return _saturated(ranked, config, limit)


def rank_similar(candidates: Sequence[Candidate]) -> list[Ranked]:
    """Return candidates by their likeness to code, the most alike first.

    Args:
        candidates: Of a query that holds the code's words and vector; the code itself, which is the most alike by
            words, may be among them.

    Returns:
        All of them; a score is the mean of BM25, as a share of the largest, and the cosine where there is one.
    """
    largest = max((candidate.bm25 for candidate in candidates), default=0.0) or 1.0
    ranked = []
    for candidate in candidates:
        share = candidate.bm25 / largest
        score = share if candidate.similarity is None else (share + max(candidate.similarity, 0.0)) / 2
        ranked.append(Ranked(candidate, score))
    return sorted(ranked, key=lambda hit: (-hit.score, hit.candidate.path, hit.candidate.first_line))


def _base_scores(candidates: Sequence[Candidate], config: RankingConfig) -> list[float]:
    """Return BM25 alone, or its weighted mean with the cosine where there are vectors.

    While an index is being embedded, code without a vector stands where its words put it: as without any meaning, it
    would fall behind code that has hardly a word of the query.
    """
    if all(candidate.similarity is None for candidate in candidates):
        return [candidate.bm25 for candidate in candidates]
    most_words = max(candidate.bm25 for candidate in candidates) or 1.0
    nearest = max(candidate.similarity or 0.0 for candidate in candidates) or 1.0
    scores = []
    for candidate in candidates:
        words = candidate.bm25 / most_words
        meaning = words if candidate.similarity is None else max(candidate.similarity, 0.0) / nearest
        scores.append((1 - config.meaning_weight) * words + config.meaning_weight * meaning)
    return scores


def _boosts(candidate: Candidate, query: Query, words: "_QueryWords", config: RankingConfig) -> float:
    boost = config.name_boost * words.share_in(candidate.name)
    boost += config.file_name_boost * words.share_in(_subject(candidate.path))
    if candidate.name_key in query.symbols and candidate.kind in _DEFINING_KINDS:
        boost += config.definition_boost
    return boost


class _QueryWords:
    """The words of one query, compared with each word of names once."""

    def __init__(self, words: Sequence[str]) -> None:
        self._stems = frozenset(map(stem, words))
        self._verdicts: dict[str, bool] = {}

    def share_in(self, name: str) -> float:
        """Return the share of a name's words that the query holds, in any of their forms or abbreviated."""
        parts = _stems_of(name)
        return sum(map(self._holds, parts)) / len(parts) if parts else 0.0

    def _holds(self, part: str) -> bool:
        verdict = self._verdicts.get(part)
        if verdict is None:
            verdict = self._verdicts[part] = any(_are_alike(part, word) for word in self._stems)
        return verdict


@lru_cache(maxsize=_CACHED_NAMES)
def _stems_of(name: str) -> frozenset[str]:
    return frozenset(map(stem, words_of(name)))


def _are_alike(left: str, right: str) -> bool:
    """Tell whether two stems are equal, or one is an abbreviation of the other, as `config` is of `configuration`."""
    shared = min(len(left), len(right))
    return left == right or (shared >= _MIN_ABBREVIATION and left[:shared] == right[:shared])


@lru_cache(maxsize=_CACHED_NAMES)
def _subject(path: str) -> str:
    """Return the part of a path that says what a file is about: its name, or its folder's for `__init__.py`."""
    pure = PurePosixPath(path)
    return pure.parent.name if is_reexport(path) else pure.stem


def _role_factor(candidate: Candidate, query: Query, config: RankingConfig) -> float:
    factors = {
        "test": 1.0 if query.asks_for_tests else config.test_factor,
        "example": config.example_factor,
        "legacy": config.legacy_factor,
        "generated": config.generated_factor,
        "vendored": config.vendored_factor,
    }
    factor = factors.get(candidate.role, 1.0)
    return factor * config.reexport_factor if is_reexport(candidate.path) else factor


def _saturated(ranked: list[Ranked], config: RankingConfig, limit: int) -> list[Ranked]:
    """Return the order in which each further hit of a file counts less, scaled so that the best score is 1."""
    ranked = sorted(ranked, key=lambda hit: (-hit.score, hit.candidate.path, hit.candidate.first_line))
    seen: defaultdict[tuple[Path, str], int] = defaultdict(int)
    lowered = []
    for hit in ranked:
        lowered.append(Ranked(hit.candidate, hit.score * config.saturation ** seen[hit.candidate.place]))
        seen[hit.candidate.place] += 1
    lowered.sort(key=lambda hit: -hit.score)
    best = lowered[0].score
    return [Ranked(hit.candidate, hit.score / best) for hit in lowered[:limit] if hit.score > 0.0]
