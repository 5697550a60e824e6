"""From a recipe to what a run needs: tokenizer, model and data, all checked before any training."""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from codet5p.core.errors import CheckpointError, ConfigError, DataError
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.checkpoint import load_checkpoint
from codet5p.model.config import CodeT5pConfig, embedding, laptop, t5_220m, t5_770m
from codet5p.model.initialisation import initialise_weights
from codet5p.model.smollm2 import SmolLM2Weights, initialise_from_smollm2, read_smollm2
from codet5p.model.transformer import CodeT5pModel
from codet5p.model.vocabulary import with_vocabulary
from codet5p.training.batches import StageData
from codet5p.training.config import (
    CODE_OBJECTIVES,
    EXAMPLE_OBJECTIVES,
    PAIR_OBJECTIVES,
    ModelRecipe,
    Source,
    StageRecipe,
    TokenizerRecipe,
    TrainingRecipe,
)
from codet5p.training.example_table import ExampleTable
from codet5p.training.mixed_rows import MixedRows
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_table import PairTable
from codet5p.training.pair_views import viewed
from codet5p.training.sources import TokenizerIdentity, code_texts, open_code, read_examples, read_pairs
from codet5p.training.token_stream import continuation_tables
from codet5p.training.tokenizer_training import train_tokenizer

__all__ = ["PreparedModel", "build_model", "load_stage_data", "load_tokenizer", "prepare_model", "spread_layers"]

_VOCABULARY_STEP = 64  # matrix units like the embedding's rows in multiples of this


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedModel:
    """The start of a run."""

    model: CodeT5pModel
    tokenizer: Tokenizer
    tokenizer_json: str


def prepare_model(recipe: TrainingRecipe) -> PreparedModel:
    """Return tokenizer and model as the recipe starts them.

    Args:
        recipe: The run.

    Returns:
        Both, with the tokenizer's file contents.

    Raises:
        ConfigError: If a stage trains what the model lacks.
    """
    released = _released_weights(recipe.model)
    if released is not None and recipe.tokenizer.path == recipe.model.source:
        tokenizer = Tokenizer(released.tokenizer)
    else:
        tokenizer = load_tokenizer(recipe.tokenizer, [source.path for source in recipe.data.code])
    generator = torch.Generator().manual_seed(recipe.seed)
    model = build_model(recipe.model, tokenizer, generator, released)
    _check_halves(recipe, model)
    return PreparedModel(model=model, tokenizer=tokenizer, tokenizer_json=_as_json(tokenizer))


def _check_halves(recipe: TrainingRecipe, model: CodeT5pModel) -> None:
    """Refuse objectives of a half that the model has not; a decoder alone learns causal LM, an encoder contrast."""
    for stage in recipe.stages:
        for objective in stage.objectives:
            if model.encoder is None and objective != "decoder_only_causal_lm":
                raise ConfigError(
                    f"stage {stage.name}: {objective} needs an encoder, and the model has none; import the start with "
                    "--encoder-layers, or train decoder_only_causal_lm"
                )
            if model.decoder is None and objective != "contrastive":
                raise ConfigError(
                    f"stage {stage.name}: {objective} needs a decoder, and the model has none; train contrastive"
                )


def load_tokenizer(recipe: TokenizerRecipe, code: Sequence[Path]) -> Tokenizer:
    """Return the recipe's tokenizer, read or trained.

    Args:
        recipe: Where it is, or how large it is to be.
        code: Folders of source files to train it on.

    Returns:
        The tokenizer, which knows every task token.

    Raises:
        ConfigError: If a task token is missing.
    """
    if recipe.path is not None:
        path = recipe.path / "tokenizer.json" if recipe.path.is_dir() else recipe.path
        tokenizer = Tokenizer.from_file(path)
    else:
        tokenizer = train_tokenizer((text for folder in code for text in code_texts(folder)), recipe.vocabulary)
    try:
        TaskTokens.from_tokenizer(tokenizer)
    except ValueError as error:
        raise ConfigError(
            f"the tokenizer {recipe.path} lacks task tokens: {error}; take one made for codet5p"
        ) from None
    return tokenizer


