"""The ablations of the paper: each recipe leaves out what it is named after, and runs."""

from dataclasses import replace
from pathlib import Path

import pytest
from small_artifact import SMALL

from codet5p.model.checkpoint import save_checkpoint
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.config import TrainingRecipe, load_recipe
from codet5p.training.tokenizer_training import train_tokenizer
from codet5p.training.trainer import run_training

pytestmark = pytest.mark.timeout(600)  # real training, on a machine that may be busy
RECIPES = Path(__file__).parents[2] / "training" / "recipes"
FUNCTION = 'def add_{0}(left, right):\n    """Return the sum of both and {0}."""\n    return left + right + {0}\n'
LEFT_OUT = {
    "none": set(),
    "causal-lm": {"seq2seq_causal_lm", "decoder_only_causal_lm"},
    "matching": {"matching"},
    "code-text-lm": {"text_to_code", "code_to_text"},
    "frozen-decoder": set(),
}


def objectives(recipe: TrainingRecipe) -> set[str]:
    return {name for stage in recipe.stages for name in stage.objectives}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_an_ablation_differs_from_the_others_in_what_it_is_named_after(name: str) -> None:
    whole, own = (load_recipe(RECIPES / f"ablation-{kind}.toml") for kind in ("none", name))
    assert objectives(whole) - objectives(own) == LEFT_OUT[name]
    is_frozen = {stage.frozen != () for stage in own.stages}
    assert is_frozen == {name == "frozen-decoder"}
    for ours, theirs in zip(own.stages, whole.stages, strict=True):
        assert replace(ours, objectives=theirs.objectives, frozen=(), code=theirs.code) == theirs
        rows = [len(stage.objectives) * stage.code.rows for stage in (ours, theirs)]
        assert ours.name != "code" or rows[0] == rows[1], "as many rows of code in each"
    same = replace(own, name=whole.name, output=whole.output, stages=whole.stages)
    assert same == whole


@pytest.mark.parametrize("name", LEFT_OUT)
def test_an_ablation_runs(name: str, tmp_path: Path) -> None:
    (tmp_path / "sums.py").write_text("\n\n".join(FUNCTION.format(number) for number in range(40)), "utf-8")
    tokenizer = train_tokenizer([(tmp_path / "sums.py").read_text("utf-8")], 300)
    model = CodeT5pModel(replace(SMALL, vocab_size=-(-tokenizer.vocab_size // 64) * 64))
    tokenizer.save(tmp_path / "tokenizer.json")
    tokenizer_json = (tmp_path / "tokenizer.json").read_text("utf-8")
    save_checkpoint(tmp_path / "start", model, tokenizer_json=tokenizer_json, extra={})
    places = {"data.code.0.path": tmp_path, "data.pairs.0.path": tmp_path, "output": tmp_path / "run"}
    places |= {"tokenizer.path": tmp_path / "start", "model.source": tmp_path / "start"}
    sizes = {"run.precision": "float32", "run.compile": "false", "run.workers": 0, "run.cpu_threads": 1}
    code = "{rows = 4, micro_rows = 4, chunk_tokens = 32, block_tokens = 32}"
    sizes |= {"stages.0.steps": 1, "stages.1.steps": 1, "stages.0.code": code}
    sizes |= {"stages.1.pairs.rows": 8, "stages.1.pairs.micro_rows": 8, "stages.1.pairs.queue": 16}
    overrides = [f"{key}={value}" for key, value in (places | sizes).items()]
    result = run_training(load_recipe(RECIPES / f"ablation-{name}.toml", overrides))
    assert result.is_finished
    assert LEFT_OUT["none"] == set(result.losses) & LEFT_OUT[name]
    assert len(result.losses) == 7 - len(LEFT_OUT[name])
