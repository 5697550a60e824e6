import gzip
import json
from pathlib import Path

import pytest
from small_artifact import SMALL, SMALL_DECODER

from codet5p.core.errors import ConfigError, DataError
from codet5p.core.model_config import CodeT5pConfig
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.evaluation.suites import SUITES, SuiteOptions, run_suite, standard_suites
from codet5p.training.evaluation.torch_model import TorchModel

LINES = "".join(f"value_{number} = compute_value({number})\n" for number in range(20))


def small_model(tokenizer: Tokenizer, config: CodeT5pConfig = SMALL) -> TorchModel:
    return TorchModel(CodeT5pModel(config), tokenizer)


def write_rows(path: Path, rows: list[dict[str, object]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_all_is_what_the_model_can_do_and_the_data_is_there_for(tokenizer: Tokenizer, tmp_path: Path) -> None:
    for name in ("py150", "infilling"):
        write_rows(tmp_path / SUITES[name].file, [{"id": 0}])
    options = SuiteOptions(data=tmp_path, code=tmp_path)
    chosen, left_out = standard_suites(small_model(tokenizer, SMALL_DECODER), options)
    assert chosen == ["py150", "next-line", "bits-per-byte"]
    assert left_out["infilling"] == "the model does not offer generate"
    assert "javacorpus" in left_out["javacorpus"]
    chosen, left_out = standard_suites(small_model(tokenizer), SuiteOptions(data=tmp_path))
    assert chosen == ["py150", "infilling"]
    assert left_out["next-line"] == "no folder of held-out code was given"
    assert "examples" not in chosen + list(left_out), "it has no data of its own"


def test_a_mode_that_the_model_lacks_is_one_clear_error(tokenizer: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="suite cosqa needs the mode embed, which this model does not offer"):
        next(run_suite("cosqa", small_model(tokenizer, SMALL_DECODER), SuiteOptions(data=tmp_path)))
    with pytest.raises(ConfigError, match="unknown suite 'humaneval'; known are all, py150"):
        next(run_suite("humaneval", small_model(tokenizer), SuiteOptions(data=tmp_path)))


def test_held_out_code_is_scored_language_by_language(tokenizer: Tokenizer, tmp_path: Path) -> None:
    for language, suffix in (("python", "py"), ("ruby", "rb")):
        (tmp_path / language).mkdir()
        (tmp_path / language / f"a.{suffix}").write_text(LINES, "utf-8")
    (tmp_path / "empty").mkdir()
    options = SuiteOptions(data=tmp_path / "unused", code=tmp_path, limit=2)
    model = small_model(tokenizer)
    results = [result for name in ("bits-per-byte", "next-line") for result in run_suite(name, model, options)]
    assert [result.suite for result in results] == [
        "bits_per_byte_python",
        "bits_per_byte_ruby",
        "next_line_python",
        "next_line_ruby",
    ]
    assert [result.rows for result in results[2:]] == [2, 2]


def test_one_folder_of_code_is_one_result(tokenizer: Tokenizer, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(LINES, "utf-8")
    results = list(run_suite("bits-per-byte", small_model(tokenizer), SuiteOptions(data=tmp_path)))
    assert [result.suite for result in results] == ["bits_per_byte"]


def test_code_without_source_files_is_refused(tokenizer: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no source files; give --code"):
        next(run_suite("bits-per-byte", small_model(tokenizer), SuiteOptions(data=tmp_path)))


def test_retrieval_asks_the_first_queries_over_the_whole_pool(tokenizer: Tokenizer, tmp_path: Path) -> None:
    rows = [{"docstring": f"text {number}", "code": f"code {number}"} for number in range(5)]
    write_rows(tmp_path / SUITES["csn-ruby"].file, rows)
    result = next(run_suite("csn-ruby", small_model(tokenizer), SuiteOptions(data=tmp_path, limit=2)))
    assert (result.rows, result.settings["candidates"]) == (2, 5)
