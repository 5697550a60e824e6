"""The engine on a real, small, random model: healing, stopping, limits, and memory that comes back."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event, Timer
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from fakes import small_tokenizer
from small_artifact import SMALL_DECODER, write_artifact

from codet5p.core.assembly import AssembledModels, assemble
from codet5p.core.errors import EngineError
from codet5p.core.special_tokens import CLM
from codet5p.lsp_server.engine.ctranslate2_engine import CTranslate2Engine
from codet5p.lsp_server.engine.protocol import Engine, Generation, GenerationRequest
from codet5p.model.transformer import CodeT5pModel

TOKENIZER = small_tokenizer()
STATIC = tuple(TOKENIZER.encode("def f(self):\n    self.value = 1"))
TAIL = tuple(TOKENIZER.encode("\n    return self.va"))


def request(**changes: object) -> GenerationRequest:
    plain = GenerationRequest(
        static_ids=STATIC,
        tail_ids=TAIL,
        required_prefix=b"",
        end_ids=(),
        max_new_tokens=6,
        time_limit_seconds=60.0,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def generate(engine: Engine, **changes: object) -> Generation:
    generation = engine.generate(request(**changes), Event())
    assert generation is not None
    return generation


def bytes_of(ids: Sequence[int]) -> bytes:
    return b"".join(TOKENIZER.token_bytes[token_id] for token_id in ids)


def torch_log_probs(model: CodeT5pModel, ids: Sequence[int]) -> torch.Tensor:
    with torch.no_grad():
        states = model.encode(torch.tensor([[TOKENIZER.token_id(CLM)]]))
        logits: torch.Tensor = model.logits(model.decode(torch.tensor([list(ids)]), states))[0, -1]
    return logits.log_softmax(-1)


@pytest.fixture
def engine(float32_models: AssembledModels) -> CTranslate2Engine:
    return CTranslate2Engine(float32_models.completion, TOKENIZER, num_threads=1)


def test_without_a_prefix_it_is_the_greedy_continuation(engine: CTranslate2Engine, torch_model: CodeT5pModel) -> None:
    ids = list(STATIC + TAIL)
    expected = []
    for _ in range(6):
        log_probs = torch_log_probs(torch_model, ids)
        expected.append((int(log_probs.argmax()), float(log_probs.max())))
        ids.append(expected[-1][0])
    generation = generate(engine)
    assert generation.ids == tuple(token_id for token_id, _ in expected)
    assert generation.log_probs == pytest.approx([log_prob for _, log_prob in expected], abs=1e-3)
    assert not generation.is_finished


@pytest.mark.parametrize("prefix", [b"va", b" ", b"re", b"\n    ", b"valu", "ä".encode()[:1], b"x"])
def test_the_first_token_is_the_likeliest_of_those_that_start_with_the_prefix(
    engine: CTranslate2Engine, torch_model: CodeT5pModel, prefix: bytes
) -> None:
    allowed = [i for i, stands_for in enumerate(TOKENIZER.token_bytes) if stands_for.startswith(prefix)]
    log_probs = torch_log_probs(torch_model, STATIC + TAIL)
    best = max(allowed, key=lambda token_id: float(log_probs[token_id]))
    following = int(torch_log_probs(torch_model, (*STATIC, *TAIL, best)).argmax())
    generation = generate(engine, required_prefix=prefix)
    assert bytes_of(generation.ids).startswith(prefix)
    assert generation.ids[:2] == (best, following)
    assert generation.log_probs[0] == pytest.approx(float(log_probs[best]), abs=1e-3)
    assert len(generation.ids) == len(generation.log_probs) == 6


def test_a_prefix_that_the_free_choice_has_anyway_changes_nothing(engine: CTranslate2Engine) -> None:
    free = generate(engine)
    assert generate(engine, required_prefix=bytes_of(free.ids[:1])) == free


@pytest.mark.parametrize("prefix", [b"no token starts like this", b"\xff\xff"])
def test_a_prefix_that_no_token_has_gives_nothing(engine: CTranslate2Engine, prefix: bytes) -> None:
    assert generate(engine, required_prefix=prefix) == Generation(ids=(), log_probs=(), is_finished=False)


def test_an_end_token_is_part_of_the_result_and_ends_it(engine: CTranslate2Engine) -> None:
    free = generate(engine).ids
    end = free[2]
    generation = generate(engine, end_ids=(end,))
    assert generation.ids == free[: free.index(end) + 1]
    assert generation.is_finished


def test_a_healed_token_may_be_the_end(engine: CTranslate2Engine) -> None:
    allowed = tuple(i for i, stands_for in enumerate(TOKENIZER.token_bytes) if stands_for.startswith(b"\n"))
    generation = generate(engine, required_prefix=b"\n", end_ids=allowed)
    assert len(generation.ids) == 1
    assert generation.ids[0] in allowed
    assert generation.is_finished


@pytest.mark.parametrize("prefix", [b"", b"va"])
@pytest.mark.parametrize("limit", [1, 2, 24])
def test_no_more_tokens_come_than_asked_for(engine: CTranslate2Engine, prefix: bytes, limit: int) -> None:
    assert len(generate(engine, required_prefix=prefix, max_new_tokens=limit).ids) == limit


def test_a_request_stopped_before_it_began_gives_nothing(engine: CTranslate2Engine) -> None:
    stop = Event()
    stop.set()
    assert engine.generate(request(), stop) is None


def test_a_request_stopped_on_its_way_ends_early_and_gives_nothing(engine: CTranslate2Engine) -> None:
    stop = Event()
    timer = Timer(0.05, stop.set)
    timer.start()
    assert engine.generate(request(max_new_tokens=50_000), stop) is None
    timer.join()
    assert len(generate(engine).ids) == 6


def test_at_the_time_limit_what_is_there_is_given(engine: CTranslate2Engine) -> None:
    generation = generate(engine, max_new_tokens=50_000, time_limit_seconds=0.05)
    assert 0 < len(generation.ids) < 50_000
    assert not generation.is_finished


def test_a_prepared_start_is_known_and_changes_no_result(float32_models: AssembledModels) -> None:
    engine = CTranslate2Engine(float32_models.completion, TOKENIZER, num_threads=1)
    assert engine.is_prepared(())
    assert not engine.is_prepared(STATIC)
    expected = generate(engine, static_ids=(), tail_ids=STATIC + TAIL)
    assert not engine.is_prepared(STATIC)
    engine.prepare(STATIC)
    assert engine.is_prepared(STATIC)
    assert not engine.is_prepared(STATIC[:-1])
    assert generate(engine).ids == expected.ids


def test_a_full_store_of_starts_is_emptied_and_goes_on(float32_models: AssembledModels) -> None:
    engine = CTranslate2Engine(float32_models.completion, TOKENIZER, num_threads=1, max_static_prompts=2)
    expected = generate(engine).ids
    starts = [STATIC, (*STATIC, 5), (*STATIC, 6)]
    for start in starts:
        engine.prepare(start)
    assert [engine.is_prepared(start) for start in starts] == [False, False, True]
    assert generate(engine).ids == expected
    assert engine.is_prepared(STATIC)


def test_a_folder_without_a_model_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"^cannot load the model .*; see codet5p doctor$"):
        CTranslate2Engine(tmp_path, TOKENIZER, num_threads=1)


def test_a_failure_of_the_runtime_is_an_error_with_the_remedy(engine: CTranslate2Engine) -> None:
    engine._generator.unload_model()
    with pytest.raises(EngineError, match=r"^the inference engine failed: .*; see codet5p doctor$"):
        generate(engine)


def test_emptying_the_store_gives_the_memory_back(tmp_path: Path) -> None:
    # 16 layers x (keys and values) x 512 channels x 4 bytes x 500 tokens = 33 MB a start
    config = replace(SMALL_DECODER, num_decoder_layers=16, num_heads=8, num_key_value_heads=8, head_dim=64)
    write_artifact(tmp_path / "artifact", config, quantization="float32")
    models = assemble(tmp_path / "artifact", tmp_path / "cache")
    starts = [tuple(row) for row in np.random.default_rng(0).integers(1, 250, size=(7, 500)).tolist()]

    def resident_mb(max_static_prompts: int) -> list[float]:
        engine = CTranslate2Engine(models.completion, TOKENIZER, num_threads=1, max_static_prompts=max_static_prompts)
        resident = []
        for start in starts:
            engine.prepare(start)
            resident.append(psutil.Process().memory_info().rss / 1e6)
        return resident

    emptied = resident_mb(3)
    kept = resident_mb(len(starts))
    assert max(emptied[3:]) - max(emptied[:3]) < 33
    assert max(kept[3:]) - max(kept[:3]) > 3 * 33


def alternatives(engine: Engine, count: int, **changes: object) -> tuple[Generation, ...]:
    found = engine.alternatives(request(**changes), count, Event())
    assert found is not None
    return found


def test_alternatives_begin_with_the_likeliest_tokens_and_go_on_greedily(
    engine: CTranslate2Engine, torch_model: CodeT5pModel
) -> None:
    first_log_probs = torch_log_probs(torch_model, STATIC + TAIL)
    likeliest = first_log_probs[: len(TOKENIZER.tokens)].topk(3)
    found = alternatives(engine, 3)
    possible = [int(i) for i, value in zip(likeliest.indices, likeliest.values, strict=True) if value >= -4.0]
    assert [generation.ids[0] for generation in found] == possible[: len(found)]
    for generation in found:
        assert generation.log_probs[0] == pytest.approx(float(first_log_probs[generation.ids[0]]), abs=1e-3)
        ids = list(STATIC + TAIL + generation.ids[:1])
        for token_id in generation.ids[1:]:
            assert token_id == int(torch_log_probs(torch_model, ids).argmax())
            ids.append(token_id)
    assert found[0].ids == generate(engine).ids


@pytest.mark.parametrize("prefix", [b"va", b" ", b"re"])
def test_alternatives_start_with_the_required_prefix(engine: CTranslate2Engine, prefix: bytes) -> None:
    found = alternatives(engine, 4, required_prefix=prefix)
    assert found
    assert all(bytes_of(generation.ids[:1]).startswith(prefix) for generation in found)
    assert len({generation.ids[0] for generation in found}) == len(found)
    assert found[0].ids[0] == generate(engine, required_prefix=prefix).ids[0]


def test_an_alternative_that_is_an_end_goes_no_further(engine: CTranslate2Engine) -> None:
    (first, *_) = alternatives(engine, 3)
    ended = alternatives(engine, 3, end_ids=(first.ids[0],))
    assert ended[0].ids == first.ids[:1]
    assert ended[0].is_finished
    assert alternatives(engine, 1, max_new_tokens=1)[0].ids == first.ids[:1]


def test_stopped_alternatives_are_none_and_impossible_ones_are_few(engine: CTranslate2Engine) -> None:
    stop = Event()
    stop.set()
    assert engine.alternatives(request(), 3, stop) is None
    assert alternatives(engine, 3, required_prefix=b"\xff\xfe") == ()


@pytest.mark.parametrize("prefix", [b"", b"va", b"x"])
def test_generation_is_over_with_the_token_that_says_so(engine: CTranslate2Engine, prefix: bytes) -> None:
    told: list[int] = []

    def is_over(token_id: int) -> bool:
        told.append(token_id)
        return len(told) == 3

    whole = generate(engine, required_prefix=prefix)
    part = generate(engine, required_prefix=prefix, is_over=is_over)
    assert tuple(told) == part.ids == whole.ids[:3]
    assert not part.is_finished


class FailingOnce:
    """A runtime that fails at its next batch and works from then on."""

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        self._has_failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    def generate_batch(self, *arguments: Any, **options: Any) -> Any:
        if not self._has_failed:
            self._has_failed = True
            raise RuntimeError("std::bad_alloc")
        return self._runtime.generate_batch(*arguments, **options)


def test_after_a_failure_of_the_runtime_the_model_is_loaded_anew_and_goes_on(engine: CTranslate2Engine) -> None:
    expected = generate(engine)
    engine._generator = FailingOnce(engine._generator)
    with pytest.raises(EngineError, match="bad_alloc"):
        engine.generate(request(), Event())
    assert not engine.is_prepared(STATIC)
    assert generate(engine) == expected
