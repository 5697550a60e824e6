from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_models import EMBEDDING, random_model

from codet5p.core.errors import CheckpointError
from codet5p.model.averaging import average_checkpoints
from codet5p.model.checkpoint import load_checkpoint, save_checkpoint


@pytest.fixture
def checkpoints(tmp_path: Path) -> tuple[Path, Path]:
    for seed, name in enumerate(("start", "trained")):
        model = random_model(EMBEDDING, seed=seed)
        save_checkpoint(tmp_path / name, model, tokenizer_json="{}", extra={"steps": seed})
    return tmp_path / "start", tmp_path / "trained"


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_weights_lie_on_the_line_between(checkpoints: tuple[Path, Path], share: float, tmp_path: Path) -> None:
    average_checkpoints(*checkpoints, tmp_path / "average", share=share)
    start, trained, average = (load_checkpoint(folder)[0] for folder in (*checkpoints, tmp_path / "average"))
    for one, other, found in zip(start.parameters(), trained.parameters(), average.parameters(), strict=True):
        torch.testing.assert_close(found, (1 - share) * one + share * other)
    assert load_checkpoint(tmp_path / "average")[1] == {"steps": 1, "share": share, "start": "start"}
    assert (tmp_path / "average" / "tokenizer.json").read_text("utf-8") == "{}"


def test_checkpoints_of_different_shapes_are_refused(checkpoints: tuple[Path, Path], tmp_path: Path) -> None:
    other = random_model(replace(EMBEDDING, num_encoder_layers=1))
    save_checkpoint(tmp_path / "other", other, tokenizer_json="{}", extra={})
    with pytest.raises(CheckpointError, match="have different shapes"):
        average_checkpoints(checkpoints[0], tmp_path / "other", tmp_path / "average", share=0.5)


def test_checkpoints_with_different_tokenizers_are_refused(checkpoints: tuple[Path, Path], tmp_path: Path) -> None:
    (checkpoints[0] / "tokenizer.json").write_text("[]", "utf-8")
    with pytest.raises(CheckpointError, match="have different tokenizers"):
        average_checkpoints(*checkpoints, tmp_path / "average", share=0.5)


def test_a_share_beyond_the_line_is_refused(checkpoints: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"share must be between 0 and 1, got 1\.5"):
        average_checkpoints(*checkpoints, tmp_path / "average", share=1.5)
