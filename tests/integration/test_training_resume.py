"""A run that is interrupted and resumed is the run that was not, bit for bit."""

from pathlib import Path

import pytest
import torch

from codet5p.core.errors import CheckpointError, ConfigError
from codet5p.training.config import TrainingRecipe, load_recipe
from codet5p.training.run_checkpoint import latest_checkpoint, load_run
from codet5p.training.trainer import run_training

pytestmark = pytest.mark.timeout(600)  # real training, on a machine that may be busy
DEBUG = Path(__file__).parents[2] / "training" / "recipes" / "debug.toml"
SMALL_PAIRS = "{rows = 4, micro_rows = 2, max_text_tokens = 16, max_code_tokens = 32, queue = 8}"
SMALL_CODE = "{rows = 4, micro_rows = 2, chunk_tokens = 32, block_tokens = 32}"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    body = "    total = left + right\n    return total + {0}\n"
    function = 'def add_{0}(left, right):\n    """Return the sum of both plus {0}."""\n' + body
    functions = [function.format(number) for number in range(40)]
    (folder / "sums.py").write_text("\n\n".join(functions), "utf-8")
    return folder


def recipe(source: Path, output: Path, *overrides: str) -> TrainingRecipe:
    settings = [
        f"output={output}",
        "tokenizer.vocabulary=300",
        f"data.code.0.path={source}",
        f"data.pairs.0.path={source}",
        "model.dropout=0.1",
    ]
    for stage in range(3):
        settings += [f"stages.{stage}.{key}" for key in (f"code={SMALL_CODE}", f"pairs={SMALL_PAIRS}", "steps=2")]
    settings += ["stages.2.ema_decay=0.9", "run.report_every=2"]
    return load_recipe(DEBUG, [*settings, *overrides])


def weights_of(output: Path) -> dict[str, torch.Tensor]:
    checkpoint = latest_checkpoint(output / "checkpoints")
    assert checkpoint is not None
    model, state = load_run(checkpoint)
    momentum = {f"momentum.{name}": tensor for name, tensor in state["momentum"].items()}
    queue = {f"queue.{name}": torch.as_tensor(value) for name, value in state["queue"].items()}
    return {**model.state_dict(), **momentum, **queue, "temperature": torch.tensor(state["temperature"])}


def test_legs_of_one_step_each_give_the_uninterrupted_run(source: Path, tmp_path: Path) -> None:
    whole = run_training(recipe(source, tmp_path / "whole"))
    assert whole.is_finished
    assert whole.steps == 6
    legs = 0
    while not run_training(recipe(source, tmp_path / "legs"), minutes=0.0).is_finished:
        legs += 1
    assert legs >= 5
    uninterrupted, resumed = weights_of(tmp_path / "whole"), weights_of(tmp_path / "legs")
    assert uninterrupted.keys() == resumed.keys()
    assert [name for name in uninterrupted if not uninterrupted[name].equal(resumed[name])] == []


def test_loader_processes_do_not_change_the_run(source: Path, tmp_path: Path) -> None:
    run_training(recipe(source, tmp_path / "alone"))
    run_training(recipe(source, tmp_path / "workers", "run.workers=2"))
    alone, workers = weights_of(tmp_path / "alone"), weights_of(tmp_path / "workers")
    assert [name for name in alone if not alone[name].equal(workers[name])] == []


def test_a_damaged_state_is_refused_with_its_remedy(source: Path, tmp_path: Path) -> None:
    settings = recipe(source, tmp_path / "run")
    run_training(settings, minutes=0.0)
    checkpoint = latest_checkpoint(settings.output / "checkpoints")
    assert checkpoint is not None
    state = checkpoint / "training_state.pt"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="resume from an earlier checkpoint"):
        run_training(settings)


def test_another_recipe_does_not_continue_the_run(source: Path, tmp_path: Path) -> None:
    run_training(recipe(source, tmp_path / "run"), minutes=0.0)
    with pytest.raises(ConfigError, match="was made with another seed"):
        run_training(recipe(source, tmp_path / "run", "seed=1"))


def test_compact_checkpoints_go_on_from_nearly_the_same_place(source: Path, tmp_path: Path) -> None:
    compact = ("run.checkpoint_weights=bfloat16", "run.checkpoint_optimizer=int8")
    run_training(recipe(source, tmp_path / "whole"))
    while not run_training(recipe(source, tmp_path / "legs", *compact), minutes=0.0).is_finished:
        pass
    exact, resumed = weights_of(tmp_path / "whole"), weights_of(tmp_path / "legs")
    name = "token_embedding.weight"
    difference = (exact[name] - resumed[name].float()).norm() / exact[name].norm()
    assert 0 < difference < 0.05
