from pathlib import Path

import numpy as np
import pytest
import torch
from small_artifact import SMALL, SMALL_DECODER, SMALL_T5, write_artifact

from codet5p.core.artifact import load_manifest, read_tensors
from codet5p.core.errors import ArtifactError, CheckpointError
from codet5p.core.model_config import CodeT5pConfig
from codet5p.export.exporter import ExportOptions, export_artifact
from codet5p.model.checkpoint import save_checkpoint
from codet5p.model.importers.artifact import is_artifact, read_artifact


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("config", [SMALL, SMALL_T5], ids=["shallow-deep", "t5"])
def test_a_float32_artifact_gives_back_its_checkpoint(config: CodeT5pConfig, tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", config, quantization="float32", modes=("generate", "match", "embed"))
    read = read_artifact(tmp_path / "artifact", generator())
    assert read.fresh == ()
    expected = _safetensors(tmp_path / "artifact-checkpoint")
    found = read.model.state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].equal(tensor), name


def _safetensors(checkpoint: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(checkpoint / "model.safetensors")


def test_exporting_an_imported_artifact_gives_the_same_weights_again(tmp_path: Path) -> None:
    modes = ("complete", "generate", "match", "embed")
    write_artifact(tmp_path / "artifact", SMALL, modes=modes)
    read = read_artifact(tmp_path / "artifact", generator())
    save_checkpoint(tmp_path / "checkpoint", read.model, tokenizer_json=read.tokenizer_json, extra={})
    export_artifact(tmp_path / "checkpoint", tmp_path / "again", ExportOptions(name="small", modes=modes))
    first, second = (
        read_tensors(folder, load_manifest(folder)) for folder in (tmp_path / "artifact", tmp_path / "again")
    )
    assert set(first) == set(second)
    for name in first:
        if first[name].dtype == np.int8:
            assert np.array_equal(first[name], second[name]), name


def test_a_decoder_alone_comes_back_alone(tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", SMALL_DECODER)
    assert read_artifact(tmp_path / "artifact", generator()).model.config.num_encoder_layers == 0


def test_heads_that_were_not_exported_are_drawn_and_named(tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", SMALL, modes=("generate", "embed"))
    read = read_artifact(tmp_path / "artifact", generator())
    assert read.fresh == ("matching_head.weight", "matching_head.bias")
    assert read.model.matching_head is not None
    assert read.model.matching_head.weight.std() > 0


def test_an_artifact_for_completion_alone_cannot_be_trained_on(tmp_path: Path) -> None:
    write_artifact(tmp_path / "artifact", SMALL, modes=("complete",))
    with pytest.raises(
        CheckpointError, match=r"offers complete and so has no encoder.*exported with the mode generate"
    ):
        read_artifact(tmp_path / "artifact", generator())


def test_a_damaged_artifact_is_refused(artifact: Path) -> None:
    weights = next(artifact.glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="truncated"):
        read_artifact(artifact, generator())


def test_what_holds_no_manifest_is_no_artifact(artifact: Path, tmp_path: Path) -> None:
    assert is_artifact(artifact)
    assert not is_artifact(tmp_path)
    assert not is_artifact(tmp_path / "nothing.gguf")
