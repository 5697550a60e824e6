"""From sources to micro-batches, where each micro-batch is a pure function of its place in the run.

A step is a fixed list of micro-batches: some of each code objective, some of pairs, some of examples. Micro-batch
number m of step n is computed from (seed, stage, n, m) alone. So a run resumes by counting, loader processes may work
ahead in any order, and the step is the same whether one process computes its micro-batches or several share them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from codet5p.core.errors import ConfigError
from codet5p.training.config import CODE_OBJECTIVES, EXAMPLE_OBJECTIVES, PAIR_OBJECTIVES, StageRecipe
from codet5p.training.example_table import ExampleTable
from codet5p.training.mixed_rows import MixedRows, deal_rows
from codet5p.training.objectives.causal_lm import build_decoder_only_causal_lm, build_seq2seq_causal_lm, sample_pivots
from codet5p.training.objectives.sequence_batch import SequenceBatch
from codet5p.training.objectives.span_denoising import build_span_denoising
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_table import PairBatch, PairTable
from codet5p.training.token_stream import TokenStream, block_starts, continues_word

__all__ = ["PAIRS", "MicroBatch", "StageBatches", "StageData", "make_loader", "micro_batches_of_a_step"]

PAIRS = "pairs"
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class StageData:
    """Everything that batches are made of.

    Attributes:
        code: Streams with their weights.
        pairs: All pairs, or None.
        pair_rows: Which of them each step reads.
        examples: All examples, or None.
        example_rows: Which of them each step reads.
        tokens: Task tokens.
        word_tables: From `continuation_tables`, for whole-word masking.
        newline_table: Which tokens hold a newline, for masking lines.
    """

    code: tuple[tuple[TokenStream, float], ...]
    pairs: PairTable | None
    pair_rows: MixedRows
    examples: ExampleTable | None
    example_rows: MixedRows
    tokens: TaskTokens
    word_tables: tuple[BoolArray, BoolArray]
    newline_table: BoolArray


@dataclass(frozen=True, kw_only=True, slots=True)
class MicroBatch:
    """What one process computes at once.

    Attributes:
        objective: A code or example objective, or `PAIRS` for all objectives on pairs together.
        batch: Its tensors.
    """

    objective: str
    batch: SequenceBatch | PairBatch

    def to(self, device: torch.device) -> "MicroBatch":
        """Return the micro-batch on `device`."""
        return MicroBatch(objective=self.objective, batch=self.batch.to(device))

    def pin_memory(self) -> "MicroBatch":
        """Return the micro-batch in page-locked memory; the data loader calls this."""
        return MicroBatch(objective=self.objective, batch=self.batch.pin_memory())


def micro_batches_of_a_step(stage: StageRecipe, world_size: int) -> list[tuple[str, int]]:
    """Return the micro-batches of one step in the order in which they are computed.

    Under data parallelism the last backward pass of a step must reach every trained weight. So pairs come last, and
    decoder-only causal LM, which leaves most of cross-attention out, comes first.

    Args:
        stage: Objectives and rows.
        world_size: Number of processes, which take every `world_size`-th entry.

    Returns:
        Objective and number within the objective.

    Raises:
        ConfigError: If the processes cannot share them evenly.
    """
    plan: list[tuple[str, int]] = []
    for objective in (*reversed(CODE_OBJECTIVES), *EXAMPLE_OBJECTIVES):
        if objective in stage.objectives:
            table = stage.code.rows_of(objective) if objective in CODE_OBJECTIVES else stage.examples
            plan += [(objective, number) for number in range(table.rows // table.micro_rows)]
    if stage.uses(PAIR_OBJECTIVES):
        plan += [(PAIRS, number) for number in range(stage.pairs.rows // stage.pairs.micro_rows)]
    counts = {objective: sum(name == objective for name, _ in plan) for objective, _ in plan}
    for objective, count in counts.items():
        if count % world_size:
            raise ConfigError(
                f"stage {stage.name}: {count} micro-batches of {objective} cannot be shared by {world_size} processes; "
                "change its rows or micro_rows"
            )
    return plan


class StageBatches(Dataset[MicroBatch]):
    """The micro-batches that one process computes in one stage, by number."""

    def __init__(
        self, stage: StageRecipe, data: StageData, *, seed: tuple[int, ...], rank: int = 0, world_size: int = 1
    ) -> None:
        self._stage = stage
        self._data = data
        self._seed = seed
        self._plan = micro_batches_of_a_step(stage, world_size)[rank::world_size]

    @property
    def per_step(self) -> int:
        """Micro-batches of one step."""
        return len(self._plan)

    def __len__(self) -> int:
        return self._stage.steps * self.per_step

    def __getitem__(self, index: int) -> MicroBatch:
        step, place = divmod(index, self.per_step)
        objective, number = self._plan[place]
        if objective == PAIRS:
            return MicroBatch(objective=objective, batch=self._pairs(step, number))
        if objective in EXAMPLE_OBJECTIVES:
            return MicroBatch(objective=objective, batch=self._examples(step, number))
        return MicroBatch(objective=objective, batch=self._code(objective, step, number))

    def _code(self, objective: str, step: int, number: int) -> SequenceBatch:
        stage, tokens = self._stage.code, self._data.tokens
        key = (*self._seed, CODE_OBJECTIVES.index(objective))
        rng = np.random.default_rng((*key, step, number))
        length = {"span_denoising": stage.chunk_tokens, "decoder_only_causal_lm": stage.block_tokens + 1}.get(
            objective, stage.block_tokens
        )
        own = stage.rows_of(objective)
        blocks_BL = self._blocks(length, step * own.rows + number * own.micro_rows, own.micro_rows, key)
        if objective == "decoder_only_causal_lm":
            return build_decoder_only_causal_lm(blocks_BL, tokens, separate_documents=stage.separate_documents)
        if objective == "seq2seq_causal_lm":
            pivots_B = sample_pivots(len(blocks_BL), length, stage.split, rng)
            return build_seq2seq_causal_lm(blocks_BL, pivots_B, tokens, stage.split)
        continues_BL = continues_word(blocks_BL, self._data.word_tables)
        holds_newline_BL = self._data.newline_table[blocks_BL]
        return build_span_denoising(blocks_BL, tokens, stage.spans, rng, continues_BL, holds_newline_BL)

    def _blocks(self, length: int, first_row: int, rows: int, key: tuple[int, ...]) -> IntArray:
        dealt = deal_rows([weight for _, weight in self._data.code], range(first_row, first_row + rows))
        blocks = [
            stream.read(block_starts(len(stream), length, numbers, (*key, source)), length)
            for source, ((stream, _), numbers) in enumerate(zip(self._data.code, dealt, strict=True))
            if len(numbers)
        ]
        return np.concatenate(blocks)

    def _pairs(self, step: int, number: int) -> PairBatch:
        stage, tokens, table = self._stage.pairs, self._data.tokens, self._data.pairs
        assert table is not None, "the recipe was checked to have pairs"
        return table.batch(self._pair_rows(step, number, table), tokens, stage)

    def _pair_rows(self, step: int, number: int, table: PairTable) -> IntArray:
        """Return the rows of one micro-batch: of a pool that is sorted by length, which leaves less to padding."""
        stage = self._stage.pairs
        per_step = stage.rows // stage.micro_rows
        pool, place, size = step, number, per_step
        if stage.length_pool:
            size = stage.length_pool
            pool, place = _pool_and_place(step * per_step + number, size, (*self._seed, 12))
        width = size * stage.micro_rows
        rows = self._data.pair_rows.rows(range(pool * width, (pool + 1) * width), (*self._seed, 10))
        rows = rows[np.argsort(table.codes.lengths(rows), kind="stable")]
        return rows[place * stage.micro_rows : (place + 1) * stage.micro_rows]

    def _examples(self, step: int, number: int) -> SequenceBatch:
        stage, table = self._stage.examples, self._data.examples
        assert table is not None, "the recipe was checked to have examples"
        rows = self._data.example_rows.rows(range(step * stage.rows, (step + 1) * stage.rows), (*self._seed, 11))
        rows = rows[np.argsort(table.sources.lengths(rows), kind="stable")]
        return table.batch(rows[number * stage.micro_rows : (number + 1) * stage.micro_rows], self._data.tokens, stage)


def _pool_and_place(number: int, size: int, key: tuple[int, ...]) -> tuple[int, int]:
    """Return the pool of micro-batch `number`, and its place among the `size` of that pool.

    As many pools as a pool has places are read in turn, each in an order of its own, so that neither lengths nor
    languages follow one another.
    """
    window, within = divmod(number, size * size)
    pool = window * size + within % size
    places = np.random.default_rng((*key, pool)).permutation(size)
    return pool, int(places[within // size])


def make_loader(batches: StageBatches, *, first_step: int, workers: int, pin_memory: bool) -> DataLoader[MicroBatch]:
    """Return a loader that yields the micro-batches from `first_step` on, built ahead by worker processes.

    Args:
        batches: One process's share of a stage.
        first_step: Steps already done.
        workers: Loader processes; 0 builds in this one. The result is the same.
        pin_memory: Whether batches go to a GPU.

    Returns:
        The loader.
    """
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(first_step * batches.per_step, len(batches)),
        num_workers=workers,
        prefetch_factor=8 if workers else None,
        pin_memory=pin_memory,
        persistent_workers=False,
        generator=torch.Generator(),  # seeds only the workers' unused global state; keeps ours untouched
    )
