from importlib import util
from pathlib import Path

import pytest
import typer
from bert_folder import write_bert_folder
from typer.testing import CliRunner

from codet5p.cli import optional
from codet5p.cli.import_weights import _layer_list
from codet5p.cli.main import app
from codet5p.core.artifact import load_manifest
from codet5p.core.errors import CodeT5pError, ConfigError
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.checkpoint import load_checkpoint


@pytest.mark.parametrize(
    ("text", "layers"),
    [("0", [0]), ("0,1,8", [0, 1, 8]), ("0,18-20,28", [0, 18, 19, 20, 28]), ("3-3", [3]), (" 1 , 2 ", [1, 2])],
)
def test_layers_may_be_listed_or_spanned(text: str, layers: list[int]) -> None:
    assert _layer_list(text) == layers


@pytest.mark.parametrize("text", ["", "a", "1,,2", "1-", "-1", "1-2-3", "5-3"])
def test_what_is_no_layer_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no layer; write 0,1,8,18-24"):
        _layer_list(text)


def test_a_source_that_is_not_there_is_an_error_of_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["import", str(tmp_path / "nothing.gguf"), str(tmp_path / "mine")])
    assert isinstance(result.exception, CodeT5pError)
    assert "\n" not in str(result.exception)


def test_an_artifact_becomes_a_checkpoint_to_train_on(artifact: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["import", str(artifact), str(tmp_path / "mine")])
    assert result.exit_code == 0, result.output
    model, extra = load_checkpoint(tmp_path / "mine")
    revision = load_manifest(artifact).revision
    assert extra["source"] == f"artifact small {revision}"
    assert model.config == load_manifest(artifact).model
    assert (tmp_path / "mine" / "tokenizer.json").read_bytes() == (artifact / "tokenizer.json").read_bytes()


def test_options_for_other_sources_are_refused_with_an_artifact(artifact: Path, tmp_path: Path) -> None:
    arguments = ["import", str(artifact), str(tmp_path / "mine"), "--encoder-layers", "2"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, ConfigError)
    assert not (tmp_path / "mine").exists()


def test_a_tokenizer_that_is_not_there_is_told_before_the_weights_are_read(tmp_path: Path) -> None:
    arguments = ["import", str(tmp_path / "m.gguf"), str(tmp_path / "mine"), "--tokenizer", str(tmp_path / "t.json")]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, CodeT5pError)
    assert str(result.exception).startswith(f"cannot read the tokenizer {tmp_path / 't.json'}")


def test_the_package_of_a_sentence_encoder_becomes_a_checkpoint(tmp_path: Path) -> None:
    write_bert_folder(tmp_path / "package" / "model")
    result = CliRunner().invoke(app, ["import", str(tmp_path / "package"), str(tmp_path / "mine")])
    assert result.output.endswith(f"{tmp_path / 'mine'}: an encoder of 2 layers, width 24\n")
    model, extra = load_checkpoint(tmp_path / "mine")
    assert (model.config.num_encoder_layers, model.config.num_decoder_layers) == (2, 0)
    assert extra == {"source": "sentence encoder, package"}
    assert Tokenizer.from_file(tmp_path / "mine" / "tokenizer.json").token_id("[CLM]") == 1


def test_options_for_other_sources_are_refused_with_a_sentence_encoder(tmp_path: Path) -> None:
    write_bert_folder(tmp_path / "bert")
    result = CliRunner().invoke(app, ["import", str(tmp_path / "bert"), str(tmp_path / "mine"), "--encoder-layers=1"])
    assert str(result.exception).startswith("a sentence encoder is imported as it is; leave out --decoder-layers")


def test_without_torch_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert util.find_spec("torch") is not None
    optional.require_training()
    monkeypatch.setattr(optional, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"needs torch; install it with: pip install 'codet5p\[train\]'"):
        optional.require_training()
