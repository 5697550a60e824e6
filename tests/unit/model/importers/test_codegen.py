"""CodeGen models of transformers, alone and composed, against ours."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tiny_codegen import random_codegen, random_released_weights, reference_logits
from torch import Tensor
from transformers import CodeGenForCausalLM

from codet5p.core.errors import CheckpointError
from codet5p.model.importers.codegen import compose_codegen, import_codet5p_codegen, split_slices


@pytest.fixture(scope="module")
def encoder() -> CodeGenForCausalLM:
    return random_codegen(width=24, num_layers=2, seed=1)


@pytest.fixture(scope="module")
def decoder() -> CodeGenForCausalLM:
    return random_codegen(width=32, num_layers=3, seed=2)


@pytest.fixture
def folders(encoder: CodeGenForCausalLM, decoder: CodeGenForCausalLM, tmp_path: Path) -> tuple[Path, Path]:
    encoder.save_pretrained(tmp_path / "encoder")
    decoder.save_pretrained(tmp_path / "decoder")
    return tmp_path / "encoder", tmp_path / "decoder"


def random_inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    source_BS = torch.randint(61, (3, 9), generator=generator)
    return source_BS, torch.arange(9) < torch.tensor([[9], [5], [1]]), torch.randint(61, (3, 11), generator=generator)


def stack_fields(model: CodeGenForCausalLM) -> dict[str, Any]:
    names = ("vocab_size", "n_embd", "n_layer", "n_head", "rotary_dim", "layer_norm_epsilon", "n_inner")
    return {name: getattr(model.config, name) for name in names}


def write_release(
    folder: Path, encoder: CodeGenForCausalLM, decoder: CodeGenForCausalLM, weights: dict[str, Tensor]
) -> Path:
    config = {"model_type": "codet5p", "encoder": stack_fields(encoder), "decoder": stack_fields(decoder)}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    save_file({name: weight.clone() for name, weight in weights.items()}, folder / "model.safetensors")
    return folder


@torch.no_grad()
def test_the_composed_model_begins_as_the_codegen_decoder(
    folders: tuple[Path, Path], decoder: CodeGenForCausalLM
) -> None:
    model = compose_codegen(*folders)
    source_BS, mask_BS, target_BT = random_inputs()
    expected_BTV = decoder(input_ids=target_BT).logits
    torch.testing.assert_close(model(source_BS, target_BT, mask_BS), expected_BTV, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.logits(model.decode(target_BT)), expected_BTV, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_composed_encoder_is_codegen_without_its_causal_mask(
    folders: tuple[Path, Path], encoder: CodeGenForCausalLM
) -> None:
    model = compose_codegen(*folders)
    source_BS, _, _ = random_inputs()
    everything = torch.zeros(3, 1, 9, 9)
    states_BSW = encoder.transformer(input_ids=source_BS, attention_mask=everything).last_hidden_state
    expected_BSD = model.encoder_projection(states_BSW)
    torch.testing.assert_close(model.encode(source_BS), expected_BSD, rtol=1e-4, atol=1e-4)


def test_the_composition_trains_the_new_weights_and_the_encoder_alone(folders: tuple[Path, Path]) -> None:
    model = compose_codegen(*folders, num_cross_attention_layers=2, generator=torch.Generator().manual_seed(0))
    trainable = {name for name, weight in model.named_parameters() if weight.requires_grad}
    frozen = {name for name in model.state_dict() if name not in trainable}
    assert all(name.startswith("encoder") or ".cross_attention." in name for name in trainable)
    assert all(name.startswith(("decoder.", "lm_head.")) for name in frozen)
    assert {name.split(".")[2] for name in trainable if "cross_attention" in name} == {"1", "2"}
    source_BS, mask_BS, target_BT = random_inputs()
    model(source_BS, target_BT, mask_BS).square().sum().backward()
    crossing = model.decoder.layers[2].cross_attention
    assert crossing.output.weight.grad.abs().max() > 0
    assert model.lm_head.weight.grad is None


@torch.no_grad()
@pytest.mark.parametrize("crossing_layers", [[2], [1, 2]], ids=str)
def test_a_released_model_has_the_logits_of_its_definition(
    tmp_path: Path, encoder: CodeGenForCausalLM, decoder: CodeGenForCausalLM, crossing_layers: list[int]
) -> None:
    released = random_released_weights(encoder, decoder, crossing_layers)
    buffers = {f"decoder.transformer.h.{i}.attn.causal_mask": torch.ones(1, 1, 64, 64) for i in range(3)}
    model = import_codet5p_codegen(write_release(tmp_path, encoder, decoder, released | buffers))
    source_BS, mask_BS, target_BT = random_inputs()
    expected_BTV = reference_logits(encoder, decoder, released, source_BS, mask_BS, target_BT)
    without_source_BTV = decoder(input_ids=target_BT).logits
    torch.testing.assert_close(model(source_BS, target_BT, mask_BS), expected_BTV, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(expected_BTV, without_source_BTV, atol=0.1)


def test_each_slice_gives_its_share_to_every_projection() -> None:
    fused_OD = torch.arange(16.0).unsqueeze(1).expand(16, 8)
    first, second = split_slices(fused_OD, 2)
    assert first[:, 0].tolist() == [0, 1, 4, 5, 8, 9, 12, 13]
    assert second[:, 0].tolist() == [2, 3, 6, 7, 10, 11, 14, 15]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("enc_to_dec_proj.bias", r"1 missing \(encoder_projection.bias\)"),
        ("decoder.transformer.h.2.crossattention.q_attn.weight", "1 missing .*layers.2.cross_attention.query.weight"),
        ("encoder.h.0.attn.qkv_proj.weight", "3 missing .*encoder.layers.0.self_attention.query.weight"),
    ],
)
def test_a_release_without_a_weight_is_refused(
    tmp_path: Path, encoder: CodeGenForCausalLM, decoder: CodeGenForCausalLM, name: str, message: str
) -> None:
    released = random_released_weights(encoder, decoder, [2])
    del released[name]
    with pytest.raises(CheckpointError, match=message):
        import_codet5p_codegen(write_release(tmp_path, encoder, decoder, released))


def test_a_release_with_an_unknown_weight_is_refused(
    tmp_path: Path, encoder: CodeGenForCausalLM, decoder: CodeGenForCausalLM
) -> None:
    released = random_released_weights(encoder, decoder, [2]) | {"decoder.gate": torch.ones(1)}
    with pytest.raises(CheckpointError, match=r"have no place in the model \(decoder.gate\)"):
        import_codet5p_codegen(write_release(tmp_path, encoder, decoder, released))


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "t5"}', "utf-8")
    with pytest.raises(CheckpointError, match="holds a model of type 't5', expected 'codet5p'"):
        import_codet5p_codegen(tmp_path)
    with pytest.raises(CheckpointError, match="holds a model of type 't5', expected 'codegen'"):
        compose_codegen(tmp_path, tmp_path)


def test_a_configuration_that_no_model_can_have_is_refused(folders: tuple[Path, Path]) -> None:
    config = json.loads((folders[1] / "config.json").read_text("utf-8"))
    (folders[1] / "config.json").write_text(json.dumps(config | {"rotary_dim": 9}), "utf-8")
    with pytest.raises(CheckpointError, match="describes no model: rotary_dim must be even and at most 8, got 9"):
        compose_codegen(*folders)


def test_a_configuration_without_a_field_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "codegen", "vocab_size": 61}', "utf-8")
    with pytest.raises(CheckpointError, match="has no 'n_embd'"):
        compose_codegen(tmp_path, tmp_path)
