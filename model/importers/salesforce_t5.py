"""The T5-shaped checkpoints that Salesforce released: codet5p-220m, -220m-py, -770m, -220m-bimodal, -110m-embedding.

They are one architecture with parts left out, so one table of names serves all. 220m and 770m bring neither projection
nor matching head, which are then fresh; the embedding model brings no decoder.

Source: the released configurations and weights (huggingface.co/Salesforce); transformers' T5 for the names.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from codet5p.core.errors import CheckpointError
from codet5p.core.t5_names import T5_NAMES
from codet5p.model.checkpoint import model_from_weights, weight_names
from codet5p.model.config import CodeT5pConfig
from codet5p.model.importers.released_folder import read_released_config, read_released_tensors, under_our_names
from codet5p.model.transformer import CodeT5pModel

__all__ = ["SALESFORCE_T5_NAMES", "import_salesforce_t5", "salesforce_t5_config"]

SALESFORCE_T5_NAMES = T5_NAMES | {
    "text_code_projection.weight": "proj.weight",
    "text_code_projection.bias": "proj.bias",
    "matching_head.weight": "itm_head.weight",
    "matching_head.bias": "itm_head.bias",
}

# Copies of `shared.weight` that some files carry.
_ALIASES = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight")
# A leftover of old transformers versions, which no version ever read.
_IGNORED = "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"

# What each kind of release does not bring; everything else is required.
_PROJECTION = frozenset({"text_code_projection.weight", "text_code_projection.bias"})
_MATCHING = frozenset({"matching_head.weight", "matching_head.bias"})
_FRESH_BY_MODEL_TYPE = {
    "t5": _PROJECTION | _MATCHING,
    "codet5p_bimodal": frozenset[str](),
    "codet5p_embedding": frozenset[str](),
}


def import_salesforce_t5(folder: Path) -> CodeT5pModel:
    """Return a released T5-shaped model, in evaluation mode and float32.

    Args:
        folder: The downloaded model: `config.json` and its weights, as safetensors or as a torch file.

    Returns:
        The model. Heads that the release does not bring are drawn from torch's global random state.

    Raises:
        CheckpointError: If the folder holds another model, or any weight is missing, unknown or misshapen.
    """
    released_config = read_released_config(folder)
    config = salesforce_t5_config(released_config)
    try:
        released = _without_aliases(read_released_tensors(folder))
        weights = under_our_names(weight_names(config), SALESFORCE_T5_NAMES, released)
        model = model_from_weights(config, weights, fresh=_FRESH_BY_MODEL_TYPE[released_config["model_type"]])
    except CheckpointError as error:
        raise CheckpointError(f"{folder}: {error}") from None
    return model.eval()


def salesforce_t5_config(released: Mapping[str, Any]) -> CodeT5pConfig:
    """Return our configuration of a released one.

    Args:
        released: Contents of `config.json`.

    Returns:
        The configuration; the weights decide whether it is true, for the first 770m upload carried 220m's numbers.

    Raises:
        CheckpointError: If it is not one of these models, or a field is missing.
    """
    model_type = released.get("model_type")
    if model_type not in _FRESH_BY_MODEL_TYPE:
        raise CheckpointError(
            f"model_type is {model_type!r}, but this importer reads {', '.join(sorted(_FRESH_BY_MODEL_TYPE))}"
        )
    try:
        num_layers = int(released["num_layers"])
        num_decoder_layers = 0 if model_type == "codet5p_embedding" else released.get("num_decoder_layers", num_layers)
        return CodeT5pConfig(
            vocab_size=released["vocab_size"],
            width=released["d_model"],
            num_encoder_layers=num_layers,
            num_decoder_layers=num_decoder_layers,
            num_heads=released["num_heads"],
            num_key_value_heads=released["num_heads"],
            head_dim=released["d_kv"],
            feed_forward_width=released["d_ff"],
            activation="relu",
            position="relative_bias",
            scale_attention=False,
            norm_epsilon=released["layer_norm_epsilon"],
            tie_head=True,
            scale_head=True,
            cross_attention_layers=tuple(range(num_decoder_layers)),
            relative_buckets=released["relative_attention_num_buckets"],
            relative_max_distance=released.get("relative_attention_max_distance", 128),
            embedding_dim=released.get("embed_dim", 256),
            dropout=released["dropout_rate"],
        )
    except KeyError as error:
        raise CheckpointError(f"config.json has no {error}; download the model again") from None
    except ValueError as error:
        raise CheckpointError(f"config.json describes no model: {error}; download the model again") from None


def _without_aliases(released: Mapping[str, Tensor]) -> dict[str, Tensor]:
    shared = released.get("shared.weight")
    for alias in _ALIASES:
        if shared is not None and alias in released and not torch.equal(released[alias], shared):
            raise CheckpointError(f"{alias} differs from shared.weight, but these models have one embedding")
    return {name: tensor for name, tensor in released.items() if name not in (*_ALIASES, _IGNORED)}
