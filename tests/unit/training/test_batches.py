from dataclasses import replace

import numpy as np
import pytest
import torch

from codet5p.core.errors import ConfigError
from codet5p.training.batches import PAIRS, MicroBatch, StageBatches, StageData, make_loader, micro_batches_of_a_step
from codet5p.training.config import CodeRecipe, PairRecipe, RowsRecipe, StageRecipe
from codet5p.training.mixed_rows import MixedRows
from codet5p.training.objectives.sequence_batch import SequenceBatch
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_table import PairBatch, PairTable, TokenRows
from codet5p.training.token_stream import TokenStream

TOKENS = TaskTokens(clm=200, cls=201, match=202, tdec=203, cdec=204, eos=205, sentinels=tuple(range(210, 310)))
STAGE = StageRecipe(
    name="all",
    steps=4,
    objectives={"decoder_only_causal_lm": 1.0, "span_denoising": 1.0, "contrastive": 1.0},
    code=CodeRecipe(rows=8, micro_rows=2, chunk_tokens=16, block_tokens=16),
    pairs=PairRecipe(rows=8, micro_rows=2, max_text_tokens=8, max_code_tokens=16, queue=8),
)


def random_rows(count: int, longest: int) -> TokenRows:
    rng = np.random.default_rng(longest)
    lengths = rng.integers(1, longest, count)
    return TokenRows(
        rng.integers(0, 200, lengths.sum()).astype(np.int32), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    )


@pytest.fixture
def data() -> StageData:
    stream = TokenStream([(np.arange(3000) % 200, np.arange(30, 3001, 30))], TOKENS.eos)
    return StageData(
        code=((stream, 1.0),),
        pairs=PairTable(random_rows(50, 7), random_rows(50, 15), np.arange(100).reshape(50, 2)),
        pair_rows=MixedRows([50], [1.0]),
        examples=None,
        example_rows=MixedRows([], []),
        tokens=TOKENS,
        word_tables=(np.ones(400, np.bool_), np.zeros(400, np.bool_)),
        newline_table=np.zeros(400, np.bool_),
    )


def content(micro: MicroBatch) -> list[list[int]]:
    batch = micro.batch
    return (batch.code_ids_BT if isinstance(batch, PairBatch) else batch.labels_BT).tolist()


def test_pairs_come_last_in_a_step() -> None:
    plan = micro_batches_of_a_step(STAGE, 2)
    assert [name for name, _ in plan] == ["decoder_only_causal_lm"] * 4 + ["span_denoising"] * 4 + [PAIRS] * 4


def test_an_objective_may_have_rows_of_its_own(data: StageData) -> None:
    code = replace(STAGE.code, by_objective={"span_denoising": RowsRecipe(rows=3, micro_rows=3)})
    stage = replace(STAGE, code=code)
    assert [name for name, _ in micro_batches_of_a_step(stage, 1)].count("span_denoising") == 1
    batches = StageBatches(stage, data, seed=(1,))
    own = [batches[batches.per_step * step + 4].batch for step in range(2)]
    assert [len(batch.target_ids_BT) for batch in own if isinstance(batch, SequenceBatch)] == [3, 3]
    sources = [batch.source_ids_BS[0].tolist() for batch in own if isinstance(batch, SequenceBatch)]
    assert sources[0] != sources[1]
    others = [content(batches[number]) for number in range(4)]
    assert others == [content(StageBatches(STAGE, data, seed=(1,))[number]) for number in range(4)]


def test_processes_that_cannot_share_evenly_are_refused() -> None:
    with pytest.raises(ConfigError, match="4 micro-batches of decoder_only_causal_lm cannot be shared by 3 processes"):
        micro_batches_of_a_step(STAGE, 3)


def test_two_processes_compute_together_what_one_computes_alone(data: StageData) -> None:
    alone = StageBatches(STAGE, data, seed=(1,))
    shares = [StageBatches(STAGE, data, seed=(1,), rank=rank, world_size=2) for rank in range(2)]
    together = [shares[number % 2][number // 2] for number in range(len(alone))]
    assert [content(micro) for micro in together] == [content(alone[number]) for number in range(len(alone))]


def test_a_batch_depends_on_its_place_alone(data: StageData) -> None:
    batches = StageBatches(STAGE, data, seed=(1,))
    later = content(batches[30])
    for number in (5, 17, 30):
        batches[number]
    assert content(batches[30]) == later
    assert content(StageBatches(STAGE, data, seed=(2,))[30]) != later


def test_a_loader_starts_where_a_run_stopped(data: StageData) -> None:
    batches = StageBatches(STAGE, data, seed=(1,))
    rest = list(make_loader(batches, first_step=3, workers=0, pin_memory=False))
    assert len(rest) == batches.per_step
    assert content(rest[0]) == content(batches[3 * batches.per_step])


def test_the_loader_leaves_torch_s_random_state_alone(data: StageData) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    next(iter(make_loader(StageBatches(STAGE, data, seed=(1,)), first_step=0, workers=0, pin_memory=False)))
    assert torch.get_rng_state().equal(before)


def test_pairs_of_a_step_are_sorted_by_length_and_all_read(data: StageData) -> None:
    batches = StageBatches(STAGE, data, seed=(1,))
    step = [batches[number].batch for number in range(8, 12)]
    lengths = [int(mask.sum()) for batch in step if isinstance(batch, PairBatch) for mask in batch.code_mask_BT]
    assert lengths == sorted(lengths)
    assert len(lengths) == 8


def test_every_code_batch_has_the_shape_of_the_others(data: StageData) -> None:
    batches = StageBatches(STAGE, data, seed=(1,))
    shapes = {
        (batches[number].objective, tuple(batches[number].batch.target_ids_BT.shape))
        for number in range(len(batches))
        if isinstance(batches[number].batch, SequenceBatch)
    }
    assert len(shapes) == 2


def test_pools_are_sorted_by_length_and_read_apart(data: StageData) -> None:
    pairs = replace(STAGE.pairs, rows=4, micro_rows=2, length_pool=3)
    stage = replace(STAGE, steps=20, objectives={"contrastive": 1.0}, pairs=pairs)
    batches = StageBatches(stage, replace(data, pair_rows=MixedRows([48], [1.0])), seed=(1,))
    content_ids = [batches[number].batch.content_ids_B2[:, 0].tolist() for number in range(9)]  # type: ignore[union-attr]
    widths = np.array([sorted(data.pairs.codes.lengths(np.array(ids) // 2)) for ids in content_ids])  # type: ignore[union-attr]
    for first in range(3):  # the micro-batches of a pool follow one another at a distance of three
        own = widths[first::3]
        assert (np.diff(own[own[:, 0].argsort(kind="stable")].ravel()) >= 0).all()
    assert len({number for ids in content_ids for number in ids}) == 18