def build_model(
    recipe: ModelRecipe,
    tokenizer: Tokenizer,
    generator: torch.Generator,
    released: SmolLM2Weights | None = None,
) -> CodeT5pModel:
    """Return the model with its starting weights, float32, on the CPU.

    Args:
        recipe: Shape and start.
        tokenizer: Gives the vocabulary; that of SmolLM2, or some of its tokens, where the recipe starts from it.
        generator: Draws what has no starting weights.
        released: SmolLM2, where the recipe starts from it.

    Returns:
        The model.

    Raises:
        CheckpointError: If a checkpoint has fewer tokens than the tokenizer, or SmolLM2 lacks one of its tokens.
        ConfigError: If the starting weights do not fit the shape.
    """
    if recipe.start == "checkpoint":
        assert recipe.source is not None, "checked by the recipe"
        model, _ = load_checkpoint(recipe.source)
        if model.config.vocab_size < tokenizer.vocab_size:
            raise CheckpointError(
                f"{recipe.source} has {model.config.vocab_size} embedding rows for {tokenizer.vocab_size} tokens; "
                "take the tokenizer that belongs to it"
            )
        return model.float()
    known = tokenizer if released is None else Tokenizer(released.tokenizer)
    config = _shape(recipe, known.vocab_size)
    if released is None:
        model = CodeT5pModel(config)
        initialise_weights(model, generator)
        return model
    layers = recipe.decoder_layers or spread_layers(config.num_decoder_layers, released.config.num_decoder_layers)
    try:
        model = initialise_from_smollm2(released, config, decoder_layers=layers, generator=generator)
    except ValueError as error:
        raise ConfigError(f"model: {error}") from None
    return model if tokenizer.tokens == known.tokens else with_vocabulary(model, known, tokenizer)


def spread_layers(wanted: int, available: int) -> tuple[int, ...]:
    """Return `wanted` layers out of `available`, evenly spread, first and last included.

    Args:
        wanted: 1 to `available`.
        available: Layers of the release.

    Returns:
        Layer numbers, ascending.

    Raises:
        ConfigError: If more are wanted than there are.
    """
    if wanted > available:
        raise ConfigError(f"model.num_decoder_layers is {wanted}, but the starting weights have {available} layers")
    return tuple(round(place * (available - 1) / max(1, wanted - 1)) for place in range(wanted))


def _released_weights(recipe: ModelRecipe) -> SmolLM2Weights | None:
    if recipe.start != "smollm2":
        return None
    assert recipe.source is not None, "checked by the recipe"
    return read_smollm2(recipe.source)


