"""A model under evaluation that is asked in small portions, so that people see how far it is.

Rows of similar length are asked together, which saves the padding of mixed batches and changes no answer.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from codet5p.core.artifact import Mode
from codet5p.core.tokenizer import Tokenizer
from codet5p.training.evaluation.model_protocol import EvaluatedModel, Sampling

__all__ = ["PacedModel"]

T = TypeVar("T")
_PORTION_ROWS = 64


class PacedModel:
    """Asks `model`, and tells `announce` how many rows are to come and `advance` how many were answered."""

    def __init__(
        self, model: EvaluatedModel, *, announce: Callable[[int], None], advance: Callable[[int], None]
    ) -> None:
        self._model = model
        self._announce = announce
        self._advance = advance

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        return self._model.tokenizer

    @property
    def modes(self) -> frozenset[Mode]:
        """What the model can do."""
        return self._model.modes

    def continue_rows(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        end_ids: Collection[int],
        sampling: Sampling | None = None,
    ) -> list[list[int]]:
        """Return what the decoder alone writes behind each prompt; drawn rows are asked at once, for one seed."""

        def ask(rows: list[int]) -> list[list[int]]:
            own = [prompts[row] for row in rows]
            return self._model.continue_rows(own, max_new_tokens=max_new_tokens, end_ids=end_ids, sampling=sampling)

        return self._ask([len(prompt) for prompt in prompts], ask, at_once=sampling is not None)

    def generate_rows(
        self,
        sources: Sequence[Sequence[int]],
        openings: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        end_ids: Collection[int],
    ) -> list[list[int]]:
        """Return what the decoder writes behind each opening about each source."""

        def ask(rows: list[int]) -> list[list[int]]:
            own = [sources[row] for row in rows], [openings[row] for row in rows]
            return self._model.generate_rows(*own, max_new_tokens=max_new_tokens, end_ids=end_ids)

        return self._ask([len(source) for source in sources], ask)

    def embed_rows(self, sources: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the embeddings of encoder inputs."""
        rows = self._ask(
            [len(source) for source in sources],
            lambda rows: list(self._model.embed_rows([sources[row] for row in rows])),
        )
        return np.array(rows, np.float32)

    def match_rows(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return how surely each decoder input matches its source."""
        odds = self._ask(
            [len(source) + len(target) for source, target in zip(sources, targets, strict=True)],
            lambda rows: list(self._model.match_rows([sources[row] for row in rows], [targets[row] for row in rows])),
        )
        return np.array(odds, np.float32)

    def score_rows(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """Return the log-probability of the tokens of each row behind its first."""
        lengths = [len(row) for row in rows]
        return self._ask(lengths, lambda numbers: self._model.score_rows([rows[number] for number in numbers]))

    def _ask(self, lengths: Sequence[int], ask: Callable[[list[int]], list[T]], *, at_once: bool = False) -> list[T]:
        self._announce(len(lengths))
        order = list(range(len(lengths))) if at_once else sorted(range(len(lengths)), key=lambda row: -lengths[row])
        portion = max(1, len(order)) if at_once else _PORTION_ROWS
        answers: dict[int, T] = {}
        for start in range(0, len(order), portion):
            rows = order[start : start + portion]
            answers.update(zip(rows, ask(rows), strict=True))
            self._advance(len(rows))
        return [answers[row] for row in range(len(lengths))]
