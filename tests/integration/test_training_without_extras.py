"""A machine that only trains: no network, no installation, and none of the packages that only other commands need."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_artifact import SMALL

from codet5p.model.checkpoint import save_checkpoint
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.distillation import write_text_embeddings
from codet5p.training.sources import read_pairs
from codet5p.training.tokenizer_training import train_tokenizer

pytestmark = pytest.mark.timeout(600)  # real training, on a machine that may be busy
RECIPES = Path(__file__).parents[2] / "training" / "recipes"
MODES = "complete,generate,match,embed"
ABSENT = ("platformdirs", "gguf", "zstandard", "ctranslate2", "pygls", "lsprotocol", "tree_sitter", "transformers")
SCRIPT = f"""
import sys
from importlib.machinery import PathFinder

class WithoutExtras(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {ABSENT} else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutExtras
from codet5p.__main__ import main
main()
"""


def codet5p(*arguments: str) -> str:
    command = [sys.executable, "-P", "-c", SCRIPT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of Python files: code, and functions with their documentation."""
    folder = tmp_path / "source"
    folder.mkdir()
    function = 'def add_{0}(left, right):\n    """Return the sum of both and {0}."""\n    return left + right + {0}\n'
    (folder / "sums.py").write_text("\n\n".join(function.format(number) for number in range(40)), "utf-8")
    return folder


def overridden(**settings: object) -> list[str]:
    """Return the options that change a recipe; two underscores stand for the dot."""
    return [part for key, value in settings.items() for part in ("--set", f"{key.replace('__', '.')}={value}")]


def starting_from(checkpoint: Path) -> list[str]:
    return overridden(tokenizer=f"{{path='{checkpoint}'}}", model=f"{{start='checkpoint', source='{checkpoint}'}}")


def test_a_run_is_trained_exported_handed_back_and_gone_on_with(source: Path, tmp_path: Path) -> None:
    pairs = "{rows = 4, micro_rows = 4, max_text_tokens = 16, max_code_tokens = 32, queue = 8}"
    code = "{rows = 4, micro_rows = 4, chunk_tokens = 32, block_tokens = 32}"
    settings = overridden(data__code__0__path=source, data__pairs__0__path=source)
    for stage in range(3):
        sizes = {f"stages__{stage}__code": code, f"stages__{stage}__pairs": pairs, f"stages__{stage}__steps": 2}
        settings += overridden(**sizes)
    recipe = str(RECIPES / "debug.toml")
    trained = codet5p("train", "--config", recipe, *settings, *overridden(output=tmp_path / "run"))
    assert "the model is in" in trained
    codet5p("export", str(tmp_path / "run" / "model"), str(tmp_path / "artifact"), "--modes", MODES)
    parts = tmp_path / "parts"
    codet5p("transport", "pack", str(tmp_path / "artifact"), "--out", str(parts), "--part-bytes", "100000")
    assert len(list(parts.glob("part-*"))) > 1
    codet5p("transport", "unpack", str(parts), str(tmp_path / "here"))
    codet5p("import", str(tmp_path / "here" / "artifact"), str(tmp_path / "checkpoint"))
    onward = [*settings, *overridden(output=tmp_path / "next"), *starting_from(tmp_path / "checkpoint")]
    assert "done after 6 steps" in codet5p("train", "--config", recipe, *onward)


def test_the_recipes_of_the_laptop_model_run_one_behind_the_other(source: Path, tmp_path: Path) -> None:
    tokenizer = train_tokenizer([(source / "sums.py").read_text("utf-8")], 300)
    rows = -(-tokenizer.vocab_size // 64) * 64
    tokenizer.save(tmp_path / "tokenizer.json")
    config = replace(SMALL, vocab_size=rows)
    tokenizer_json = (tmp_path / "tokenizer.json").read_text("utf-8")
    save_checkpoint(tmp_path / "start", CodeT5pModel(config), tokenizer_json=tokenizer_json, extra={})
    texts = [pair.text for pair in read_pairs(source, None, "train")]
    write_text_embeddings(texts, lambda kept: np.eye(len(kept), 64) + 0.1, tmp_path / "texts.npz")
    small = {"run__precision": "float32", "run__compile": "false", "run__workers": 0, "run__report_every": 1}
    sizes = {"chunk_tokens": 64, "block_tokens": 64, "rows": 4, "micro_rows": 4}
    code = {f"stages__0__code__{key}": size for key, size in sizes.items()} | {"stages__0__steps": 2}
    more = {f"stages__1__code__{key}": size for key, size in sizes.items()} | {"stages__1__steps": 2}
    more["stages__1__code__by_objective__decoder_only_causal_lm"] = "{rows = 8, micro_rows = 4}"
    first = overridden(**small, **code, **more, data__code__0__path=source, output=tmp_path / "stage1")
    first += starting_from(tmp_path / "start")
    assert "done after 4 steps" in codet5p("train", "--config", str(RECIPES / "laptop-stage1.toml"), *first)
    pairs = {"rows": 16, "micro_rows": 8, "queue": 32}
    small |= {f"stages__0__pairs__{key}": size for key, size in pairs.items()}
    small |= {"data__code__0__path": source, "data__pairs__0__path": source, "output": tmp_path / "stage2"}
    small |= {"stages__0__distillation__texts": tmp_path / "texts.npz"}
    second = [*overridden(**small, **code), *starting_from(tmp_path / "stage1" / "model")]
    done = codet5p("train", "--config", str(RECIPES / "laptop-stage2.toml"), *second)
    assert "done after 2 steps" in done
    for objective in ("contrastive", "matching", "text_to_code", "code_to_text", "decoder_only_causal_lm"):
        assert objective in done
