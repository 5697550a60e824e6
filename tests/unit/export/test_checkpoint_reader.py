import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file as save_torch_file
from small_artifact import SMALL_DECODER, random_weights, write_checkpoint

from codet5p.core.errors import CheckpointError
from codet5p.export.checkpoint_reader import read_checkpoint


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "checkpoint")


def test_shape_and_weights_are_read(checkpoint: Path) -> None:
    config, weights = read_checkpoint(checkpoint)
    assert config == SMALL_DECODER
    expected = random_weights(SMALL_DECODER)
    assert weights.keys() == expected.keys()
    for name, weight in weights.items():
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, expected[name])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_float_types_are_widened_exactly(checkpoint: Path, dtype: torch.dtype) -> None:
    stored = {name: torch.from_numpy(weight).to(dtype) for name, weight in random_weights(SMALL_DECODER).items()}
    stored["special"] = torch.tensor([[0.0, -0.0, 1.5], [-3.0e-5, float("inf"), 240.0]], dtype=dtype)
    save_torch_file(stored, checkpoint / "model.safetensors")
    _, weights = read_checkpoint(checkpoint)
    for name, weight in weights.items():
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, stored[name].float().numpy())


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(checkpoint: Path, name: str) -> None:
    (checkpoint / name).unlink()
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(checkpoint)
    assert str(caught.value) == f"{checkpoint} is no checkpoint: {name} is missing"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"model": 3}', '{"model": {"width": 1}}'])
def test_a_malformed_description_is_an_error_of_one_line(checkpoint: Path, content: str) -> None:
    (checkpoint / "config.json").write_text(content, "utf-8")
    with pytest.raises(CheckpointError, match=r"^the checkpoint .* cannot be read: .+$"):
        read_checkpoint(checkpoint)


def test_an_impossible_shape_is_an_error(checkpoint: Path) -> None:
    description = json.loads((checkpoint / "config.json").read_text("utf-8"))
    description["model"]["head_dim"] = 5
    (checkpoint / "config.json").write_text(json.dumps(description), "utf-8")
    with pytest.raises(CheckpointError, match="rotary positions need an even head_dim, got 5"):
        read_checkpoint(checkpoint)


def test_truncated_weights_are_an_error(checkpoint: Path) -> None:
    path = checkpoint / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_checkpoint(checkpoint)


def test_integers_are_no_weights(checkpoint: Path) -> None:
    save_torch_file({"x": torch.zeros(3, dtype=torch.int32)}, checkpoint / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"cannot be read: 'I32'"):
        read_checkpoint(checkpoint)
