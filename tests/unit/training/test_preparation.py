import json
from pathlib import Path

import numpy as np
import pytest
from fakes import small_tokenizer

from codet5p.core.errors import DataError
from codet5p.training.config import TrainingRecipe, load_recipe
from codet5p.training.preparation import load_stage_data

DEBUG = Path(__file__).parents[3] / "training" / "recipes" / "debug.toml"
TOKENIZER = small_tokenizer()


def recipe(path: Path, *overrides: str) -> TrainingRecipe:
    return load_recipe(DEBUG, [f'data.pairs=[{{path="{path}"}}]', *(f"stages.2.pairs.{key}" for key in overrides)])


def write_pairs(path: Path, **counts: int) -> Path:
    """Write pairs of languages in turns; the code of each pair is its number."""
    rows = [
        {"language": language, "text": f"{language} {number}", "code": f"x{number}"}
        for number in range(max(counts.values()))
        for language, count in counts.items()
        if number < count
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_each_pool_is_of_one_language_in_proportion_to_the_square_root_of_its_pairs(tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "pairs.jsonl", python=64, go=16)
    run = recipe(path, "one_language=true", "length_pool=2", "micro_rows=4", "rows=8")
    data = load_stage_data(run.stages[2], run, TOKENIZER)
    assert data.pairs is not None
    rows_NB = data.pair_rows.rows(range(8 * 30), (0,)).reshape(30, 8)
    is_python_NB = rows_NB < 64
    assert (is_python_NB == is_python_NB[:, :1]).all()
    assert is_python_NB[:, 0].sum() == 20  # eight against four
    assert TOKENIZER.decode(data.pairs.texts.row(64)) == "go 0"


def test_pairs_beyond_what_a_run_needs_are_left_out_evenly(tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "pairs.jsonl", python=10)
    run = recipe(path, "most_pairs=5")
    data = load_stage_data(run.stages[2], run, TOKENIZER)
    assert data.pairs is not None
    codes = [TOKENIZER.decode(data.pairs.codes.row(row)) for row in range(len(data.pairs))]
    assert codes == ["x0", "x2", "x4", "x6", "x8"]


def test_views_are_the_same_each_time_the_data_is_read(tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "pairs.jsonl", python=40)
    run = recipe(path, "views={documented=0.5}")
    tables = [load_stage_data(run.stages[2], run, TOKENIZER).pairs for _ in range(2)]
    lengths = [table.codes.lengths(np.arange(40)).tolist() for table in tables if table is not None]
    assert lengths[0] == lengths[1]
    assert 5 < sum(length > 5 for length in lengths[0]) < 35


def test_a_source_without_pairs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text("", "utf-8")
    run = recipe(tmp_path / "pairs.jsonl", "one_language=true", "length_pool=1")
    with pytest.raises(DataError, match="a source of pairs is empty"):
        load_stage_data(run.stages[2], run, TOKENIZER)
