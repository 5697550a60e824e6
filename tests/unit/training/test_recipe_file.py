from dataclasses import dataclass
from pathlib import Path

import pytest

from codet5p.core.errors import ConfigError
from codet5p.training.recipe_file import read_recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    path: Path
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    sources: tuple[Source, ...]
    by_name: dict[str, Path]
    output: Path | None = None


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path = tmp_path / "recipe.toml"
    path.write_text('sources = [{path = "a"}, {path = "b"}]\nby_name = {c = "c", d = "/d"}\n', "utf-8")
    return path


def test_paths_in_the_file_are_relative_to_its_folder(recipe: Path) -> None:
    read = read_recipe(recipe, Recipe)
    assert [source.path for source in read.sources] == [recipe.parent / "a", recipe.parent / "b"]
    assert read.by_name == {"c": recipe.parent / "c", "d": Path("/d")}
    assert read.output is None


def test_paths_on_the_command_line_are_relative_to_the_working_directory(recipe: Path) -> None:
    read = read_recipe(recipe, Recipe, ["sources.1.path=x", "output=out/model", "sources.0.weight=2"])
    here = recipe.parent / "here"
    assert [source.path for source in read.sources] == [recipe.parent / "a", here / "x"]
    assert read.sources[0].weight == 2.0
    assert read.output == here / "out" / "model"


def test_a_list_given_as_a_whole_is_relative_to_the_working_directory(recipe: Path) -> None:
    read = read_recipe(recipe, Recipe, ['sources=[{path="x"}]'])
    assert [source.path for source in read.sources] == [recipe.parent / "here" / "x"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("output", "an override reads key=value, got 'output'"),
        ("sources.7.path=x", "the override sources.7.path names no place in the recipe"),
        ("sources=[", "the value of sources is not valid TOML"),
        ("outputs=x", "unknown key outputs"),
    ],
)
def test_a_wrong_override_is_one_clear_error(recipe: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_recipe(recipe, Recipe, [override])