def _shape(recipe: ModelRecipe, vocabulary: int) -> CodeT5pConfig:
    rows = -(-vocabulary // _VOCABULARY_STEP) * _VOCABULARY_STEP
    config = {
        "tiny": lambda: _tiny(rows),
        "laptop": lambda: laptop(vocab_size=rows),
        "embedding": lambda: embedding(vocab_size=rows),
        "t5_220m": lambda: t5_220m(vocab_size=rows),
        "t5_770m": lambda: t5_770m(vocab_size=rows),
    }[recipe.preset]()
    encoder = config.num_encoder_layers if recipe.num_encoder_layers is None else recipe.num_encoder_layers
    decoder = config.num_decoder_layers if recipe.num_decoder_layers is None else recipe.num_decoder_layers
    try:
        return replace(
            config,
            num_encoder_layers=encoder,
            num_decoder_layers=decoder,
            cross_attention_layers=tuple(range(decoder)) if encoder else (),
            dropout=config.dropout if recipe.dropout is None else recipe.dropout,
        )
    except ValueError as error:
        raise ConfigError(f"model: {error}") from None


def _tiny(vocab_size: int) -> CodeT5pConfig:
    return replace(
        laptop(vocab_size=vocab_size, num_encoder_layers=1, num_decoder_layers=2),
        width=64,
        num_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        feed_forward_width=128,
    )


def load_stage_data(
    stage: StageRecipe, recipe: TrainingRecipe, tokenizer: Tokenizer, *, held_out: bool = False
) -> StageData:
    """Return the sources that a stage needs opened, tokenised where they are text.

    Args:
        stage: Says which kinds are needed, and their widths.
        recipe: Names the sources.
        tokenizer: The run's tokenizer.
        held_out: Take the validation sources.

    Returns:
        What batches are made of.
    """
    prefix, split = ("validation_", "validation") if held_out else ("", "train")
    code, pairs, examples = (
        getattr(recipe.data, prefix + kind) if stage.uses(objectives) else ()
        for kind, objectives in (
            ("code", CODE_OBJECTIVES),
            ("pairs", PAIR_OBJECTIVES),
            ("examples", EXAMPLE_OBJECTIVES),
        )
    )
    for source in (*code, *pairs, *examples):
        _check_exists(source)
    identity = _identity(tokenizer, recipe.tokenizer.path)
    seed = (recipe.seed, int(held_out))
    pair_tables = [
        part
        for number, source in enumerate(pairs)
        for part in _pair_tables(source, split, tokenizer, stage, (*seed, number))
    ]
    example_tables = [
        ExampleTable.from_examples(read_examples(source.path), tokenizer, stage.examples) for source in examples
    ]
    return StageData(
        code=tuple((open_code(source.path, source.language, split, identity), source.weight) for source in code),
        pairs=PairTable.joined([table for table, _ in pair_tables]) if pair_tables else None,
        pair_rows=MixedRows(
            [len(table) for table, _ in pair_tables],
            [weight for _, weight in pair_tables],
            block=stage.pairs.length_pool * stage.pairs.micro_rows if stage.pairs.one_language else 1,
        ),
        examples=ExampleTable.joined(example_tables) if example_tables else None,
        example_rows=MixedRows([len(table) for table in example_tables], [source.weight for source in examples]),
        tokens=TaskTokens.from_tokenizer(tokenizer),
        word_tables=continuation_tables(tokenizer.token_bytes),
        newline_table=np.array([b"\n" in token for token in tokenizer.token_bytes]),
    )


def _check_exists(source: Source) -> None:
    if not source.path.exists():
        raise DataError(f"the data source {source.path} does not exist; check the table data of the recipe")


def _as_json(tokenizer: Tokenizer) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tokenizer.json")
        tokenizer.save(path)
        return path.read_text("utf-8")


def _identity(tokenizer: Tokenizer, path: Path | None) -> TokenizerIdentity:
    digests = {hashlib.sha256(_as_json(tokenizer).encode()).hexdigest()}
    file = path / "tokenizer.json" if path is not None and path.is_dir() else path
    if file is not None and file.is_file():
        digests.add(hashlib.sha256(file.read_bytes()).hexdigest())
    return TokenizerIdentity(tokenizer=tokenizer, digests=frozenset(digests))


def _pair_tables(
    source: Source, split: str, tokenizer: Tokenizer, stage: StageRecipe, seed: tuple[int, ...]
) -> list[tuple[PairTable, float]]:
    """Return the pairs of a source with its weight; where languages are kept apart, those of each with its share."""
    groups: dict[str, list[tuple[str, str]]] = {}
    rng = np.random.default_rng(seed)
    for record in read_pairs(source.path, source.language, split):
        group = groups.setdefault(record.language if stage.pairs.one_language else "", [])
        group.append(viewed(record, stage.pairs.views, rng))
    shares = {language: len(pairs) ** 0.5 for language, pairs in groups.items()}
    groups = {language: _spread(pairs, stage.pairs.most_pairs) for language, pairs in groups.items()}
    return [
        (_pair_table(groups[language], tokenizer, stage), source.weight * share / sum(shares.values()))
        for language, share in shares.items()
    ] or [(_pair_table([], tokenizer, stage), source.weight)]


def _spread(pairs: list[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    """Return at most `most` of the pairs, evenly spread over them; all where `most` is 0."""
    if not 0 < most < len(pairs):
        return pairs
    return [pairs[place * len(pairs) // most] for place in range(most)]


def _pair_table(pairs: list[tuple[str, str]], tokenizer: Tokenizer, stage: StageRecipe) -> PairTable:
    return PairTable.from_pairs(
        pairs,
        tokenizer,
        max_text_tokens=stage.pairs.max_text_tokens,
        max_code_tokens=stage.pairs.max_code_tokens,
    )
