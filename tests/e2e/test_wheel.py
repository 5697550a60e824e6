import subprocess
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from e2e.installation import Installation

pytestmark = pytest.mark.e2e

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def contents(installation: Installation) -> set[str]:
    with ZipFile(installation.wheel) as wheel:
        return set(wheel.namelist())


def source_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts]


def test_every_module_of_every_source_folder_is_in_the_wheel(contents: set[str]) -> None:
    mapping = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-dir"]
    expected = {
        f"{package.replace('.', '/')}/{path.relative_to(REPOSITORY / folder).as_posix()}"
        for package, folder in mapping.items()
        for path in source_files(REPOSITORY / folder)
    }
    assert len(expected) > 50
    assert expected - contents == set()


def test_the_weights_are_in_the_wheel(contents: set[str]) -> None:
    artifacts = REPOSITORY / "artifacts"
    files = {path.relative_to(artifacts).as_posix() for path in artifacts.glob("*/*") if path.parent.name[0] != "_"}
    assert {"laptop/manifest.json", "laptop/tokenizer.json", "embedding/weights-1-of-1.safetensors"} <= files
    assert {f"codet5p/artifacts/{name}" for name in files} - contents == set()


def test_the_type_marker_the_examples_and_the_recipes_are_in_the_wheel(contents: set[str]) -> None:
    examples = [path for path in (REPOSITORY / "examples").iterdir() if path.is_file()]
    recipes = list((REPOSITORY / "training" / "recipes").glob("*.toml"))
    assert len(examples) > 3
    expected = {"codet5p/py.typed"}
    expected |= {f"codet5p/examples/{path.name}" for path in examples}
    expected |= {f"codet5p/training/recipes/{path.name}" for path in recipes}
    assert expected - contents == set()


def test_nothing_but_the_package_is_in_the_wheel(contents: set[str]) -> None:
    assert {name.partition("/")[0].partition("-")[0] for name in contents} == {"codet5p"}
    assert not [name for name in contents if "__pycache__" in name or "/tests/" in name]


def test_the_tests_run_the_installed_package_and_not_the_repository(installation: Installation) -> None:
    program = "import codet5p.lsp_server.server as server; print(server.__file__)"
    command = [installation.python, "-P", "-c", program]
    result = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, cwd=installation.cwd, env=installation.env
    )
    place = Path(result.stdout.strip())
    assert place.is_relative_to(installation.python.parents[1])
    assert not place.is_relative_to(REPOSITORY)


def test_the_installed_server_comes_without_torch_and_transformers(installation: Installation) -> None:
    program = (
        "import sys, codet5p.lsp_server.server, codet5p.lsp_server.engine.loading;"
        "print(sorted({'torch', 'transformers', 'codet5p.model'} & set(sys.modules)))"
    )
    command = [installation.python, "-P", "-c", program]
    result = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, cwd=installation.cwd, env=installation.env
    )
    assert result.stdout.strip() == "[]"
