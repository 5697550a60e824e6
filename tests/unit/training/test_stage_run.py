import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from codet5p.model.config import laptop
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.batches import MicroBatch
from codet5p.training.config import CodeRecipe, OptimizerRecipe, PairRecipe, ScheduleRecipe, StageRecipe
from codet5p.training.flops import matrix_rate, training_flops
from codet5p.training.objective_module import ObjectiveModule
from codet5p.training.objectives.causal_lm import build_decoder_only_causal_lm
from codet5p.training.objectives.sequence_batch import sequence_loss
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_losses import pair_losses
from codet5p.training.pair_table import PairBatch
from codet5p.training.stage_run import StageRun

TOKENS = TaskTokens(clm=50, cls=51, match=52, tdec=53, cdec=54, eos=55, sentinels=(56,))


def new_module() -> ObjectiveModule:
    torch.manual_seed(0)
    shape = laptop(vocab_size=64, num_encoder_layers=1, num_decoder_layers=1)
    config = replace(shape, width=16, num_heads=2, num_key_value_heads=1, head_dim=8, feed_forward_width=24)
    return ObjectiveModule(CodeT5pModel(config), TOKENS, temperature=0.1)


def new_run(
    objectives: dict[str, float], *, epsilon: float = 1e-8, **settings: object
) -> tuple[ObjectiveModule, StageRun]:
    module = new_module()
    of_pairs = {name: settings.pop(name) for name in ("one_in", "temperature_held_steps") if name in settings}
    stage = StageRecipe(
        name="s",
        steps=10,
        objectives=objectives,
        code=CodeRecipe(rows=4, micro_rows=2),
        pairs=PairRecipe(rows=4, micro_rows=2, max_text_tokens=4, max_code_tokens=4, queue=8, momentum=0.5, **of_pairs),  # type: ignore[arg-type]
        optimizer=OptimizerRecipe(peak_learning_rate=1e-2, epsilon=epsilon),
        schedule=ScheduleRecipe(warmup_steps=0),
        **settings,  # type: ignore[arg-type]
    )
    return module, StageRun(stage, module, Accelerator(cpu=True), seed=(0,))


def code_stage() -> StageRecipe:
    return StageRecipe(
        name="s", steps=10, objectives={"decoder_only_causal_lm": 1.0}, code=CodeRecipe(rows=4, micro_rows=2)
    )


def code(first: int, rows: int = 2, length: int = 8) -> MicroBatch:
    blocks = (np.arange(rows * length).reshape(rows, length) + first) % 50
    return MicroBatch(objective="decoder_only_causal_lm", batch=build_decoder_only_causal_lm(blocks, TOKENS))


def pairs(first: int) -> MicroBatch:
    ids = (torch.arange(6).reshape(2, 3) + first) % 50
    ids[:, 0] = TOKENS.cls
    mask = torch.ones_like(ids, dtype=torch.bool)
    batch = PairBatch(
        text_ids_BS=ids,
        text_mask_BS=mask,
        code_ids_BT=ids + 1,
        code_mask_BT=mask,
        content_ids_B2=torch.arange(first, first + 2).unsqueeze(1).repeat(1, 2),
    )
    return MicroBatch(objective="pairs", batch=batch)


def test_micro_batches_of_unequal_size_weigh_by_their_labels() -> None:
    module, run = new_run({"decoder_only_causal_lm": 1.0})
    parts = [code(0, length=4), code(20, length=12)]
    expected = sum(sequence_loss(module.model, part.batch).item() for part in parts) / (2 * 3 + 2 * 11)  # type: ignore[arg-type]
    result = run.take_step(parts)
    assert result.losses["decoder_only_causal_lm"].item() == pytest.approx(expected, rel=1e-5)


