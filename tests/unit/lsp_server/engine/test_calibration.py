import json
import os
from pathlib import Path

import pytest

from codet5p.core.assembly import AssembledModels, assemble
from codet5p.core.errors import EngineError
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine import calibration
from codet5p.lsp_server.engine.calibration import Timing, calibrated_threads, candidate_threads, measure


@pytest.fixture(autouse=True)
def quiet_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "_is_busy", lambda: False)


@pytest.fixture
def models(artifact: Path, tmp_path: Path) -> AssembledModels:
    return assemble(artifact, tmp_path / "cache")


def fake_measure(model: Path, tokenizer: Tokenizer, num_threads: int) -> Timing:
    """Four threads are fastest on a prompt, two clearly so on a line."""
    line_ms = {1: 30.0, 2: 20.0, 4: 25.0}[num_threads]
    return Timing(num_threads=num_threads, prompt_ms_per_token=9.0 / num_threads, step_ms=1.0, line_ms=line_ms)


def test_the_fastest_line_wins_and_is_remembered(
    models: AssembledModels, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "candidate_threads", lambda: [1, 2, 4])
    monkeypatch.setattr(calibration, "measure", fake_measure)
    assert calibrated_threads(models.completion, tokenizer) == 2
    record = json.loads((models.completion.parent / "threads.json").read_text("utf-8"))
    assert record["num_threads"] == 2
    assert [timing["line_ms"] for timing in record["timings"]] == [30.0, 20.0, 25.0]
    monkeypatch.setattr(calibration, "measure", lambda *_: pytest.fail("measured again"))
    assert calibrated_threads(models.completion, tokenizer) == 2


@pytest.mark.parametrize("content", ["", "[]", '{"machine": "another", "num_threads": 4}', '{"num_threads": 4}'])
def test_a_record_of_another_machine_or_none_is_measured_anew(
    models: AssembledModels, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (models.completion.parent / "threads.json").write_text(content, "utf-8")
    monkeypatch.setattr(calibration, "candidate_threads", lambda: [1])
    monkeypatch.setattr(calibration, "measure", fake_measure)
    assert calibrated_threads(models.completion, tokenizer) == 1


def test_no_more_threads_than_cores_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, expected in ((1, [1]), (2, [1, 2]), (3, [1, 2]), (16, [1, 2, 4])):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)), raising=False)
        assert candidate_threads() == expected


def test_a_measurement_has_positive_times(models: AssembledModels, tokenizer: Tokenizer) -> None:
    timing = measure(models.completion, tokenizer, 1)
    assert timing.num_threads == 1
    assert timing.prompt_ms_per_token > 0
    assert timing.line_ms > 0


def test_a_folder_without_a_model_is_an_error_with_the_remedy(tmp_path: Path, tokenizer: Tokenizer) -> None:
    with pytest.raises(EngineError, match=r"^cannot load the model .*; see codet5p doctor$"):
        measure(tmp_path, tokenizer, 1)


def test_a_busy_computer_gets_one_thread_and_is_measured_another_time(
    models: AssembledModels, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "_is_busy", lambda: True)
    monkeypatch.setattr(calibration, "candidate_threads", lambda: [1, 2, 4])
    monkeypatch.setattr(calibration, "measure", fake_measure)
    assert calibrated_threads(models.completion, tokenizer) == 1
    assert not (models.completion.parent / "threads.json").exists()
    assert calibrated_threads(models.completion, tokenizer, is_forced=True) == 2


def test_a_second_thread_must_win_clearly(
    models: AssembledModels, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nearly_equal(model: Path, tokenizer: Tokenizer, num_threads: int) -> Timing:
        return Timing(num_threads=num_threads, prompt_ms_per_token=1.0, step_ms=1.0, line_ms=100.0 - 10 * num_threads)

    monkeypatch.setattr(calibration, "candidate_threads", lambda: [1, 2])
    monkeypatch.setattr(calibration, "measure", nearly_equal)
    assert calibrated_threads(models.completion, tokenizer) == 1
