"""Released folders are imitated by random models of transformers, saved in exactly the released layout."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import T5Config, T5EncoderModel, T5ForConditionalGeneration

from codet5p.core.errors import CheckpointError
from codet5p.model.importers.salesforce_t5 import import_salesforce_t5, salesforce_t5_config

T5_FIELDS = {
    "vocab_size": 61,
    "d_model": 24,
    "d_kv": 6,
    "d_ff": 40,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "num_heads": 4,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 16,
    "dropout_rate": 0.1,
    "layer_norm_epsilon": 1e-6,
    "feed_forward_proj": "relu",
}

# `config.json` of the released 220m, where it matters.
RELEASED_220M = {
    "model_type": "t5",
    "d_ff": 3072,
    "d_kv": 64,
    "d_model": 768,
    "dropout_rate": 0.1,
    "layer_norm_epsilon": 1e-06,
    "num_decoder_layers": 12,
    "num_heads": 12,
    "num_layers": 12,
    "relative_attention_num_buckets": 32,
    "vocab_size": 32100,
}


def random_reference(seed: int = 0) -> T5ForConditionalGeneration:
    torch.manual_seed(seed)
    model = T5ForConditionalGeneration(T5Config(**T5_FIELDS, tie_word_embeddings=True)).eval()
    for weight in model.parameters():  # T5's own initial biases and norms are too tame to reveal a mix-up
        torch.nn.init.normal_(weight, std=0.3)
    return model


def random_heads() -> dict[str, Tensor]:
    shapes = {"proj.weight": (8, 24), "proj.bias": (8,), "itm_head.weight": (2, 24), "itm_head.bias": (2,)}
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def write_folder(folder: Path, model_type: str, weights: dict[str, Tensor], **fields: Any) -> Path:
    config = {"model_type": model_type, **T5_FIELDS, **fields}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    save_file({name: tensor.clone() for name, tensor in weights.items()}, folder / "model.safetensors")
    return folder


def reference_weights(reference: T5ForConditionalGeneration | T5EncoderModel) -> dict[str, Tensor]:
    aliases = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"}
    return {name: tensor for name, tensor in reference.state_dict().items() if name not in aliases}


def assert_same_logits(reference: T5ForConditionalGeneration, folder: Path) -> None:
    source_BS, target_BT = torch.randint(61, (3, 21)), torch.randint(61, (3, 23))
    mask_BS = torch.arange(21) < torch.tensor([[21], [13], [1]])
    expected = reference(input_ids=source_BS, attention_mask=mask_BS.long(), decoder_input_ids=target_BT).logits
    torch.testing.assert_close(
        import_salesforce_t5(folder)(source_BS, target_BT, mask_BS), expected, rtol=1e-4, atol=1e-4
    )


@torch.no_grad()
def test_logits_are_those_of_transformers(tmp_path: Path) -> None:
    reference = random_reference()
    assert_same_logits(reference, write_folder(tmp_path, "t5", reference_weights(reference)))


@torch.no_grad()
def test_a_folder_saved_by_transformers_reads_the_same(tmp_path: Path) -> None:
    reference = random_reference()
    reference.save_pretrained(tmp_path)
    assert_same_logits(reference, tmp_path)


@torch.no_grad()
def test_a_torch_file_with_aliases_and_half_precision_reads_the_same(tmp_path: Path) -> None:
    reference = random_reference().half().float()
    write_folder(tmp_path, "t5", {})
    (tmp_path / "model.safetensors").unlink()
    leftover = {"decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight": torch.zeros(8, 4)}
    torch.save(reference.half().state_dict() | leftover, tmp_path / "pytorch_model.bin")
    assert_same_logits(reference.float(), tmp_path)


@torch.no_grad()
def test_a_model_in_pieces_reads_the_same(tmp_path: Path) -> None:
    reference = random_reference()
    weights = write_folder(tmp_path, "t5", {}) and reference_weights(reference)
    (tmp_path / "model.safetensors").unlink()
    index = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(weights)}
    for piece in set(index.values()):
        save_file({name: weights[name].clone() for name in weights if index[name] == piece}, tmp_path / piece)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}), "utf-8")
    assert_same_logits(reference, tmp_path)


@torch.no_grad()
def test_the_bimodal_model_brings_both_heads(tmp_path: Path) -> None:
    reference, heads = random_reference(), random_heads()
    folder = write_folder(tmp_path, "codet5p_bimodal", reference_weights(reference) | heads, embed_dim=8)
    model, ids = import_salesforce_t5(folder), torch.randint(61, (2, 9))
    states = reference.encoder(input_ids=ids).last_hidden_state
    expected = torch.nn.functional.normalize(states[:, 0] @ heads["proj.weight"].T + heads["proj.bias"], dim=-1)
    torch.testing.assert_close(model.embed(model.encode(ids)), expected, rtol=1e-4, atol=1e-4)
    hidden = reference.decoder(input_ids=ids, encoder_hidden_states=states).last_hidden_state[:, -1]
    expected = hidden @ heads["itm_head.weight"].T + heads["itm_head.bias"]
    ours = model.match_logits(model.decode(ids, model.encode(ids))[:, -1])
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_embedding_model_is_an_encoder_with_its_projection(tmp_path: Path) -> None:
    torch.manual_seed(0)
    reference = T5EncoderModel(T5Config(**T5_FIELDS)).eval()
    heads = {name: head for name, head in random_heads().items() if name.startswith("proj")}
    folder = write_folder(tmp_path, "codet5p_embedding", reference_weights(reference) | heads, embed_dim=8)
    model, ids = import_salesforce_t5(folder), torch.randint(61, (2, 9))
    states = reference(input_ids=ids).last_hidden_state
    expected = torch.nn.functional.normalize(states[:, 0] @ heads["proj.weight"].T + heads["proj.bias"], dim=-1)
    torch.testing.assert_close(model.embed(model.encode(ids)), expected, rtol=1e-4, atol=1e-4)
    assert model.decoder is None


def test_the_released_configuration_is_the_220m_preset_with_220m_parameters() -> None:
    from codet5p.model.config import t5_220m
    from codet5p.model.transformer import CodeT5pModel

    config = salesforce_t5_config(RELEASED_220M)
    assert config == t5_220m()
    with torch.device("meta"):
        model = CodeT5pModel(config)
    heads = sum(
        weight.numel() for name, weight in model.named_parameters() if "projection" in name or "matching" in name
    )
    assert sum(weight.numel() for weight in model.parameters()) - heads == 222_882_048


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("encoder.final_layer_norm.weight"), r"1 missing \(encoder.final_norm.weight\)"),
        (lambda w: w.update({"decoder.extra": torch.ones(1)}), r"1 released weights have no place .*decoder.extra"),
        (
            lambda w: w.update({"shared.weight": torch.ones(60, 24)}),
            r"token_embedding.weight is \[60, 24\] and not \[61, 24\]",
        ),
        (lambda w: w.update({"lm_head.weight": torch.ones(61, 24)}), "lm_head.weight differs from shared.weight"),
        (lambda w: w.pop("shared.weight"), r"1 missing \(token_embedding.weight\)"),
    ],
    ids=["missing", "unknown", "misshapen", "second embedding", "no embedding"],
)
def test_a_difference_in_the_weights_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    weights = reference_weights(random_reference())
    change(weights)
    with pytest.raises(CheckpointError, match=message):
        import_salesforce_t5(write_folder(tmp_path, "t5", weights))


def test_a_bimodal_model_without_its_heads_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, "codet5p_bimodal", reference_weights(random_reference()), embed_dim=8)
    with pytest.raises(CheckpointError, match=r"4 missing \(text_code_projection.weight"):
        import_salesforce_t5(folder)


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="model_type is 'bert', but this importer reads codet5p_bimodal"):
        import_salesforce_t5(write_folder(tmp_path, "bert", {}))


def test_a_configuration_that_no_model_can_have_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"config.json describes no model: relative_buckets must be even"):
        salesforce_t5_config(RELEASED_220M | {"relative_attention_num_buckets": 31})


def test_a_configuration_without_a_field_is_refused() -> None:
    fields = {name: value for name, value in RELEASED_220M.items() if name != "d_kv"}
    with pytest.raises(CheckpointError, match=r"config.json has no 'd_kv'"):
        salesforce_t5_config(fields)
