"""An encoder as a sentence-transformers folder: the same vectors, in float32, without remote code."""

import json
from pathlib import Path
from typing import Any

from safetensors.numpy import save_file

from codet5p.core.errors import CheckpointError
from codet5p.core.model_config import CodeT5pConfig
from codet5p.export.checkpoint_reader import read_checkpoint_or_artifact
from codet5p.export.hugging_face import write_encoder

__all__ = ["write_sentence_transformers"]

# The module names of all versions; later ones know them under others too.
_MODULES = "sentence_transformers.models"
_SERVER_TOKENS = 144
"""As `EncoderLimits.max_tokens` of the server, which this package may not import; a test compares them."""


def write_sentence_transformers(checkpoint: Path, destination: Path, *, max_tokens: int = _SERVER_TOKENS) -> None:
    """Write the encoder with its pooling, projection and normalisation to `destination`.

    Args:
        checkpoint: Folder with config.json, model.safetensors and tokenizer.json, or an artifact.
        destination: Folder to write into; made if it is not there.
        max_tokens: Longest input, `[CLS]` included; a longer text loses its end. As the server reads if left out.

    Raises:
        CheckpointError: If the checkpoint cannot be read, lacks the encoder or a weight, or no class of transformers
            computes it.
        ArtifactError: If the artifact is incomplete or altered.
    """
    config = write_encoder(checkpoint, destination)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    if config.has_embedding_projection:
        _write_projection(checkpoint, config, destination / "2_Dense")
        modules.append(("2_Dense", "Dense"))
    modules.append((f"{len(modules)}_Normalize", "Normalize"))
    for folder, _ in modules:
        (destination / folder).mkdir(exist_ok=True)
    descriptions: dict[str, Any] = {
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": f"{_MODULES}.{kind}"}
            for number, (path, kind) in enumerate(modules)
        ],
        "sentence_bert_config.json": {
            "max_seq_length": min(max_tokens, config.max_positions or max_tokens),
            "do_lower_case": False,
        },
        "config_sentence_transformers.json": {"prompts": {}, "similarity_fn_name": "cosine"},
        "1_Pooling/config.json": {
            "word_embedding_dimension": config.width,
            "pooling_mode_cls_token": config.pooling == "first",
            "pooling_mode_mean_tokens": config.pooling == "mean",
        },
    }
    for name, description in descriptions.items():
        _write_json(destination / name, description)


def _write_projection(checkpoint: Path, config: CodeT5pConfig, folder: Path) -> None:
    _, weights = read_checkpoint_or_artifact(checkpoint)
    try:
        projection = {f"linear.{kind}": weights[f"text_code_projection.{kind}"] for kind in ("weight", "bias")}
    except KeyError as error:
        raise CheckpointError(f"the checkpoint has no weight {error.args[0]}") from None
    folder.mkdir(exist_ok=True)
    save_file(projection, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # the library keeps others out
    description = {
        "in_features": config.width,
        "out_features": config.embedding_dim,
        "bias": True,
        "activation_function": "torch.nn.modules.linear.Identity",
    }
    _write_json(folder / "config.json", description)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
