import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import SHALLOW_DEEP, T5, random_ids, random_model

from codet5p.core.errors import CheckpointError
from codet5p.model.checkpoint import assign_weights, load_checkpoint, save_checkpoint
from codet5p.model.config import CodeT5pConfig


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "step-10"
    save_checkpoint(folder, random_model(SHALLOW_DEEP), tokenizer_json='{"model": 1}', extra={"step": 10})
    return folder


@pytest.mark.parametrize(
    "config", [SHALLOW_DEEP, T5, replace(T5, tie_head=False, num_encoder_layers=0, cross_attention_layers=())]
)
def test_a_loaded_model_is_the_saved_one(tmp_path: Path, config: CodeT5pConfig) -> None:
    saved = random_model(config)
    save_checkpoint(tmp_path / "here", saved, tokenizer_json=None, extra={"recipe": {"name": "ünï"}, "loss": [1.5]})
    loaded, extra = load_checkpoint(tmp_path / "here")
    assert loaded.config == config
    assert extra == {"recipe": {"name": "ünï"}, "loss": [1.5]}
    assert all(torch.equal(weight, loaded.state_dict()[name]) for name, weight in saved.state_dict().items())
    ids = random_ids(2, 5)
    torch.testing.assert_close(loaded.logits(loaded.decode(ids)), saved.logits(saved.decode(ids)))
    assert not loaded.training
    assert all(weight.requires_grad for weight in loaded.parameters())


def test_the_dtype_is_kept(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "half", random_model(T5).bfloat16(), tokenizer_json=None, extra={})
    loaded, _ = load_checkpoint(tmp_path / "half")
    assert {weight.dtype for weight in loaded.parameters()} == {torch.bfloat16}


def test_a_checkpoint_is_three_files_and_a_tied_head_is_stored_once(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert (folder / "tokenizer.json").read_text("utf-8") == '{"model": 1}'
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    assert [path.name for path in folder.parent.iterdir()] == ["step-10"]


def test_saving_again_replaces_the_whole_checkpoint(folder: Path) -> None:
    save_checkpoint(folder, random_model(T5), tokenizer_json=None, extra={"step": 20})
    loaded, extra = load_checkpoint(folder)
    assert (loaded.config, extra) == (T5, {"step": 20})
    assert not (folder / "tokenizer.json").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["step-10"]


def test_a_crash_while_writing_leaves_the_earlier_checkpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_out_of_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", run_out_of_space)
    with pytest.raises(CheckpointError, match=r"cannot write the checkpoint .*step-10.*No space left on device"):
        save_checkpoint(folder, random_model(T5), tokenizer_json=None, extra={})
    monkeypatch.undo()
    assert load_checkpoint(folder)[0].config == SHALLOW_DEEP
    assert [path.name for path in folder.parent.iterdir()] == ["step-10"]


def test_a_refused_rename_leaves_the_earlier_checkpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_rename = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise PermissionError(13, "Permission denied")
        return real_rename(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(CheckpointError, match="Permission denied"):
        save_checkpoint(folder, random_model(T5), tokenizer_json=None, extra={})
    assert load_checkpoint(folder)[0].config == SHALLOW_DEEP
    assert [path.name for path in folder.parent.iterdir()] == ["step-10"]


def test_everything_is_on_disk_before_the_name_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    real_rename = Path.rename
    monkeypatch.setattr(os, "fsync", lambda _: events.append("fsync"))

    def rename(path: Path, target: Path) -> Path:
        events.append("rename")
        return real_rename(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    save_checkpoint(tmp_path / "here", random_model(T5), tokenizer_json="{}", extra={})
    assert events == ["fsync"] * 4 + ["rename", "fsync"]


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def edit_model(folder: Path, **changes: object) -> None:
    edit_config(folder, model=json.loads((folder / "config.json").read_text("utf-8"))["model"] | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "does not describe a codet5p checkpoint"),
        ({"revision": 2}, "is of revision 2, this codet5p reads 1"),
        ({"model": None}, "lacks the table model or extra"),
        ({"model": {}}, "missing key vocab_size"),
    ],
)
def test_a_foreign_description_is_refused(folder: Path, changes: dict[str, object], message: str) -> None:
    edit_config(folder, **changes)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wdith": 24}, "unknown key wdith"),
        ({"num_heads": 3}, r"num_heads \(3\) must be a multiple"),
        ({"num_decoder_layers": 4}, r"9 missing \(decoder.layers.3.self_attention_norm.weight, .*, \.\.\.\)"),
        ({"cross_attention_layers": [0]}, r"5 unknown \(decoder.layers.2.cross_attention"),
        ({"vocab_size": 62}, r"1 of another shape \(token_embedding.weight is \[61, 24\] and not \[62, 24\]\)"),
    ],
)
def test_weights_that_do_not_fit_the_configuration_are_refused(
    folder: Path, changes: dict[str, object], message: str
) -> None:
    edit_model(folder, **changes)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(folder)
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"cannot read .*model.safetensors: .*copy the checkpoint again"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("name", "message"), [("config.json", "is not a checkpoint"), ("model.safetensors", "cannot read")]
)
def test_a_missing_file_is_refused(folder: Path, name: str, message: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=re.escape(f"{tmp_path / 'gone'} is not a checkpoint")):
        load_checkpoint(tmp_path / "gone")


def test_a_renamed_weight_is_missing_and_unknown_at_once(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["encoder.norm.weight"] = weights.pop("encoder.final_norm.weight")
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(
        CheckpointError, match=r"1 missing \(encoder.final_norm.weight\); 1 unknown \(encoder.norm.weight\)"
    ):
        load_checkpoint(folder)


def test_fresh_weights_may_be_absent_and_keep_their_values() -> None:
    model, weights = random_model(SHALLOW_DEEP), random_model(SHALLOW_DEEP, seed=1).state_dict()
    before = model.matching_head.weight.clone()
    del weights["matching_head.weight"]
    assign_weights(model, weights, fresh={"matching_head.weight"})
    assert torch.equal(model.matching_head.weight, before)
    assert torch.equal(model.matching_head.bias, weights["matching_head.bias"])
