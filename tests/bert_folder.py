"""A sentence encoder of BERT's architecture as others release it, small and random, with a real WordPiece tokenizer."""

import json
import string
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel

__all__ = ["BERT_FIELDS", "bert_tokenizer_json", "write_bert_folder"]

_WORDS = ("parse", "http", "header", "return", "value", "self", "def", "the", "a")
_PIECES = ("##s", "##er", "##http", "##header")

BERT_FIELDS = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "layer_norm_eps": 1e-12,
}


def bert_tokenizer_json(num_unused: int = 120) -> str:
    """Return a tokenizer's file as BERT's are: lower case, special tokens in front, places that are not used."""
    tokens = ["[PAD]", *(f"[unused{i}]" for i in range(num_unused)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = string.ascii_lowercase + string.digits
    tokens += [*_WORDS, *_PIECES, *letters[1:], *(f"##{letter}" for letter in letters[:18] + letters[19:])]
    tokens += [mark for mark in string.punctuation if mark not in tokens]
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding(length=128)
    return str(tokenizer.to_str())


def write_bert_folder(folder: Path, *, pooling: str | None = "pooling_mode_mean_tokens", **fields: object) -> BertModel:
    """Write a random model as sentence-transformers lays it out, and return it in evaluation mode."""
    tokenizer_json = bert_tokenizer_json()
    vocab_size = Tokenizer.from_str(tokenizer_json).get_vocab_size()
    torch.manual_seed(0)
    model = BertModel(BertConfig(vocab_size=vocab_size, **(BERT_FIELDS | fields))).eval()
    for name, weight in model.named_parameters():  # BERT's own initial values are too tame to reveal a mix-up
        is_norm = "LayerNorm.weight" in name
        torch.nn.init.normal_(weight, mean=float(is_norm), std=0.1 if weight.ndim == 1 else 0.3)
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer_json, "utf-8")
    if pooling is not None:
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({pooling: True}), "utf-8")
    return model