def test_accumulated_gradients_are_those_of_one_large_batch() -> None:
    # A large epsilon makes AdamW's step follow the gradient's size, where else rounding could turn its sign.
    first, run_in_parts = new_run({"decoder_only_causal_lm": 1.0}, epsilon=1.0)
    second, run_at_once = new_run({"decoder_only_causal_lm": 1.0}, epsilon=1.0)
    whole = build_decoder_only_causal_lm(
        np.concatenate([(np.arange(16).reshape(2, 8) + start) % 50 for start in (0, 20)]), TOKENS
    )
    run_in_parts.take_step([code(0), code(20)])
    run_at_once.take_step([MicroBatch(objective="decoder_only_causal_lm", batch=whole)])
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_a_step_without_finite_gradient_changes_nothing_but_the_count() -> None:
    module, run = new_run({"decoder_only_causal_lm": 1.0}, ema_decay=0.9)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with torch.no_grad():
        module.model.token_embedding.weight[7] = torch.nan
    before["model.token_embedding.weight"] = module.model.token_embedding.weight.detach().clone()
    result = run.take_step([code(0), code(20)])
    assert not result.is_applied
    assert run.step == 1
    for name, tensor in module.state_dict().items():
        torch.testing.assert_close(tensor, before[name], equal_nan=True)


def test_a_pair_step_moves_momentum_and_fills_the_queue() -> None:
    module, run = new_run({"contrastive": 1.0, "matching": 1.0})
    assert run.momentum is not None
    assert run.queue is not None
    before = run.momentum.model.token_embedding.weight.clone()
    run.take_step([pairs(0), pairs(10)])
    assert run.queue["content_ids_Q2"][:, 0].tolist() == [0, 1, 10, 11]
    expected = (before + module.model.token_embedding.weight) / 2
    torch.testing.assert_close(run.momentum.model.token_embedding.weight, expected)


def test_the_temperature_stays_within_its_bounds() -> None:
    module, run = new_run({"contrastive": 1.0})
    with torch.no_grad():
        module.temperature.fill_(0.5001)
    run.take_step([pairs(0), pairs(10)])
    assert 0.001 <= module.temperature.item() <= 0.5


def test_a_held_temperature_moves_only_after_its_steps() -> None:
    module, run = new_run({"contrastive": 1.0}, temperature_held_steps=2)
    seen = []
    for first in (0, 10, 20):
        run.take_step([pairs(first), pairs(first + 5)])
        seen.append(module.temperature.item())
    assert seen[0] == seen[1] == pytest.approx(0.1)
    assert seen[2] != seen[1]


def test_objectives_on_a_share_of_the_pairs_weigh_by_what_takes_part() -> None:
    module, run = new_run({"code_to_text": 1.0}, one_in={"code_to_text": 2})
    parts = [pairs(0), pairs(10)]
    shares = [part.batch.one_in(2) for part in parts]  # type: ignore[union-attr]
    generator = torch.Generator()
    expected = sum(
        pair_losses(
            module.model,
            share,
            None,
            TOKENS,
            module.temperature,
            recipe=PairRecipe(),
            objectives=["code_to_text"],
            generator=generator,
        )["code_to_text"].item()
        for share in shares
    )
    result = run.take_step(parts)
    assert result.losses["code_to_text"].item() == pytest.approx(expected / (2 * 3), rel=1e-5)


def test_matching_on_a_share_of_the_pairs_judges_only_those() -> None:
    module, run = new_run({"contrastive": 1.0, "matching": 1.0}, one_in={"matching": 2})
    judged: list[int] = []
    assert module.model.matching_head is not None
    module.model.matching_head.register_forward_hook(lambda _module, inputs, _output: judged.append(len(inputs[0])))
    result = run.take_step([pairs(0), pairs(10)])
    assert judged == [3, 3], "one of two pairs, with two wrong partners"
    assert math.isfinite(result.losses["matching"].item())


def test_a_stage_ends_with_its_minutes_and_a_resumed_leg_counts_those_before() -> None:
    _, run = new_run({"decoder_only_causal_lm": 1.0}, minutes=1000.0)
    run.take_step([code(0), code(20)])
    assert run.done_share == pytest.approx(0.1), "by steps"
    state = run.state_dict()
    assert 0 < state["seconds"] < 60_000
    _, resumed = new_run({"decoder_only_causal_lm": 1.0}, minutes=1000.0)
    resumed.load_state_dict(state | {"seconds": 59_990.0})
    assert resumed.done_share == pytest.approx(0.9998, abs=1e-4)
    assert resumed.take_step([code(0), code(20)]).learning_rate < 1e-5
    _, over = new_run({"decoder_only_causal_lm": 1.0}, minutes=1000.0)
    over.load_state_dict(state | {"seconds": 70_000.0})
    assert over.done_share == 1


