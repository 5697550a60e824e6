"""The server starts fast and small because it never loads what only training needs."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "accelerate", "codet5p.model", "codet5p.training", "codet5p.export", "matplotlib")


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter holds after `statement`."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(finished.stdout.splitlines())


@pytest.mark.parametrize(
    "statement",
    [
        "import codet5p.lsp_server.server",
        "import codet5p.cli.main",
        "from codet5p.cli.complete import complete; import codet5p.lsp_server.state, codet5p.cli.engine_loading",
        "import codet5p.export.exporter",
    ],
)
def test_nothing_heavy_is_loaded(statement: str) -> None:
    modules = loaded_by(statement)
    own = statement.split()[1].rpartition(".")[0]
    assert "codet5p" in modules
    assert [name for name in HEAVY if name in modules and name != own] == []


def test_help_is_shown_without_loading_the_engine() -> None:
    modules = loaded_by("import codet5p.cli.main")
    assert {"ctranslate2", "pygls"}.isdisjoint(modules)


def test_torch_is_there_to_be_loaded() -> None:
    assert "torch" in loaded_by("import codet5p.model.checkpoint")
