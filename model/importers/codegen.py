"""CodeGen models as parts of the `codegen` family, and the released CodeT5+ models made of them.

Released self-attention weights are fused and cut into slices, one for each core of the machine that trained them;
rotary coordinates are interleaved. Named transforms undo both, then tables of names do the rest.

Source: transformers' CodeGen; the released code of codet5p-2b for the order within a slice and the names.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from codet5p.core.errors import CheckpointError
from codet5p.model.checkpoint import assign_weights
from codet5p.model.codegen import CodeGenStackConfig, CodeGenT5pConfig, CodeGenT5pModel, freeze_decoder
from codet5p.model.importers.released_folder import read_released_config, read_released_tensors, under_our_names
from codet5p.model.rotary import halves_from_interleaved

__all__ = ["compose_codegen", "import_codet5p_codegen", "split_slices"]

# Within one stack, behind the prefix that the release gives it.
_STACK_NAMES = {
    "token_embedding.weight": "wte.weight",
    "layers.{i}.norm.weight": "h.{i}.ln_1.weight",
    "layers.{i}.norm.bias": "h.{i}.ln_1.bias",
    "layers.{i}.self_attention.query.weight": "h.{i}.attn.query.weight",
    "layers.{i}.self_attention.key.weight": "h.{i}.attn.key.weight",
    "layers.{i}.self_attention.value.weight": "h.{i}.attn.value.weight",
    "layers.{i}.self_attention.output.weight": "h.{i}.attn.out_proj.weight",
    "layers.{i}.cross_attention.query.weight": "h.{i}.crossattention.query.weight",
    "layers.{i}.cross_attention.key.weight": "h.{i}.crossattention.key.weight",
    "layers.{i}.cross_attention.value.weight": "h.{i}.crossattention.value.weight",
    "layers.{i}.cross_attention.output.weight": "h.{i}.crossattention.out_proj.weight",
    "layers.{i}.feed_forward.input.weight": "h.{i}.mlp.fc_in.weight",
    "layers.{i}.feed_forward.input.bias": "h.{i}.mlp.fc_in.bias",
    "layers.{i}.feed_forward.output.weight": "h.{i}.mlp.fc_out.weight",
    "layers.{i}.feed_forward.output.bias": "h.{i}.mlp.fc_out.bias",
    "final_norm.weight": "ln_f.weight",
    "final_norm.bias": "ln_f.bias",
}

# Fused projections after the transforms: what a slice holds, in order. The separate `q_attn` is whole already.
_FUSED = {
    "attn.qkv_proj.weight": ("attn.query.weight", "attn.value.weight", "attn.key.weight"),
    "crossattention.qkv_proj.weight": ("crossattention.value.weight", "crossattention.key.weight"),
    "crossattention.q_attn.weight": ("crossattention.query.weight",),
}
_NUM_SLICES = 4

# Constants that old files carry among their weights.
_BUFFERS = ("attn.causal_mask", "attn.masked_bias", "crossattention.causal_mask", "crossattention.masked_bias")


def compose_codegen(
    encoder_folder: Path,
    decoder_folder: Path,
    *,
    num_cross_attention_layers: int = 1,
    generator: torch.Generator | None = None,
) -> CodeGenT5pModel:
    """Return an encoder-decoder made of two CodeGen models, ready for training with its decoder frozen.

    Cross-attention is new; its output projection is zero, so that the model begins as the CodeGen decoder. The paper
    does not say how it began.

    Args:
        encoder_folder: A downloaded CodeGen model, the paper's is 350M; its output head is dropped.
        decoder_folder: A downloaded CodeGen model such as 2B.
        num_cross_attention_layers: How many of the decoder's last layers listen to the encoder.
        generator: For the new weights; torch's global random state where None.

    Returns:
        The model, in float32 and training mode.

    Raises:
        CheckpointError: If a folder holds no CodeGen model, or any weight is missing, unknown or misshapen.

    Source: CodeT5+ (arXiv 2305.07922) section 3.3.
    """
    config = CodeGenT5pConfig(
        encoder=_stack_config(encoder_folder),
        decoder=_stack_config(decoder_folder),
        num_cross_attention_layers=num_cross_attention_layers,
    )
    released = _codegen_stack(encoder_folder, config.encoder, "encoder")
    released = {name: tensor for name, tensor in released.items() if not name.startswith("lm_head.")}
    released |= _codegen_stack(decoder_folder, config.decoder, "decoder")
    with torch.device("meta"):
        model = CodeGenT5pModel(config)
    names = model.state_dict()
    new = {
        name: _draw(name, weight, generator)
        for name, weight in names.items()
        if name.startswith("encoder_projection.") or ".cross_attention." in name
    }
    try:
        weights = under_our_names(names, _names("encoder.", "decoder.", "lm_head."), released)
        assign_weights(model, weights | new)
    except CheckpointError as error:
        raise CheckpointError(f"{encoder_folder} and {decoder_folder}: {error}") from None
    freeze_decoder(model)
    return model


def import_codet5p_codegen(folder: Path) -> CodeGenT5pModel:
    """Return a released codet5p-2b, -6b or -16b, or instructcodet5p-16b, in evaluation mode and float32.

    Args:
        folder: The downloaded model.

    Returns:
        The model, its decoder frozen.

    Raises:
        CheckpointError: If the folder holds another model, or any weight is missing, unknown or misshapen.
    """
    fields = read_released_config(folder)
    if fields.get("model_type") != "codet5p":
        raise CheckpointError(f"{folder} holds a model of type {fields.get('model_type')!r}, expected 'codet5p'")
    tensors = read_released_tensors(folder)
    stacks = {side: _stack_config_from(fields.get(side, {}), folder) for side in ("encoder", "decoder")}
    crossing = {name.split(".")[3] for name in tensors if ".crossattention." in name}
    config = CodeGenT5pConfig(**stacks, num_cross_attention_layers=max(1, len(crossing)))
    released = _unfused({name: t for name, t in tensors.items() if name.startswith("encoder.")}, config.encoder)
    released |= _unfused({name: t for name, t in tensors.items() if not name.startswith("encoder.")}, config.decoder)
    with torch.device("meta"):
        model = CodeGenT5pModel(config)
    table = _names("encoder.", "decoder.transformer.", "decoder.lm_head.")
    table |= {f"encoder_projection.{kind}": f"enc_to_dec_proj.{kind}" for kind in ("weight", "bias")}
    try:
        assign_weights(model, under_our_names(model.state_dict(), table, released))
    except CheckpointError as error:
        raise CheckpointError(f"{folder}: {error}") from None
    freeze_decoder(model)
    return model.eval()


def split_slices(fused_OD: Tensor, num_parts: int) -> list[Tensor]:
    """Return the projections that a fused one holds: it is cut in four, and each quarter holds a quarter of each.

    Args:
        fused_OD: The fused weight, O = num_parts * D.
        num_parts: How many projections were fused.

    Returns:
        The projections, each [D, D], in the order they have within a slice.
    """
    width = fused_OD.size(1)
    slices_NPXD = fused_OD.reshape(_NUM_SLICES, num_parts, -1, width)
    return [slices_NPXD[:, part].reshape(-1, width) for part in range(num_parts)]


def _unfused(released: Mapping[str, Tensor], config: CodeGenStackConfig) -> dict[str, Tensor]:
    """Return one stack's tensors with whole projections, their rotary coordinates as halves, and without buffers."""
    whole: dict[str, Tensor] = {}
    for name, tensor in released.items():
        if name.endswith(_BUFFERS):
            continue
        fused = next((ending for ending in _FUSED if name.endswith(f".{ending}")), None)
        if fused is None:
            whole[name] = tensor
            continue
        parts = _FUSED[fused]
        for part, weight in zip(parts, split_slices(tensor, len(parts)), strict=True):
            is_rotated = not part.endswith("value.weight")
            whole[name.removesuffix(fused) + part] = (
                halves_from_interleaved(weight, head_dim=config.head_dim, rotary_dim=config.rotary_dim)
                if is_rotated
                else weight.contiguous()
            )
    return whole


