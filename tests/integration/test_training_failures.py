"""Wrong input stops a run with one line before any work, and a diverging run stops by itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from codet5p.core.errors import CheckpointError, CodeT5pError, DataError
from codet5p.model.checkpoint import save_checkpoint
from codet5p.model.config import t5_220m
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.config import TrainingRecipe, load_recipe
from codet5p.training.trainer import run_training

DEBUG = Path(__file__).parents[2] / "training" / "recipes" / "debug.toml"


def recipe(folder: Path, *overrides: str) -> TrainingRecipe:
    source = folder / "source"
    source.mkdir(parents=True, exist_ok=True)
    function = 'def add_{0}(left):\n    """Return the sum plus {0}."""\n    return left + {0}\n'
    (source / "sums.py").write_text("\n".join(function.format(number) for number in range(40)), "utf-8")
    stage = "stages=[{name='code', steps=6, objectives={decoder_only_causal_lm=1.0}, "
    stage += "code={rows=2, micro_rows=2, block_tokens=16}}]"
    settings = [f"output={folder / 'run'}", f"data={{code=[{{path='{source}'}}]}}", "tokenizer.vocabulary=300", stage]
    return load_recipe(DEBUG, [*settings, *overrides])


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the data source .*nowhere does not exist"):
        run_training(recipe(tmp_path, f"data.code.0.path={tmp_path / 'nowhere'}"))


def test_too_little_code_for_one_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot fill a row of 100001; add data"):
        run_training(recipe(tmp_path, "stages.0.code.block_tokens=100000"))


def test_a_folder_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        run_training(recipe(tmp_path, "model.start=checkpoint", f"model.source={tmp_path}"))


def test_a_checkpoint_with_another_vocabulary_is_refused(tmp_path: Path) -> None:
    small = replace(
        t5_220m(vocab_size=64), width=16, num_encoder_layers=1, num_decoder_layers=1, num_heads=2,
        num_key_value_heads=2, head_dim=8, feed_forward_width=16, cross_attention_layers=(0,),
    )  # fmt: skip
    save_checkpoint(tmp_path / "small", CodeT5pModel(small), tokenizer_json=None, extra={})
    with pytest.raises(
        CheckpointError, match=r"has 64 embedding rows for \d+ tokens; take the tokenizer that belongs to it"
    ):
        run_training(recipe(tmp_path, "model.start=checkpoint", f"model.source={tmp_path / 'small'}"))


def test_a_diverging_run_stops_by_itself(tmp_path: Path) -> None:
    settings = ["run.max_bad_steps=2", "stages.0.schedule={kind='stable', warmup_steps=0}", "stages.0.steps=60"]
    with pytest.raises(CodeT5pError, match="no finite loss or gradient for 2 steps in stage code; lower its"):
        run_training(recipe(tmp_path, *settings, "stages.0.optimizer.peak_learning_rate=1e30"))
    assert not (tmp_path / "run" / "model").exists()
