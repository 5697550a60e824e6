from pathlib import Path

from tiny_models import EMBEDDING, random_model
from typer.testing import CliRunner

from codet5p.cli.main import app
from codet5p.model.checkpoint import load_checkpoint, save_checkpoint


def test_a_checkpoint_between_two_is_written_and_named(tmp_path: Path) -> None:
    for seed, name in enumerate(("start", "trained")):
        save_checkpoint(tmp_path / name, random_model(EMBEDDING, seed=seed), tokenizer_json="{}", extra={})
    arguments = [str(tmp_path / name) for name in ("start", "trained", "average")]
    result = CliRunner().invoke(app, ["average", *arguments, "--share", "0.75"])
    assert result.output == f"{arguments[2]}: 0.75 of the way from {arguments[0]} to {arguments[1]}\n"
    assert load_checkpoint(tmp_path / "average")[1]["share"] == 0.75


def test_a_share_beyond_the_end_is_a_misuse(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["average", "a", "b", str(tmp_path / "c"), "--share", "1.5"])
    assert result.exit_code == 2
