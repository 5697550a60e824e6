"""A checkpoint and an artifact small enough for unit tests, made with numpy alone."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from fakes import small_tokenizer
from numpy.typing import NDArray
from safetensors.numpy import save_file

from codet5p.core.artifact import Manifest
from codet5p.core.model_config import CodeT5pConfig
from codet5p.export.exporter import ExportOptions, export_artifact

__all__ = [
    "SMALL",
    "SMALL_DECODER",
    "SMALL_EMBEDDING",
    "SMALL_T5",
    "random_weights",
    "write_artifact",
    "write_checkpoint",
]

SMALL = CodeT5pConfig(
    vocab_size=448,
    width=24,
    num_encoder_layers=2,
    num_decoder_layers=4,
    num_heads=4,
    num_key_value_heads=2,
    head_dim=6,
    feed_forward_width=40,
    activation="swiglu",
    position="rotary",
    scale_attention=True,
    norm_epsilon=1e-5,
    tie_head=True,
    scale_head=False,
    cross_attention_layers=(0, 2),
    embedding_dim=8,
)
SMALL_DECODER = replace(SMALL, num_encoder_layers=0, cross_attention_layers=())
SMALL_T5 = replace(
    SMALL,
    num_key_value_heads=4,
    activation="relu",
    position="relative_bias",
    scale_attention=False,
    norm_epsilon=1e-6,
    scale_head=True,
    cross_attention_layers=(0, 1, 2, 3),
    relative_buckets=8,
    relative_max_distance=16,
)

SMALL_EMBEDDING = replace(
    SMALL,
    num_decoder_layers=0,
    num_key_value_heads=4,
    activation="gelu",
    position="learned",
    max_positions=64,
    norm="layer",
    norm_place="after",
    norm_epsilon=1e-12,
    has_biases=True,
    cross_attention_layers=(),
    pooling="mean",
    has_embedding_projection=False,
    embedding_dim=24,
)


def random_weights(config: CodeT5pConfig, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Return random weights under the names of the checkpoint; no matrix is zero."""
    shapes: dict[str, tuple[int, ...]] = {"token_embedding.weight": (config.vocab_size, config.width)}
    for side, count in (("encoder", config.num_encoder_layers), ("decoder", config.num_decoder_layers)):
        for layer in range(count):
            crosses = side == "decoder" and layer in config.cross_attention_layers
            shapes |= _layer_shapes(config, f"{side}.layers.{layer}", crosses=crosses)
        if count:
            norm = "final_norm" if config.norm_place == "before" else "embedding_norm"
            shapes[f"{side}.{norm}.weight"] = (config.width,)
        if count and config.position == "relative_bias":
            shapes[f"{side}.relative_bias.weight"] = (config.relative_buckets, config.num_heads)
    if not config.tie_head:
        shapes["lm_head.weight"] = (config.vocab_size, config.width)
    if config.position == "learned":
        shapes["encoder.position_embedding.weight"] = (config.max_positions, config.width)
    if config.has_embedding_projection:
        shapes |= {"text_code_projection.weight": (config.embedding_dim, config.width)}
        shapes |= {"text_code_projection.bias": (config.embedding_dim,)}
    shapes |= {"matching_head.weight": (2, config.width), "matching_head.bias": (2,)}
    if config.has_biases:
        own = {name: shape for name, shape in shapes.items() if ".layers." in name or name.endswith("norm.weight")}
        shapes |= {name.removesuffix("weight") + "bias": shape[:1] for name, shape in own.items()}
    random = np.random.default_rng(seed)
    return {name: random.standard_normal(shape, dtype=np.float32) * 0.3 for name, shape in shapes.items()}


def _layer_shapes(config: CodeT5pConfig, prefix: str, *, crosses: bool) -> dict[str, tuple[int, ...]]:
    queries, values = config.num_heads * config.head_dim, config.num_key_value_heads * config.head_dim
    shapes: dict[str, tuple[int, ...]] = {f"{prefix}.feed_forward_norm.weight": (config.width,)}
    for kind in ("self_attention", "cross_attention") if crosses else ("self_attention",):
        shapes[f"{prefix}.{kind}_norm.weight"] = (config.width,)
        for part, rows in (("query", queries), ("key", values), ("value", values)):
            shapes[f"{prefix}.{kind}.{part}.weight"] = (rows, config.width)
        shapes[f"{prefix}.{kind}.output.weight"] = (config.width, queries)
    for part in ("gate", "input") if config.activation == "swiglu" else ("input",):
        shapes[f"{prefix}.feed_forward.{part}.weight"] = (config.feed_forward_width, config.width)
    shapes[f"{prefix}.feed_forward.output.weight"] = (config.width, config.feed_forward_width)
    return shapes


def write_checkpoint(
    folder: Path, config: CodeT5pConfig = SMALL_DECODER, weights: dict[str, NDArray[Any]] | None = None
) -> Path:
    """Write a checkpoint of `config` with the small tokenizer and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(random_weights(config) if weights is None else weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model": asdict(config), "extra": {}}), "utf-8")
    small_tokenizer().save(folder / "tokenizer.json")
    return folder


def write_artifact(folder: Path, config: CodeT5pConfig = SMALL_DECODER, **options: Any) -> Manifest:
    """Write the artifact of random weights to `folder`; `options` are those of `ExportOptions`."""
    checkpoint = write_checkpoint(folder.parent / f"{folder.name}-checkpoint", config)
    return export_artifact(checkpoint, folder, ExportOptions(**({"name": "small"} | options)))
