from pathlib import Path

import pytest

from codet5p.core.errors import ConfigError
from codet5p.training.config import load_recipe

RECIPES = sorted((Path(__file__).parents[3] / "training" / "recipes").glob("*.toml"))
TRAINING = [path for path in RECIPES if not path.stem.startswith("corpus")]
DEBUG = next(path for path in RECIPES if path.stem == "debug")


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: path.stem)
def test_every_recipe_of_the_package_is_valid(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.stages
    assert recipe.output.is_absolute()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stages.0.step=3", "unknown key stages\\[0\\].step; known are"),
        ("stages.0.objectives={masking=1.0}", "unknown objective masking; known are span_denoising"),
        ("stages.0.objectives={span_denoising=0.0}", "objective weights must be positive"),
        ("stages.0.code.rows=7", "code.rows \\(7\\) must be a multiple of code.micro_rows \\(8\\)"),
        (
            "stages.0.code.by_objective={x={rows=2, micro_rows=2}}",
            "code.by_objective names x; known are span_denoising",
        ),
        ("stages.2.pairs.code_widths=[64, 32]", "pairs.code_widths must ascend to 96, got \\[64, 32\\]"),
        ("stages.2.pairs.one_in={matching=3}", "pairs.one_in is matching = 3; it takes matching, text_to_code"),
        ("stages.2.pairs.one_in={contrastive=2}", "pairs.one_in is contrastive = 2"),
        ("stages.2.pairs.keys=batch", "pairs.keys = 'batch' has no queue; set pairs.queue to 0"),
        ("stages.2.pairs={keys='batch', queue=0}", "matching draws its negatives from momentum keys"),
        ("stages.2.pairs.one_language=true", "length_pool 1 with one_language"),
        ("stages.2.pairs.most_pairs=-1", "pairs.most_pairs must be at least 0"),
        ("stages.2.pairs.views={query=2.0}", "pairs.views are shares between 0 and 1"),
        ("stages.0.minutes=0", "minutes must be positive, got 0"),
        ("stages.0.code.spans={line_share=1.5}", "line_share must be in \\[0, 1\\]"),
        ("stages.2.pairs.queue=30", "pairs.queue \\(30\\) must be a multiple of pairs.rows \\(16\\)"),
        ("data.pairs=[]", "stage pairs needs data.pairs"),
        ("model.preset=huge", "model.preset must be one of 'tiny'"),
        ("model.start=smollm2", "model.source goes with start"),
        ("tokenizer.vocabulary=100", "a byte-level vocabulary needs at least 257 tokens, got 100"),
        ("stages.9.steps=3", "the override stages.9.steps names no place"),
        ("steps", "an override reads key=value, got 'steps'"),
    ],
)
def test_a_wrong_value_is_one_clear_error(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe(DEBUG, [override])


def test_overrides_change_what_they_name_and_nothing_else() -> None:
    recipe = load_recipe(DEBUG, ["stages.1.optimizer.peak_learning_rate=1e-4", "seed=7"])
    assert (recipe.stages[1].optimizer.peak_learning_rate, recipe.seed) == (1e-4, 7)
    assert recipe.stages[0] == load_recipe(DEBUG).stages[0]


def test_only_stages_with_named_widths_have_fixed_shapes() -> None:
    widths = ["stages.2.pairs.text_widths=[32]", "stages.2.pairs.code_widths=[48, 96]"]
    assert [stage.has_fixed_shapes for stage in load_recipe(DEBUG).stages] == [True, True, False]
    assert [stage.has_fixed_shapes for stage in load_recipe(DEBUG, widths).stages] == [True, True, True]


def test_paths_are_relative_to_the_recipe() -> None:
    assert load_recipe(DEBUG).data.code[0].path.resolve() == DEBUG.parents[1].resolve()


def test_a_missing_recipe_is_named() -> None:
    with pytest.raises(ConfigError, match=r"cannot read the recipe nowhere\.toml"):
        load_recipe(Path("nowhere.toml"))
