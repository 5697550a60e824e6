import pickle
from pathlib import Path

import pytest
import torch

from codet5p.core.errors import CheckpointError
from codet5p.model.importers.released_folder import read_released_config, read_released_tensors, under_our_names


def test_names_are_translated_layer_by_layer() -> None:
    table = {"embedding.weight": "wte", "layers.{i}.norm.weight": "h.{i}.ln"}
    released = {"wte": torch.ones(1), "h.0.ln": torch.ones(2), "h.11.ln": torch.ones(3)}
    ours = under_our_names(["embedding.weight", "layers.0.norm.weight", "layers.11.norm.weight"], table, released)
    assert {name: len(tensor) for name, tensor in ours.items()} == {
        "embedding.weight": 1,
        "layers.0.norm.weight": 2,
        "layers.11.norm.weight": 3,
    }


def test_a_name_that_the_release_lacks_is_left_out() -> None:
    assert under_our_names(["a", "b"], {"a": "x"}, {}) == {}


def test_a_released_tensor_without_a_place_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"1 released weights have no place in the model \(h.1.ln\)"):
        under_our_names(["layers.0.norm"], {"layers.{i}.norm": "h.{i}.ln"}, {"h.1.ln": torch.ones(1)})


def test_half_precision_becomes_float32_and_integers_stay(tmp_path: Path) -> None:
    torch.save(
        {"a": torch.ones(1, dtype=torch.float16), "b": torch.ones(1, dtype=torch.int64)}, tmp_path / "pytorch_model.bin"
    )
    assert {name: tensor.dtype for name, tensor in read_released_tensors(tmp_path).items()} == {
        "a": torch.float32,
        "b": torch.int64,
    }


def test_a_torch_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("code from a downloaded file ran",)

    torch.save({"a": Malicious()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"cannot read .*pytorch_model.bin.*download the model again"):
        read_released_tensors(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize(
    "content", [b"", b"not weights at all", pickle.dumps({"a": 1}, protocol=2)], ids=["empty", "text", "pickle"]
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"cannot read .*{name}"):
        read_released_tensors(tmp_path)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds no weights; it should contain model.safetensors or"):
        read_released_tensors(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot read"), ("{", "is not JSON"), ("[]", "is not a JSON object")]
)
def test_a_bad_configuration_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content, "utf-8")
    with pytest.raises(CheckpointError, match=message):
        read_released_config(tmp_path)