def _codegen_stack(folder: Path, config: CodeGenStackConfig, side: str) -> dict[str, Tensor]:
    """Return a CodeGen model's tensors, whole, named as one side of our composition."""
    released = _unfused(read_released_tensors(folder), config)
    return {
        name if name.startswith("lm_head.") else f"{side}.{name.removeprefix('transformer.')}": tensor
        for name, tensor in released.items()
    }


def _names(encoder_prefix: str, decoder_prefix: str, head_prefix: str) -> dict[str, str]:
    table = {f"encoder.{ours}": f"{encoder_prefix}{theirs}" for ours, theirs in _STACK_NAMES.items()}
    table |= {f"decoder.{ours}": f"{decoder_prefix}{theirs}" for ours, theirs in _STACK_NAMES.items()}
    return table | {f"lm_head.{kind}": f"{head_prefix}{kind}" for kind in ("weight", "bias")}


def _stack_config(folder: Path) -> CodeGenStackConfig:
    fields = read_released_config(folder)
    if fields.get("model_type") != "codegen":
        raise CheckpointError(f"{folder} holds a model of type {fields.get('model_type')!r}, expected 'codegen'")
    return _stack_config_from(fields, folder)


def _stack_config_from(fields: Mapping[str, Any], folder: Path) -> CodeGenStackConfig:
    try:
        return CodeGenStackConfig(
            vocab_size=fields["vocab_size"],
            width=fields["n_embd"],
            num_layers=fields["n_layer"],
            num_heads=fields["n_head"],
            rotary_dim=fields["rotary_dim"],
            feed_forward_width=fields.get("n_inner") or 4 * fields["n_embd"],
            norm_epsilon=fields["layer_norm_epsilon"],
        )
    except KeyError as error:
        raise CheckpointError(f"{folder / 'config.json'} has no {error}; download the model again") from None
    except ValueError as error:
        raise CheckpointError(f"{folder / 'config.json'} describes no model: {error}; download it again") from None


def _draw(name: str, weight: Tensor, generator: torch.Generator | None) -> Tensor:
    if name.endswith((".bias", "cross_attention.output.weight")):
        return torch.zeros(weight.shape)
    return torch.randn(weight.shape, generator=generator) * float(weight.size(1) ** -0.5)
