from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codet5p.lsp_server.index.ranking import Ranked
from codet5p.lsp_server.index.reader import Candidate
from codet5p.lsp_server.index.reranking import Pace, RerankConfig, rerank


class Clock:
    """Time that passes only while something is matched."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class LengthMatcher:
    """Finds that the longer code matches better, and takes a tenth of a second for each."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.batches: list[list[str]] = []

    def match(self, text: str, codes: Sequence[str]) -> NDArray[np.float32]:
        assert text == "query"
        self.batches.append(list(codes))
        self.clock.now += 0.1 * len(codes)
        return np.array([len(code) - 3.0 for code in codes], np.float32)


def hits(count: int) -> list[Ranked]:
    return [
        Ranked(Candidate(n, f"f{n}", f"f{n}", "function", 0, "a.py", "python", "source", Path(), 1.0), 1 - 0.1 * n)
        for n in range(count)
    ]


def reranked(texts: list[str], config: RerankConfig) -> tuple[list[Ranked], list[list[str]]]:
    ranked, clock = hits(len(texts)), Clock()
    matcher = LengthMatcher(clock)
    by_candidate = {hit.candidate: text for hit, text in zip(ranked, texts, strict=True) if text}
    return rerank(ranked, by_candidate, "query", matcher, config, Pace(clock=clock)), matcher.batches


def test_the_heads_opinion_and_the_old_score_decide_together() -> None:
    found, _ = reranked(["x", "xxx", "xxxxx"], RerankConfig(batch=3, budget_seconds=1, weight=0.5))
    assert [hit.candidate.id for hit in found] == [2, 1, 0]
    chance = 1 / (1 + np.exp(-2))
    assert [hit.score for hit in found] == pytest.approx([0.4 + chance / 2, 0.45 + 0.25, 0.5 + (1 - chance) / 2])


def test_a_batch_that_would_not_fit_is_not_begun_and_the_rest_stays_behind() -> None:
    found, batches = reranked(["x", "xx", "xxx", "xxxx", "xxxxx"], RerankConfig(batch=2, budget_seconds=0.45, weight=1))
    assert batches == [["x", "xx"], ["xxx", "xxxx"]]
    assert [hit.candidate.id for hit in found] == [3, 2, 1, 0, 4]
    scores = [hit.score for hit in found]
    assert scores == sorted(scores, reverse=True)


def test_without_time_everything_stays() -> None:
    config = RerankConfig(batch=1, budget_seconds=0.05)
    ranked, clock = hits(3), Clock()
    matcher = LengthMatcher(clock)
    texts = {hit.candidate: "x" for hit in ranked}
    found = rerank(ranked, texts, "query", matcher, config, Pace(clock=clock))
    assert len(matcher.batches) == 1  # nobody knows before how long one takes
    assert [hit.candidate.id for hit in found] == [0, 1, 2]


def test_a_head_that_needs_more_than_the_time_delays_one_question_in_some_forty() -> None:
    ranked, clock = hits(3), Clock()
    matcher, pace = LengthMatcher(clock), Pace(clock=clock)
    texts = {hit.candidate: "x" for hit in ranked}
    delays = []
    for _ in range(100):
        before = clock.now
        rerank(ranked, texts, "query", matcher, RerankConfig(batch=3, budget_seconds=0.1), pace)
        delays.append(clock.now - before)
    slow = [number for number, delay in enumerate(delays) if delay > 0.1]
    assert slow == [0, 38, 76]  # until 0.3 s have shrunk to 0.1 s


def test_a_head_that_has_become_faster_is_trusted_with_more_at_once() -> None:
    ranked, clock = hits(4), Clock()
    pace = Pace(seconds=0.15, clock=clock)
    matcher = LengthMatcher(clock)
    texts = {hit.candidate: "x" for hit in ranked}
    rerank(ranked, texts, "query", matcher, RerankConfig(batch=1, budget_seconds=0.41), pace)
    assert len(matcher.batches) == 4
    assert pace.seconds == pytest.approx(0.1)


def test_only_the_best_are_matched_and_what_has_no_text_is_not() -> None:
    _, batches = reranked(["x", "", "xx", "xxx"], RerankConfig(num_hits=3, batch=9, budget_seconds=1))
    assert batches == [["x", "xx"]]


def test_a_budget_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="budget_seconds at least 0"):
        RerankConfig(budget_seconds=-1)
