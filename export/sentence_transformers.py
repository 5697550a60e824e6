"""The encoder of a checkpoint as a sentence-transformers folder: the same vectors, in float32, without remote code."""

import json
from pathlib import Path
from typing import Any

from safetensors.numpy import save_file

from codet5p.core.errors import CheckpointError
from codet5p.export.checkpoint_reader import read_checkpoint
from codet5p.export.hugging_face import write_encoder

__all__ = ["write_sentence_transformers"]

# The module names of all versions; later ones know them under others too.
_MODULES = {
    "": "sentence_transformers.models.Transformer",
    "1_Pooling": "sentence_transformers.models.Pooling",
    "2_Dense": "sentence_transformers.models.Dense",
    "3_Normalize": "sentence_transformers.models.Normalize",
}


def write_sentence_transformers(checkpoint: Path, destination: Path, *, max_tokens: int = 360) -> None:
    """Write the encoder, its projection and normalisation to `destination`.

    Args:
        checkpoint: Folder with config.json, model.safetensors and tokenizer.json.
        destination: Folder to write into; made if it is not there.
        max_tokens: Longest input, `[CLS]` included; a longer text loses its end.

    Raises:
        CheckpointError: If the checkpoint cannot be read, has no encoder or no projection, or no class of
            transformers computes it.
    """
    config = write_encoder(checkpoint, destination)
    _, weights = read_checkpoint(checkpoint)
    try:
        projection = {f"linear.{kind}": weights[f"text_code_projection.{kind}"] for kind in ("weight", "bias")}
    except KeyError as error:
        raise CheckpointError(f"the checkpoint has no weight {error.args[0]}") from None
    for folder in filter(None, _MODULES):
        (destination / folder).mkdir(exist_ok=True)
    save_file(projection, destination / "2_Dense" / "model.safetensors", metadata={"format": "pt"})
    (destination / "2_Dense" / "model.safetensors").chmod(0o644)  # the library keeps others out
    descriptions: dict[str, Any] = {
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": kind}
            for number, (path, kind) in enumerate(_MODULES.items())
        ],
        "sentence_bert_config.json": {"max_seq_length": max_tokens, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {}, "similarity_fn_name": "cosine"},
        "1_Pooling/config.json": {
            "word_embedding_dimension": config.width,
            "pooling_mode_cls_token": True,
            "pooling_mode_mean_tokens": False,
        },
        "2_Dense/config.json": {
            "in_features": config.width,
            "out_features": config.embedding_dim,
            "bias": True,
            "activation_function": "torch.nn.modules.linear.Identity",
        },
    }
    for name, description in descriptions.items():
        (destination / name).write_text(json.dumps(description, indent=2) + "\n", "utf-8")
