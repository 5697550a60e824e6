import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import small_tokenizer
from tokenizers import Tokenizer as BpeTokenizer

from codet5p.core.errors import CheckpointError, ConfigError, DataError
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.config import laptop
from codet5p.model.smollm2 import SmolLM2Weights
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.config import ModelRecipe, TrainingRecipe, load_recipe
from codet5p.training.corpus.vocabulary import trim_tokenizer
from codet5p.training.preparation import build_model, load_stage_data, prepare_model
from codet5p.training.tokenizer_training import train_tokenizer

DEBUG = Path(__file__).parents[3] / "training" / "recipes" / "debug.toml"
TOKENIZER = small_tokenizer()
FROM_SMOLLM2 = ModelRecipe(preset="tiny", start="smollm2", source=Path("release.gguf"))


def recipe(path: Path, *overrides: str) -> TrainingRecipe:
    return load_recipe(DEBUG, [f'data.pairs=[{{path="{path}"}}]', *(f"stages.2.pairs.{key}" for key in overrides)])


def write_pairs(path: Path, **counts: int) -> Path:
    """Write pairs of languages in turns; the code of each pair is its number."""
    rows = [
        {"language": language, "text": f"{language} {number}", "code": f"x{number}"}
        for number in range(max(counts.values()))
        for language, count in counts.items()
        if number < count
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_each_pool_is_of_one_language_in_proportion_to_the_square_root_of_its_pairs(tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "pairs.jsonl", python=64, go=16)
    run = recipe(path, "one_language=true", "length_pool=2", "micro_rows=4", "rows=8")
    data = load_stage_data(run.stages[2], run, TOKENIZER)
    assert data.pairs is not None
    rows_NB = data.pair_rows.rows(range(8 * 30), (0,)).reshape(30, 8)
    is_python_NB = rows_NB < 64
    assert (is_python_NB == is_python_NB[:, :1]).all()
    assert is_python_NB[:, 0].sum() == 20  # eight against four
    assert TOKENIZER.decode(data.pairs.texts.row(64)) == "go 0"


def test_pairs_beyond_what_a_run_needs_are_left_out_evenly(tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "pairs.jsonl", python=10)
    run = recipe(path, "most_pairs=5")
    data = load_stage_data(run.stages[2], run, TOKENIZER)
    assert data.pairs is not None
    codes = [TOKENIZER.decode(data.pairs.codes.row(row)) for row in range(len(data.pairs))]
    assert codes == ["x0", "x2", "x4", "x6", "x8"]


def test_views_are_the_same_each_time_the_data_is_read(tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "pairs.jsonl", python=40)
    run = recipe(path, "views={documented=0.5}")
    tables = [load_stage_data(run.stages[2], run, TOKENIZER).pairs for _ in range(2)]
    lengths = [table.codes.lengths(np.arange(40)).tolist() for table in tables if table is not None]
    assert lengths[0] == lengths[1]
    assert 5 < sum(length > 5 for length in lengths[0]) < 35


def test_a_source_without_pairs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text("", "utf-8")
    run = recipe(tmp_path / "pairs.jsonl", "one_language=true", "length_pool=1")
    with pytest.raises(DataError, match="a source of pairs is empty"):
        load_stage_data(run.stages[2], run, TOKENIZER)


@pytest.fixture(scope="module")
def tokenizer() -> BpeTokenizer:
    known = train_tokenizer(["def one(two):\n    return three + four\n" * 9], 256 + 30)
    bpe = BpeTokenizer.from_str(known.to_json())
    bpe.add_special_tokens(["<|endoftext|>"])
    return bpe


@pytest.fixture(scope="module")
def released(tokenizer: BpeTokenizer) -> SmolLM2Weights:
    config = replace(
        laptop(vocab_size=tokenizer.get_vocab_size(), num_encoder_layers=0, num_decoder_layers=2),
        width=64,
        num_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        feed_forward_width=128,
    )
    return SmolLM2Weights(config=config, weights=CodeT5pModel(config).state_dict(), tokenizer=tokenizer)


def build(tokenizer: Tokenizer, released: SmolLM2Weights) -> CodeT5pModel:
    return build_model(FROM_SMOLLM2, tokenizer, torch.Generator().manual_seed(0), released)


def test_a_trimmed_tokenizer_starts_with_its_tokens_rows_of_the_release(
    tokenizer: BpeTokenizer, released: SmolLM2Weights
) -> None:
    known = Tokenizer(tokenizer)
    smaller = trim_tokenizer(tokenizer.to_str(), np.zeros(known.vocab_size), known.vocab_size - 20)
    wanted = Tokenizer(BpeTokenizer.from_str(smaller))
    whole, trimmed = build(known, released), build(wanted, released)
    assert trimmed.config == replace(whole.config, vocab_size=wanted.vocab_size)
    rows = [known.token_id(token) for token in wanted.tokens]
    torch.testing.assert_close(trimmed.token_embedding.weight, whole.token_embedding.weight[rows])
    torch.testing.assert_close(trimmed.decoder.state_dict(), whole.decoder.state_dict())


def test_a_tokenizer_that_is_not_the_releases_is_refused(released: SmolLM2Weights) -> None:
    with pytest.raises(CheckpointError, match="the model has no token"):
        build(train_tokenizer(["quite other words " * 9], 256 + 20), released)


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [
        ("model.num_encoder_layers=0", "span_denoising needs an encoder, and the model has none; import the start"),
        ("model.num_decoder_layers=0", "span_denoising needs a decoder, and the model has none; train contrastive"),
    ],
)
def test_objectives_of_a_half_that_the_model_lacks_are_refused(missing: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy):
        prepare_model(load_recipe(DEBUG, [missing]))
