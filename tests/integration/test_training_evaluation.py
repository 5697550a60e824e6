"""The debug recipe end to end: its losses fall, and its result is evaluated, exported and evaluated again, alike."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from codet5p.cli.artifact_model import ArtifactModel
from codet5p.cli.evaluate import evaluate
from codet5p.cli.main import app as codet5p
from codet5p.cli.train import train
from codet5p.core.artifact import load_manifest
from codet5p.core.errors import ConfigError
from codet5p.export.exporter import ExportOptions, export_artifact
from codet5p.training.evaluation.bits_per_byte import evaluate_bits_per_byte
from codet5p.training.evaluation.line_completion import evaluate_line_completion
from codet5p.training.evaluation.torch_model import TorchModel

pytestmark = pytest.mark.timeout(600)  # real training, on a machine that may be busy
DEBUG = Path(__file__).parents[2] / "training" / "recipes" / "debug.toml"
ROWS = [
    {"id": 0, "input": "<s> def f ( x ) : <EOL> return", "gt": "x"},
    {"id": 1, "input": "<s> import numpy as np <EOL> from pathlib import", "gt": "Path"},
    {"id": 2, "input": "<s> class A : <EOL> value = <NUM_LIT:1> <EOL> def", "gt": "f ( self ) :"},
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("debug")
    import typer

    app = typer.Typer()
    app.command()(train)
    result = CliRunner().invoke(app, ["--config", str(DEBUG), "--set", f"output={output}", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["is_finished"]
    return output


def first_and_last(run: Path, column: str) -> tuple[float, float]:
    lines = (run / "curves.csv").read_text("utf-8").splitlines()
    place = lines[0].split(",").index(column)
    values = [float(line.split(",")[place]) for line in lines[1:] if line.split(",")[place]]
    return values[0], values[-1]


@pytest.mark.parametrize(
    "objective",
    ["span_denoising", "seq2seq_causal_lm", "decoder_only_causal_lm", "matching", "text_to_code", "code_to_text"],
)
def test_every_loss_falls(run: Path, objective: str) -> None:
    first, last = first_and_last(run, f"loss.{objective}")
    assert last < first


def test_a_run_leaves_its_curves_and_model(run: Path) -> None:
    assert {"curves.csv", "curves.png", "model", "checkpoints"} <= {path.name for path in run.iterdir()}


def test_checkpoint_and_float_artifact_score_alike(run: Path, tmp_path: Path) -> None:
    artifact = tmp_path / "artifact"
    export_artifact(
        run / "model",
        artifact,
        ExportOptions(name="debug", modes=("complete",), quantization="float32"),
        lambda _: None,
    )
    checkpoint = TorchModel.from_checkpoint(run / "model")
    exported = ArtifactModel.from_artifact(artifact, tmp_path / "cache")
    ours, theirs = (
        evaluate_line_completion(model, ROWS, language="python", max_new_tokens=8) for model in (checkpoint, exported)
    )
    assert ours.metrics == theirs.metrics
    assert ours.predictions == theirs.predictions
    texts = ["def f(x):\n    return x + 1\n", "import os\n"]
    bits = [evaluate_bits_per_byte(model, texts).metrics["bits_per_byte"] for model in (checkpoint, exported)]
    assert bits[0] == pytest.approx(bits[1], rel=1e-3)


def test_the_command_line_writes_results(run: Path, tmp_path: Path) -> None:
    import typer

    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    app = typer.Typer()
    app.command()(evaluate)
    arguments = ["py150", "--data", str(data), "--checkpoint", str(run / "model"), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "| line_completion_py150 | 3 | exact_match |" in result.stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"results.json", "results.md", "results.png", "line_completion_py150.predictions.jsonl"} == written


def test_figures_are_recorded_in_the_manifest_beside_those_of_other_suites(run: Path, tmp_path: Path) -> None:
    data, artifact = tmp_path / "rows.jsonl", tmp_path / "artifact"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    options = ExportOptions(name="debug", metrics={"other": {"mrr": 0.5}})
    before = export_artifact(run / "model", artifact, options, lambda _: None)
    arguments = ["py150", "--data", str(data), "--artifact", str(artifact), "--out", str(tmp_path / "out"), "--record"]
    result = CliRunner().invoke(codet5p, ["evaluate", *arguments, "--cache", str(tmp_path / "cache")])
    assert result.exit_code == 0, result.output
    figures = load_manifest(artifact).metrics
    assert figures["other"] == {"mrr": 0.5}
    assert figures["line_completion_py150"]["rows"] == len(ROWS)
    assert f"edit_similarity {figures['line_completion_py150']['edit_similarity']:.4g}" in result.stderr
    assert load_manifest(artifact).revision == before.revision


def test_a_checkpoint_has_no_manifest_to_record_in(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only an artifact has one; name it with --artifact"):
        evaluate(["py150"], tmp_path, checkpoint=run / "model", record=True)
