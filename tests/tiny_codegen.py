"""Small random CodeGen models of transformers, and a CodeT5+ made of two of them in the released layout."""

import torch
from torch import Tensor
from transformers import CodeGenConfig, CodeGenForCausalLM
from transformers.models.codegen.modeling_codegen import apply_rotary_pos_emb

__all__ = ["random_codegen", "random_released_weights", "reference_logits"]

VOCAB_SIZE, NUM_HEADS, ROTARY_DIM = 61, 4, 4
ENCODER_WIDTH, DECODER_WIDTH = 24, 32


def random_codegen(width: int, num_layers: int, seed: int) -> CodeGenForCausalLM:
    """Return a CodeGen model whose every weight is random, in evaluation mode."""
    config = CodeGenConfig(
        vocab_size=VOCAB_SIZE,
        n_embd=width,
        n_layer=num_layers,
        n_head=NUM_HEADS,
        n_positions=64,
        n_ctx=64,
        rotary_dim=ROTARY_DIM,
        bos_token_id=1,
        eos_token_id=2,
        attn_implementation="eager",
    )
    model = CodeGenForCausalLM(config).eval()
    generator = torch.Generator().manual_seed(seed)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.2, generator=generator)
    return model


def random_released_weights(
    encoder: CodeGenForCausalLM, decoder: CodeGenForCausalLM, crossing_layers: list[int]
) -> dict[str, Tensor]:
    """Return weights named and fused as in the released 2B model."""
    generator = torch.Generator().manual_seed(3)
    released = {
        f"encoder.{name.removeprefix('transformer.')}": weight
        for name, weight in encoder.state_dict().items()
        if not name.startswith("lm_head")
    }
    released |= {f"decoder.{name}": weight for name, weight in decoder.state_dict().items()}
    new = {"enc_to_dec_proj.weight": (DECODER_WIDTH, ENCODER_WIDTH), "enc_to_dec_proj.bias": (DECODER_WIDTH,)}
    for layer in crossing_layers:
        prefix = f"decoder.transformer.h.{layer}.crossattention"
        new[f"{prefix}.q_attn.weight"] = (DECODER_WIDTH, DECODER_WIDTH)
        new[f"{prefix}.qkv_proj.weight"] = (2 * DECODER_WIDTH, DECODER_WIDTH)
        new[f"{prefix}.out_proj.weight"] = (DECODER_WIDTH, DECODER_WIDTH)
    return released | {name: 0.2 * torch.randn(shape, generator=generator) for name, shape in new.items()}


def reference_logits(
    encoder: CodeGenForCausalLM,
    decoder: CodeGenForCausalLM,
    released: dict[str, Tensor],
    source_BS: Tensor,
    mask_BS: Tensor,
    target_BT: Tensor,
) -> Tensor:
    """Return the released model's logits, from transformers' layers and cross-attention written out."""
    hidden_mask_B11S = torch.zeros(mask_BS.shape).masked_fill(~mask_BS, -1e9)[:, None, None, :]
    everything_BHSS = hidden_mask_B11S.expand(-1, 1, source_BS.size(1), -1)
    states_BSW = encoder.transformer(input_ids=source_BS, attention_mask=everything_BHSS).last_hidden_state
    states_BSD = states_BSW @ released["enc_to_dec_proj.weight"].T + released["enc_to_dec_proj.bias"]
    length = target_BT.size(1)
    causal_TT = torch.full((length, length), -1e9).triu(1)[None, None]
    positions_1T = torch.arange(length)[None]
    hidden_BTD = decoder.transformer.wte(target_BT)
    for layer, block in enumerate(decoder.transformer.h):
        normed_BTD = block.ln_1(hidden_BTD)
        hidden_BTD = block(hidden_BTD, attention_mask=causal_TT, position_ids=positions_1T)[0]
        prefix = f"decoder.transformer.h.{layer}.crossattention"
        if f"{prefix}.q_attn.weight" in released:
            weights = [released[f"{prefix}.{name}.weight"] for name in ("q_attn", "qkv_proj", "out_proj")]
            hidden_BTD = hidden_BTD + _cross_attention(normed_BTD, states_BSD, hidden_mask_B11S, weights)
    return decoder.lm_head(decoder.transformer.ln_f(hidden_BTD))


def _cross_attention(normed_BTD: Tensor, states_BSD: Tensor, hidden_mask_B11S: Tensor, weights: list[Tensor]) -> Tensor:
    query_weight, fused_weight, output_weight = weights
    slices_BSNX = (states_BSD @ fused_weight.T).unflatten(-1, (4, -1))
    values_BSD, keys_BSD = (part.flatten(2) for part in slices_BSNX.chunk(2, dim=-1))
    queries, keys, values = (
        projected.unflatten(-1, (NUM_HEADS, -1)) for projected in (normed_BTD @ query_weight.T, keys_BSD, values_BSD)
    )
    queries, keys = (_rotate(heads) for heads in (queries, keys))
    scores = torch.einsum("bthc,bshc->bhts", queries, keys) / queries.size(-1) ** 0.5 + hidden_mask_B11S
    gathered = torch.einsum("bhts,bshc->bthc", scores.softmax(dim=-1), values)
    return gathered.flatten(2) @ output_weight.T


def _rotate(heads_BTHC: Tensor) -> Tensor:
    frequencies_R = 10_000.0 ** (-torch.arange(0, ROTARY_DIM, 2) / ROTARY_DIM)
    angles_1TR = (torch.arange(heads_BTHC.size(1))[:, None] * frequencies_R)[None]
    turned = apply_rotary_pos_emb(heads_BTHC[..., :ROTARY_DIM], angles_1TR.sin(), angles_1TR.cos())
    return torch.cat((turned, heads_BTHC[..., ROTARY_DIM:]), dim=-1)
