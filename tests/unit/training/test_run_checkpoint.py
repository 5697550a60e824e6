from dataclasses import replace
from pathlib import Path

import pytest
import torch

from codet5p.core.errors import CheckpointError
from codet5p.model.config import laptop
from codet5p.model.transformer import CodeT5pModel
from codet5p.training import run_checkpoint
from codet5p.training.run_checkpoint import latest_checkpoint, load_run, prune_checkpoints, save_run


def tiny_model() -> CodeT5pModel:
    shape = laptop(vocab_size=64, num_encoder_layers=1, num_decoder_layers=1)
    torch.manual_seed(0)
    return CodeT5pModel(replace(shape, width=16, num_heads=2, num_key_value_heads=1, head_dim=8, feed_forward_width=24))


def save(folder: Path, step: int) -> Path:
    state = {"step": step, "optimizers": [{"state": {0: {"exp_avg": torch.randn(8000)}}}]}
    return save_run(
        folder, step, tiny_model(), state, tokenizer_json="{}", extra={"step": step}, compress_optimizer=False
    )


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    model, state = load_run(save(tmp_path, 3))
    assert state["step"] == 3
    assert model.token_embedding.weight.equal(tiny_model().token_embedding.weight)


def test_dying_in_the_middle_leaves_the_last_checkpoint_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_checkpoint.torch, "save", die)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, 2)
    monkeypatch.undo()
    latest = latest_checkpoint(tmp_path)
    assert latest is not None
    assert latest.name == "step-00000001"
    assert load_run(latest)[1]["step"] == 1


def test_a_full_disk_is_an_error_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_checkpoint.torch, "save", refuse)
    with pytest.raises(CheckpointError, match="No space left on device; free space or change output"):
        save(tmp_path, 1)
    assert latest_checkpoint(tmp_path) is None


def test_pruning_keeps_the_latest_and_sweeps_up_after_killed_runs(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        save(tmp_path, step)
    (tmp_path / ".step-killed").mkdir()
    prune_checkpoints(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000010", "step-00000015"]


def test_a_state_of_another_kind_is_refused(tmp_path: Path) -> None:
    checkpoint = save(tmp_path, 1)
    torch.save({"format": "something else"}, checkpoint / "training_state.pt")
    with pytest.raises(CheckpointError, match="is not the state of a codet5p run"):
        load_run(checkpoint)


def test_there_may_be_no_checkpoint_yet(tmp_path: Path) -> None:
    assert latest_checkpoint(tmp_path / "nowhere") is None
