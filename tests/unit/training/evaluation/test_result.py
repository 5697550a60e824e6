import json
from pathlib import Path

import pytest
from small_artifact import SMALL

from codet5p.core.errors import DataError
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.evaluation.examples import binary_metrics
from codet5p.training.evaluation.result import SuiteResult, markdown_table, mean_with_interval, write_results
from codet5p.training.evaluation.suites import SUITES, SuiteOptions, read_rows, run_suite
from codet5p.training.evaluation.torch_model import TorchModel

RESULT = SuiteResult(
    suite="demo",
    rows=4,
    metrics=mean_with_interval("score", [0.0, 100.0, 100.0, 100.0]) | {"empty": 5.0},
    predictions=({"id": 1, "prediction": "é"},),
)


def test_a_mean_comes_with_its_interval() -> None:
    assert RESULT.metrics["score"] == 75
    assert RESULT.metrics["score_low"] < 75 < RESULT.metrics["score_high"]


def test_no_rows_have_no_mean() -> None:
    with pytest.raises(ValueError, match="score needs at least one row"):
        mean_with_interval("score", [])


def test_the_table_has_a_line_for_each_metric() -> None:
    lines = markdown_table([RESULT], "a model").splitlines()
    assert lines[0] == "# a model"
    assert lines[4].startswith("| demo | 4 | score | 75 |")
    assert lines[5] == "| demo | 4 | empty | 5 |  |"


def test_results_are_written_for_tools_and_people(tmp_path: Path) -> None:
    path = write_results([RESULT], tmp_path / "out", model="m", facts={"seconds": 1.5})
    written = json.loads(path.read_text("utf-8"))
    assert (written["model"], written["seconds"]) == ("m", 1.5)
    assert written["suites"][0]["metrics"]["score"] == 75
    assert "predictions" not in written["suites"][0]
    predictions = (tmp_path / "out" / "demo.predictions.jsonl").read_text("utf-8")
    assert json.loads(predictions) == {"id": 1, "prediction": "é"}
    assert (tmp_path / "out" / "results.png").read_bytes().startswith(b"\x89PNG")


def test_binary_metrics_by_hand() -> None:
    metrics = binary_metrics([True, True, False, False], [True, False, True, False])
    assert metrics == {"precision": 50, "recall": 50, "f1": 50}
    assert binary_metrics([False], [True]) == {"precision": 0, "recall": 0, "f1": 0}


@pytest.mark.parametrize("suite", [name for name in SUITES if name != "examples"])
def test_a_suite_without_its_data_says_so(suite: str, tmp_path: Path, tokenizer: Tokenizer) -> None:
    model = TorchModel(CodeT5pModel(SMALL), tokenizer)
    with pytest.raises(DataError, match=r"cannot read the evaluation set|holds no source files"):
        next(run_suite(suite, model, SuiteOptions(data=tmp_path)))


def test_an_empty_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n", "utf-8")
    with pytest.raises(DataError, match="is empty"):
        read_rows(tmp_path / "empty.jsonl")
