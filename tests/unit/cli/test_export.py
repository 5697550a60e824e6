from pathlib import Path
from threading import Event

import pytest
from small_artifact import SMALL, write_checkpoint
from typer.testing import CliRunner

from codet5p.cli.main import app
from codet5p.core.artifact import load_manifest, verify_files
from codet5p.core.errors import CheckpointError, ConfigError
from codet5p.lsp_server.engine.loading import load_encoder_engine, load_engine, load_sequence_engine
from codet5p.lsp_server.engine.sequence_engine import MatchLimits, SearchOptions


def test_a_checkpoint_becomes_an_artifact_named_after_its_folder(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    arguments = ["export", str(checkpoint), str(tmp_path / "mine"), "--provenance", "one", "--provenance", "two"]
    result = CliRunner().invoke(app, arguments)
    manifest = load_manifest(tmp_path / "mine")
    verify_files(tmp_path / "mine", manifest)
    assert (manifest.name, manifest.modes, manifest.provenance) == ("mine", ("complete",), ("one", "two"))
    assert f"revision {manifest.revision}" in result.stdout


def test_modes_and_quantization_are_passed_on(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint", SMALL)
    options = ["--modes", "complete, embed", "--quantization", "float32", "--name", "other"]
    CliRunner().invoke(app, ["export", str(checkpoint), str(tmp_path / "mine"), *options])
    manifest = load_manifest(tmp_path / "mine")
    assert (manifest.name, manifest.modes, manifest.quantization) == ("other", ("complete", "embed"), "float32")


def test_all_modes_of_one_checkpoint_become_models_that_run(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint", SMALL)
    place = (tmp_path / "mine", tmp_path / "cache")
    arguments = ["export", str(checkpoint), str(place[0]), "--modes", "complete,generate,match,embed"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    completion = load_engine(*place, num_threads=1).engine
    assert completion.tokenizer.vocab_size > 0
    sequences = load_sequence_engine(*place, num_threads=1)
    written = sequences.generate("def f():\n", "[TDec]", SearchOptions(max_new_tokens=3), Event())
    assert written is not None
    assert 0 <= len(written.ids) <= 3
    assert sequences.match("text", ["a", "b"], MatchLimits()).shape == (2,)
    assert load_encoder_engine(*place, num_threads=1).embed(["text"]).shape == (1, SMALL.embedding_dim)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (["--modes", "fly"], "unknown mode 'fly'; known are complete, generate, match, embed"),
        (["--quantization", "int4"], "unknown quantization 'int4'; known are int8, float32"),
        (["--format", "onnx"], "unknown format 'onnx'; known are artifact, hugging-face, sentence-transformers"),
        (
            ["--format", "hugging-face", "--modes", "embed"],
            "name, modes, quantization and provenance are of an artifact; hugging-face has none of them",
        ),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(tmp_path: Path, option: list[str], reason: str) -> None:
    result = CliRunner().invoke(app, ["export", str(tmp_path), str(tmp_path / "mine"), *option])
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == reason
    assert not (tmp_path / "mine").exists()


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(tmp_path), str(tmp_path / "mine")])
    assert isinstance(result.exception, CheckpointError)


@pytest.mark.parametrize(
    ("target", "kind", "files"),
    [
        ("hugging-face", "LlamaForCausalLM", {"config.json", "model.safetensors", "tokenizer.json"}),
        ("sentence-transformers", "SentenceTransformer", {"modules.json", "model.safetensors", "2_Dense"}),
    ],
)
def test_a_checkpoint_becomes_a_folder_of_another_library(
    tmp_path: Path, target: str, kind: str, files: set[str]
) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint", SMALL)
    result = CliRunner().invoke(app, ["export", str(checkpoint), str(tmp_path / "mine"), "--format", target])
    assert result.exit_code == 0
    assert result.stdout.replace("\n", "").endswith(f": {kind}")
    assert files <= {path.name for path in (tmp_path / "mine").iterdir()}
