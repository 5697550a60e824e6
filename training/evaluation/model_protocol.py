"""What an evaluation asks of a model: token ids in, token ids and numbers out.

A torch checkpoint and an exported artifact both answer this, so prompts, truncation and scoring are the same for both.

Shape legend: N inputs, E embedding width.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codet5p.core.artifact import Mode
from codet5p.core.tokenizer import Tokenizer

__all__ = ["EvaluatedModel", "Sampling"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How to draw instead of taking the likeliest token.

    Attributes:
        temperature: Above 0.
        top_p: Share of the probability that is drawn from.
        seed: Of the draws.
    """

    temperature: float
    top_p: float = 0.95
    seed: int = 0


class EvaluatedModel(Protocol):
    """A model under evaluation."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        ...

    @property
    def modes(self) -> frozenset[Mode]:
        """What it can do; suites that need another mode are not for it."""
        ...

    def continue_rows(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        end_ids: Collection[int],
        sampling: Sampling | None = None,
    ) -> list[list[int]]:
        """Return what the decoder alone writes behind each prompt, without the end token."""
        ...

    def generate_rows(
        self,
        sources: Sequence[Sequence[int]],
        openings: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        end_ids: Collection[int],
    ) -> list[list[int]]:
        """Return what the decoder writes behind each opening about each source, without the end token."""
        ...

    def embed_rows(self, sources: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the L2-normalised embeddings of encoder inputs, [N, E]."""
        ...

    def match_rows(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return how surely each decoder input matches its source, [N]: the log-odds of the matching head."""
        ...

    def score_rows(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """Return the log-probability, in nats, of the tokens of each row behind its first, by the decoder alone."""
        ...
