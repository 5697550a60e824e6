from collections.abc import Sequence

import numpy as np
import pytest
from fakes import small_tokenizer

from codet5p.training.evaluation.model_protocol import Sampling
from codet5p.training.evaluation.paced_model import PacedModel


class _Counting:
    """Answers each row with its own first token and notes the lengths it was asked together."""

    tokenizer = small_tokenizer()
    modes = frozenset({"complete", "embed"})

    def __init__(self) -> None:
        self.portions: list[list[int]] = []

    def continue_rows(self, prompts: Sequence[Sequence[int]], **_limits: object) -> list[list[int]]:
        self.portions.append([len(prompt) for prompt in prompts])
        return [[prompt[0]] for prompt in prompts]

    def generate_rows(self, sources: Sequence[Sequence[int]], openings: Sequence[Sequence[int]], **_: object) -> object:
        return [[source[0], opening[0]] for source, opening in zip(sources, openings, strict=True)]

    def embed_rows(self, sources: Sequence[Sequence[int]]) -> object:
        return np.array([[source[0], 1] for source in sources], np.float32)

    def match_rows(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> object:
        return np.array([source[0] - target[0] for source, target in zip(sources, targets, strict=True)], np.float32)

    def score_rows(self, rows: Sequence[Sequence[int]]) -> list[float]:
        return [float(row[0]) for row in rows]


ROWS = [[number] * (1 + number * 7 % 150) for number in range(150)]


@pytest.fixture
def asked() -> tuple[PacedModel, _Counting, list[int], list[int]]:
    announced: list[int] = []
    advanced: list[int] = []
    inner = _Counting()
    return PacedModel(inner, announce=announced.append, advance=advanced.append), inner, announced, advanced  # type: ignore[arg-type]


def test_every_row_gets_its_own_answer(asked: tuple[PacedModel, _Counting, list[int], list[int]]) -> None:
    model = asked[0]
    others = [[row[0] + 1] for row in ROWS]
    assert model.continue_rows(ROWS, max_new_tokens=1, end_ids=()) == [[number] for number in range(150)]
    written = model.generate_rows(ROWS, others, max_new_tokens=1, end_ids=())
    assert written == [[number, number + 1] for number in range(150)]
    assert model.embed_rows(ROWS)[:, 0].tolist() == list(range(150))
    assert model.match_rows(ROWS, others).tolist() == [-1] * 150
    assert model.score_rows(ROWS) == list(range(150))
    assert model.score_rows([]) == []


def test_rows_of_similar_length_are_asked_together(asked: tuple[PacedModel, _Counting, list[int], list[int]]) -> None:
    model, inner, announced, advanced = asked
    model.continue_rows(ROWS, max_new_tokens=1, end_ids=())
    assert (announced, advanced) == ([150], [64, 64, 22])
    lengths = [length for portion in inner.portions for length in portion]
    assert lengths == sorted(lengths, reverse=True)


def test_drawn_rows_are_asked_at_once_and_in_order(
    asked: tuple[PacedModel, _Counting, list[int], list[int]],
) -> None:
    model, inner, _, _ = asked
    model.continue_rows(ROWS, max_new_tokens=1, end_ids=(), sampling=Sampling(temperature=1.0))
    assert inner.portions == [[len(row) for row in ROWS]]
