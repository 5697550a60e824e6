"""Checkpoints, and artifacts, as Hugging Face folders that transformers loads by its own classes, without remote code.

    family          what is written                  loaded by
    t5              encoder-decoder                  AutoModelForSeq2SeqLM (T5ForConditionalGeneration)
    shallow-deep    decoder with `[CLM]` folded in   AutoModelForCausalLM (LlamaForCausalLM)
    either          encoder                          AutoModel (T5EncoderModel, EuroBertModel)
    embedding       the model                        AutoModel (BertModel)

The `shallow-deep` encoder-decoder as a whole is not among them: transformers has no class with rotary self-attention,
grouped queries and cross-attention without positions. Its decoder is a Llama whose attention outputs have a bias, which
holds the constants of `folding`; its encoder is a EuroBERT. The matching head has no place in any of them, nor has the
projection of an encoder that stands alone: as a sentence-transformers folder it keeps it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer as BpeTokenizer
from tokenizers import processors

from codet5p.core.artifact import TOKENIZER_NAME
from codet5p.core.errors import CheckpointError
from codet5p.core.model_config import CodeT5pConfig
from codet5p.core.special_tokens import CLM, CLS, EOS
from codet5p.core.t5_names import T5_NAMES
from codet5p.core.tokenizer import Tokenizer
from codet5p.export.bert import bert_description, check_bert, renamed_bert
from codet5p.export.checkpoint_reader import read_checkpoint_or_artifact
from codet5p.export.folding import folded_biases

__all__ = ["write_encoder", "write_hugging_face", "write_tokenizer"]

Weights = Mapping[str, NDArray[np.float32]]

_LAYER_NAMES = {
    "self_attention_norm.weight": "input_layernorm.weight",
    "self_attention.query.weight": "self_attn.q_proj.weight",
    "self_attention.key.weight": "self_attn.k_proj.weight",
    "self_attention.value.weight": "self_attn.v_proj.weight",
    "self_attention.output.weight": "self_attn.o_proj.weight",
    "feed_forward_norm.weight": "post_attention_layernorm.weight",
    "feed_forward.gate.weight": "mlp.gate_proj.weight",
    "feed_forward.input.weight": "mlp.up_proj.weight",
    "feed_forward.output.weight": "mlp.down_proj.weight",
}
"""Within a layer of Llama, and of EuroBERT, which is a Llama that looks both ways."""
_MAX_POSITIONS = 8192  # only a limit on the tables that transformers prepares


def write_hugging_face(checkpoint: Path, destination: Path) -> str:
    """Write the model of `checkpoint` as a Hugging Face folder and return the name of its class.

    Args:
        checkpoint: Folder with config.json, model.safetensors and tokenizer.json, or an artifact.
        destination: Folder to write into; made if it is not there.

    Returns:
        `T5ForConditionalGeneration`, `LlamaForCausalLM`, or `BertModel` for an encoder without projection.

    Raises:
        CheckpointError: If the checkpoint cannot be read, or no class of transformers computes what it computes.
        ArtifactError: If the artifact is incomplete or altered.
    """
    config, weights = read_checkpoint_or_artifact(checkpoint)
    if not config.num_decoder_layers:
        if config.has_embedding_projection:
            raise CheckpointError("this checkpoint has no decoder; write it as a sentence-transformers folder")
        write_encoder(checkpoint, destination)
        return "BertModel"
    destination.mkdir(parents=True, exist_ok=True)
    if config.position == "relative_bias":
        _check_t5(config)
        tokenizer = write_tokenizer(checkpoint, destination, opening=CLS)
        description = _t5_description(config, tokenizer) | {"architectures": ["T5ForConditionalGeneration"]}
        renamed = _renamed_t5(weights, ("token_embedding.", "encoder.", "decoder."))
        if not config.tie_head:
            renamed["lm_head.weight"] = weights["lm_head.weight"]
    else:
        _check_rotary(config)
        tokenizer = write_tokenizer(checkpoint, destination, opening=None)
        description = _llama_description(config, tokenizer) | {"architectures": ["LlamaForCausalLM"]}
        try:
            renamed = _renamed_llama(config, weights, tokenizer.token_id(CLM))
        except KeyError as error:  # an artifact that only completes keeps of cross-attention what it adds
            raise CheckpointError(f"{checkpoint} has no weight {error.args[0]}; write it from the checkpoint") from None
    _write(destination, description, renamed)
    return str(description["architectures"][0])


def write_encoder(checkpoint: Path, destination: Path) -> CodeT5pConfig:
    """Write the encoder alone, with a tokenizer that opens each text with `[CLS]`, and return the model's shape.

    Args:
        checkpoint: Folder with config.json, model.safetensors and tokenizer.json, or an artifact.
        destination: Folder to write into; made if it is not there.

    Returns:
        The shape, which says how the states are pooled.

    Raises:
        CheckpointError: If the checkpoint cannot be read, has no encoder, or no class of transformers computes it.
        ArtifactError: If the artifact is incomplete or altered.
    """
    config, weights = read_checkpoint_or_artifact(checkpoint)
    if not config.num_encoder_layers:
        raise CheckpointError("embeddings need an encoder, and this checkpoint has none")
    destination.mkdir(parents=True, exist_ok=True)
    tokenizer = write_tokenizer(checkpoint, destination, opening=CLS)
    if config.position == "relative_bias":
        _check_t5(config, needs_decoder=False)
        description = _t5_description(config, tokenizer) | {"architectures": ["T5EncoderModel"]}
        renamed = _renamed_t5(weights, ("token_embedding.", "encoder."))
    elif config.position == "learned":
        check_bert(config)
        description = bert_description(config, tokenizer) | {"architectures": ["BertModel"]}
        renamed = renamed_bert(config, weights)
    else:
        _check_rotary(config)
        description = _rotary_description(config, tokenizer, config.num_encoder_layers)
        description |= {"model_type": "eurobert", "architectures": ["EuroBertModel"]}
        renamed = _renamed_stack(config, weights, "encoder", "")
    _write(destination, description, renamed)
    return config


def write_tokenizer(checkpoint: Path, destination: Path, *, opening: str | None) -> Tokenizer:
    """Write the tokenizer as transformers reads it, and return ours.

    Args:
        checkpoint: Folder with tokenizer.json.
        destination: Folder to write into.
        opening: Token put before each text.

    Returns:
        The tokenizer.

    Raises:
        ArtifactError: If the checkpoint has no tokenizer.
    """
    tokenizer = Tokenizer.from_file(checkpoint / TOKENIZER_NAME)
    written = BpeTokenizer.from_file(str(checkpoint / TOKENIZER_NAME))
    if opening is not None:
        written.post_processor = processors.TemplateProcessing(
            single=f"{opening} $A", special_tokens=[(opening, tokenizer.token_id(opening))]
        )
    (destination / TOKENIZER_NAME).write_text(written.to_str(), "utf-8")
    description = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": _MAX_POSITIONS,
        "pad_token": EOS,
        "eos_token": EOS,
        "cls_token": CLS,
        "split_special_tokens": True,  # text that spells a special token is only text
        "clean_up_tokenization_spaces": False,
    }
    _write_json(destination / "tokenizer_config.json", description)
    return tokenizer


def _check_t5(config: CodeT5pConfig, *, needs_decoder: bool = True) -> None:
    """Refuse what T5 cannot express."""
    layers = tuple(range(config.num_decoder_layers))
    if config.num_key_value_heads != config.num_heads or config.scale_attention or config.activation != "relu":
        raise CheckpointError("transformers' T5 has neither grouped queries nor scaled attention nor SwiGLU")
    if needs_decoder and not (config.num_encoder_layers and config.cross_attention_layers == layers):
        raise CheckpointError("transformers' T5 needs an encoder, and cross-attention in every decoder layer")
    if needs_decoder and config.tie_head != config.scale_head:
        raise CheckpointError("transformers' T5 scales the decoder's output where the head is tied, and only there")


def _check_rotary(config: CodeT5pConfig) -> None:
    """Refuse what Llama and EuroBERT cannot express."""
    if config.activation != "swiglu" or not config.scale_attention or config.scale_head or config.norm != "rms":
        raise CheckpointError("transformers' Llama has SwiGLU, RMSNorm, scaled attention and an unscaled head")


def _t5_description(config: CodeT5pConfig, tokenizer: Tokenizer) -> dict[str, Any]:
    end_id = tokenizer.token_id(EOS)
    return {
        "model_type": "t5",
        "vocab_size": config.vocab_size,
        "d_model": config.width,
        "d_kv": config.head_dim,
        "d_ff": config.feed_forward_width,
        "num_layers": config.num_encoder_layers,
        "num_decoder_layers": config.num_decoder_layers,
        "num_heads": config.num_heads,
        "relative_attention_num_buckets": config.relative_buckets,
        "relative_attention_max_distance": config.relative_max_distance,
        "dropout_rate": config.dropout,
        "layer_norm_epsilon": config.norm_epsilon,
        "feed_forward_proj": "relu",
        "is_encoder_decoder": True,
        "tie_word_embeddings": config.tie_head,
        "pad_token_id": end_id,
        "eos_token_id": end_id,
        "decoder_start_token_id": end_id,
        "dtype": "float32",
    }


def _llama_description(config: CodeT5pConfig, tokenizer: Tokenizer) -> dict[str, Any]:
    return _rotary_description(config, tokenizer, config.num_decoder_layers) | {
        "model_type": "llama",
        "attention_bias": bool(config.cross_attention_layers),
        "tie_word_embeddings": config.tie_head,
    }


def _rotary_description(config: CodeT5pConfig, tokenizer: Tokenizer, num_layers: int) -> dict[str, Any]:
    end_id = tokenizer.token_id(EOS)
    return {
        "vocab_size": config.vocab_size,
        "hidden_size": config.width,
        "intermediate_size": config.feed_forward_width,
        "num_hidden_layers": num_layers,
        "num_attention_heads": config.num_heads,
        "num_key_value_heads": config.num_key_value_heads,
        "head_dim": config.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": _MAX_POSITIONS,
        "rms_norm_eps": config.norm_epsilon,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_base},
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": end_id,
        "eos_token_id": end_id,
        "pad_token_id": end_id,
        "mask_token_id": end_id,
        "dtype": "float32",
    }


def _renamed_t5(weights: Weights, sides: tuple[str, ...]) -> dict[str, NDArray[np.float32]]:
    renamed = {}
    for name, weight in weights.items():
        layer = next((part for part in name.split(".") if part.isdigit()), "")
        pattern = name.replace(f".{layer}.", ".{i}.") if layer else name
        if name.startswith(sides):
            renamed[T5_NAMES[pattern].format(i=layer)] = weight
    return renamed


def _renamed_llama(config: CodeT5pConfig, weights: Weights, clm_id: int) -> dict[str, NDArray[np.float32]]:
    renamed = _renamed_stack(config, weights, "decoder", "model.")
    if not config.tie_head:
        renamed["lm_head.weight"] = weights["lm_head.weight"]
    if not config.cross_attention_layers:
        return renamed
    folded = folded_biases(config, weights, clm_id)
    queries, keys = config.num_heads * config.head_dim, config.num_key_value_heads * config.head_dim
    for layer in range(config.num_decoder_layers):
        attention = f"model.layers.{layer}.self_attn"
        for part, rows in (("q", queries), ("k", keys), ("v", keys)):
            renamed[f"{attention}.{part}_proj.bias"] = np.zeros(rows, np.float32)
        bias_D = folded.get(layer, np.zeros(config.width, np.float32))
        renamed[f"{attention}.o_proj.bias"] = bias_D.astype(np.float32)
    return renamed


def _renamed_stack(config: CodeT5pConfig, weights: Weights, side: str, prefix: str) -> dict[str, NDArray[np.float32]]:
    count = config.num_encoder_layers if side == "encoder" else config.num_decoder_layers
    renamed = {
        f"{prefix}embed_tokens.weight": weights["token_embedding.weight"],
        f"{prefix}norm.weight": weights[f"{side}.final_norm.weight"],
    }
    for layer in range(count):
        for ours, theirs in _LAYER_NAMES.items():
            renamed[f"{prefix}layers.{layer}.{theirs}"] = weights[f"{side}.layers.{layer}.{ours}"]
    return renamed


def _write(destination: Path, description: Mapping[str, Any], weights: Weights) -> None:
    _write_json(destination / "config.json", description)
    save_file(dict(weights), destination / "model.safetensors", metadata={"format": "pt"})
    (destination / "model.safetensors").chmod(0o644)  # the library keeps others out


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
