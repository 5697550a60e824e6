"""Recipes of the corpus."""

from pathlib import Path

import pytest

from codet5p.core.errors import ConfigError
from codet5p.training.corpus.config import FetchConfig, load_recipe


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipes" / "corpus.toml"
    path.parent.mkdir()
    path.write_text('manifest = "m.tsv"\ncache = "../cache"\n[filters]\nmin_tokens = 40\n')
    return path


def test_paths_are_relative_to_the_recipe(recipe: Path) -> None:
    config = load_recipe(recipe)
    assert config.manifest == recipe.parent / "m.tsv"
    assert config.cache.resolve() == recipe.parent.parent / "cache"
    assert config.evaluation is None
    assert config.filters.min_tokens == 40
    assert config.filters.max_tokens == 2000


def test_overrides_replace_values(recipe: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_recipe(recipe, ["evaluation=here", "storage.validation_share=0.2", "fetch.debian.mirror=x"])
    assert config.evaluation == tmp_path / "here"
    assert config.storage.validation_share == pytest.approx(0.2)
    assert config.fetch.debian.mirror == "x"


@pytest.mark.parametrize(
    ("override", "message"),
    [("seed", "reads key=value"), ("seeds=1", "unknown key seeds"), ("seed.x=1", "must be of type int")],
)
def test_wrong_overrides_are_explained(recipe: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe(recipe, [override])


def test_wrong_recipes_are_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the recipe"):
        load_recipe(tmp_path / "none.toml")
    path = tmp_path / "bad.toml"
    path.write_text("manifest =")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load_recipe(path)


def test_limits_are_checked() -> None:
    with pytest.raises(ValueError, match="workers and attempts"):
        FetchConfig(workers=0)