def test_the_average_follows_the_weights() -> None:
    module, run = new_run({"decoder_only_causal_lm": 1.0}, ema_decay=0.75)
    name = "model.decoder.final_norm.weight"
    before = module.state_dict()[name].clone()
    run.take_step([code(0), code(20)])
    assert run.average is not None
    torch.testing.assert_close(run.average.weights[name], 0.75 * before + 0.25 * module.state_dict()[name])
    run.average.copy_to(module)
    torch.testing.assert_close(module.state_dict()[name], run.average.weights[name])


@pytest.fixture
def bfloat16_accelerator() -> Iterator[Accelerator]:
    AcceleratorState._reset_state(reset_partial_state=True)
    yield Accelerator(cpu=True, mixed_precision="bf16")
    AcceleratorState._reset_state(reset_partial_state=True)


def test_every_stage_of_a_run_computes_in_its_precision(bfloat16_accelerator: Accelerator) -> None:
    module = new_module()
    dtypes: list[torch.dtype] = []
    query = module.model.decoder.layers[0].self_attention.query  # type: ignore[union-attr]
    query.register_forward_hook(lambda _module, _inputs, output: dtypes.append(output.dtype))
    for _ in range(3):
        run = StageRun(code_stage(), module, bfloat16_accelerator, seed=(0,))
        run.take_step([code(0), code(20)])
        run.close()
    assert dtypes == [torch.bfloat16] * 6


def test_operations_are_six_for_each_weight_and_position() -> None:
    module = new_module()
    batch = code(0, rows=3, length=11).batch
    decoder = sum(p.numel() for p in module.model.decoder.parameters() if p.dim() == 2)  # type: ignore[union-attr]
    encoder = sum(p.numel() for p in module.model.encoder.parameters() if p.dim() == 2)  # type: ignore[union-attr]
    crossed = module.model.decoder.layers[0].cross_attention  # type: ignore[union-attr]
    once = crossed.value.weight.numel() + crossed.output.weight.numel()
    unread = crossed.query.weight.numel() + crossed.key.weight.numel()
    head = module.model.token_embedding.weight.numel()
    expected = 3 * 6 * (10 * (decoder - once - unread + head) + encoder + once)
    scores = 3 * 12 * 16 * (1 + 10**2 / 2)
    assert training_flops(module.model.config, batch) == pytest.approx(expected + scores)


def test_a_cpu_has_no_matrix_rate() -> None:
    assert matrix_rate(torch.device("cpu")) is None


def test_a_batch_may_be_its_own_keys() -> None:
    module = new_module()
    stage = StageRecipe(
        name="s",
        steps=10,
        objectives={"contrastive": 1.0},
        pairs=PairRecipe(rows=2, micro_rows=2, max_text_tokens=4, max_code_tokens=4, keys="batch", queue=0),
        optimizer=OptimizerRecipe(peak_learning_rate=1e-2),
        schedule=ScheduleRecipe(warmup_steps=0),
    )
    run = StageRun(stage, module, Accelerator(cpu=True), seed=(0,))
    assert run.momentum is run.queue is None
    batch = pairs(0).batch
    assert isinstance(batch, PairBatch)
    with torch.no_grad():
        text_BE = module.model.embed(module.model.encode(batch.text_ids_BS))
        code_BE = module.model.embed(module.model.encode(batch.code_ids_BT))
        logits_BB = text_BE @ code_BE.T / module.temperature
        expected = -(logits_BB.log_softmax(1).diagonal() + logits_BB.T.log_softmax(1).diagonal()).mean() / 2
    losses = [float(run.take_step([pairs(0)]).losses["contrastive"]) for _ in range(5)]
    assert losses[0] == pytest.approx(float(expected), rel=1e-4)
    assert losses[-1] < losses[0]
