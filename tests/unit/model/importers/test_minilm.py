"""The released folder is imitated by a random BERT of transformers, saved as sentence-transformers lays it out."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from bert_folder import bert_tokenizer_json, write_bert_folder
from safetensors.torch import load_file, save_file

from codet5p.core.errors import CheckpointError
from codet5p.core.special_tokens import CLS, SPECIAL_TOKENS
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.importers.minilm import code_word_pieces, find_bert_folder, import_minilm

IDS_BS = torch.tensor([[122, 130, 140, 7, 9], [122, 150, 160, 0, 0]])
MASK_BS = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])


@pytest.fixture
def tokenizer(tmp_path: Path) -> Tokenizer:
    (tmp_path / "tokenizer.json").write_text(code_word_pieces(bert_tokenizer_json()), "utf-8")
    return Tokenizer.from_file(tmp_path / "tokenizer.json")


def words(tokenizer: Tokenizer, text: str) -> list[str]:
    return [tokenizer.tokens[token_id] for token_id in tokenizer.encode(text)]


def test_the_states_are_those_of_transformers(tmp_path: Path) -> None:
    bert = write_bert_folder(tmp_path)
    model = import_minilm(tmp_path).model
    with torch.inference_mode():
        expected = bert(input_ids=IDS_BS, attention_mask=MASK_BS.long()).last_hidden_state
        torch.testing.assert_close(model.encode(IDS_BS, MASK_BS)[MASK_BS], expected[MASK_BS], atol=1e-5, rtol=0)


def test_the_embedding_is_the_mean_of_the_states_of_real_tokens(tmp_path: Path) -> None:
    bert = write_bert_folder(tmp_path)
    model = import_minilm(tmp_path).model
    with torch.inference_mode():
        states = bert(input_ids=IDS_BS, attention_mask=MASK_BS.long()).last_hidden_state
        expected = torch.stack([states[0].mean(0), states[1, :3].mean(0)])
        found = model.embed(model.encode(IDS_BS, MASK_BS), MASK_BS)
    torch.testing.assert_close(found, expected / expected.norm(dim=1, keepdim=True), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("pooling", "expected"), [("pooling_mode_cls_token", "first"), ("pooling_mode_mean_tokens", "mean"), (None, "mean")]
)
def test_pooling_is_the_release_s(tmp_path: Path, pooling: str | None, expected: str) -> None:
    write_bert_folder(tmp_path, pooling=pooling)
    assert import_minilm(tmp_path).model.config.pooling == expected


def test_another_pooling_is_refused(tmp_path: Path) -> None:
    write_bert_folder(tmp_path, pooling="pooling_mode_max_tokens")
    with pytest.raises(CheckpointError, match="another pooling than the mean or the first state"):
        import_minilm(tmp_path)


def test_the_folder_is_found_also_inside_its_package(tmp_path: Path) -> None:
    write_bert_folder(tmp_path / "package" / "model")
    assert find_bert_folder(tmp_path / "package") == tmp_path / "package" / "model"
    assert find_bert_folder(tmp_path / "package" / "model") == tmp_path / "package" / "model"
    assert find_bert_folder(tmp_path) is None


def test_identifiers_are_split_where_their_case_changes(tokenizer: Tokenizer) -> None:
    assert words(tokenizer, "parseHTTPHeader") == ["parse", "http", "header"]
    assert words(tokenizer, "returnValue2Self") == ["return", "value", "##2", "self"]


def test_all_other_words_are_read_as_the_release_reads_them(tokenizer: Tokenizer) -> None:
    from tokenizers import Tokenizer as Released

    released = Released.from_str(bert_tokenizer_json())
    released.no_padding()
    text = "def parse_http(self): return the values, Header"
    assert tokenizer.encode(text) == released.encode(text, add_special_tokens=False).ids


def test_our_task_tokens_take_unused_places(tokenizer: Tokenizer) -> None:
    assert tokenizer.vocab_size == len(json.loads(bert_tokenizer_json())["model"]["vocab"])
    ids = [tokenizer.token_id(token) for token in SPECIAL_TOKENS]
    assert len(set(ids)) == len(ids)
    assert tokenizer.special_ids.issuperset(ids)
    assert tokenizer.token_id(CLS) == 122


def test_nothing_is_cut_or_filled_up(tokenizer: Tokenizer) -> None:
    assert len(tokenizer.encode("a")) == 1
    assert len(tokenizer.encode("a " * 200)) == 200


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("{}", "it has no vocabulary"),
        ("[1", "Expecting"),
        (bert_tokenizer_json(num_unused=20), "no WordPiece vocabulary with 105 unused places"),
    ],
)
def test_a_tokenizer_of_another_kind_is_refused(tmp_path: Path, file: str, reason: str) -> None:
    write_bert_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_text(file, "utf-8")
    with pytest.raises(CheckpointError, match=f"cannot use .*tokenizer.json: .*{reason}"):
        import_minilm(tmp_path)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"model_type": "roberta"}, "model_type 'roberta', expected 'bert'"),
        ({"hidden_act": "relu"}, "hidden_act 'relu', expected 'gelu'"),
        ({"hidden_size": None}, "has no 'hidden_size'"),
        ({"num_attention_heads": 0}, "describes no model"),
        ({"num_hidden_layers": 3}, "of another shape|missing"),
        ({"num_hidden_layers": 1}, "released weights have no place in the model"),
        ({"intermediate_size": 41}, "of another shape"),
    ],
)
def test_a_folder_that_holds_another_model_is_refused(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    write_bert_folder(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text("utf-8")) | fields
    config = {name: value for name, value in config.items() if value is not None}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(CheckpointError, match=reason):
        import_minilm(tmp_path)


def test_a_weight_that_is_missing_is_named(tmp_path: Path) -> None:
    write_bert_folder(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.layer.1.output.LayerNorm.bias"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"1 missing \(encoder.layers.1.feed_forward_norm.bias\)"):
        import_minilm(tmp_path)


def test_constants_that_old_files_carry_are_left_out(tmp_path: Path) -> None:
    write_bert_folder(tmp_path)
    weights = load_file(tmp_path / "model.safetensors") | {"embeddings.position_ids": torch.arange(64)[None]}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert import_minilm(tmp_path).model.config.max_positions == 64
