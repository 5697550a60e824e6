"""The last stage: a matching head reads the query with each of the best hits, as long as the time allows.

Off unless asked for: no released head has measured better than the ranking without it.

Source: matching as the second stage of retrieval is BLIP's and ALBEF's (Li et al. 2021), taken over by CodeT5+ (section
4.5); the budget is ours.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codet5p.lsp_server.index.ranking import Ranked
from codet5p.lsp_server.index.reader import Candidate

__all__ = ["Matcher", "Pace", "RerankConfig", "rerank"]

_FORGOTTEN = 0.03
"""Share of the pace that a question without matching takes off, so that a slow head is tried again after some fifty."""


class Matcher(Protocol):
    """Tells how surely code does what a text says."""

    def match(self, text: str, codes: Sequence[str]) -> NDArray[np.float32]:
        """Return log-odds, float32 [N]: above 0 for a match."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RerankConfig:
    """How much is matched.

    Attributes:
        num_hits: Best hits that are matched.
        batch: How many are matched at once; the time is looked at in between.
        budget_seconds: Time after which no batch begins.
        weight: Share of the head's probability in the new score; the rest is the old one's.
    """

    num_hits: int = 10
    batch: int = 2
    budget_seconds: float = 0.2
    weight: float = 0.5

    def __post_init__(self) -> None:
        if self.num_hits < 1 or self.batch < 1 or self.budget_seconds < 0 or not 0 <= self.weight <= 1:
            raise ValueError("num_hits and batch must be at least 1, budget_seconds at least 0, weight from 0 to 1")


@dataclass(kw_only=True, slots=True)
class Pace:
    """What the head needs, from one question to the next.

    Attributes:
        seconds: Of the slowest batch of the last question that had any.
        clock: What time it is, in seconds.
    """

    seconds: float = 0.0
    clock: Callable[[], float] = time.monotonic


def rerank(
    ranked: Sequence[Ranked],
    texts: Mapping[Candidate, str],
    query: str,
    matcher: Matcher,
    config: RerankConfig,
    pace: Pace,
) -> list[Ranked]:
    """Return the hits in the order of their new scores; those that were not matched come behind, in their old order.

    The slowest batch so far, or of the question before, tells whether another one fits, so that the budget is kept and
    not merely noticed. Only the first question of all has to find out.

    Args:
        ranked: The best first.
        texts: Of the candidates; one without a text is not matched.
        query: What was asked, without filters.
        matcher: The head.
        config: How much is matched.
        pace: Kept from question to question; changed here.

    Returns:
        All hits. Scores do not grow from one to the next.
    """
    started, slowest = pace.clock(), 0.0
    expected = pace.seconds
    wanted = [hit for hit in ranked[: config.num_hits] if hit.candidate in texts]
    matched: list[Ranked] = []
    for batch in (wanted[start : start + config.batch] for start in range(0, len(wanted), config.batch)):
        begun = pace.clock()
        if begun - started + max(slowest, expected) > config.budget_seconds:
            break
        for hit, odds in zip(batch, matcher.match(query, [texts[hit.candidate] for hit in batch]), strict=True):
            matched.append(hit._replace(score=(1 - config.weight) * hit.score + config.weight * _probability(odds)))
        slowest, expected = max(slowest, pace.clock() - begun), 0.0
    pace.seconds = slowest if matched else pace.seconds * (1 - _FORGOTTEN)
    matched.sort(key=lambda hit: -hit.score)
    done = {hit.candidate for hit in matched}
    lowest = matched[-1].score if matched else math.inf
    rest = [hit._replace(score=min(hit.score, lowest)) for hit in ranked if hit.candidate not in done]
    return matched + rest


def _probability(log_odds: float) -> float:
    return 0.5 * (1 + math.tanh(float(log_odds) / 2))
