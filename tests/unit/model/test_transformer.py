"""The whole model: names, masks, packing, cache, heads. Parity with T5 and Llama is tested where they are imported."""

from dataclasses import replace

import pytest
import torch
from tiny_models import EMBEDDING, SHALLOW_DEEP, T5, random_ids, random_model

from codet5p.model.cache import KeyValueCache
from codet5p.model.config import CodeT5pConfig
from codet5p.model.transformer import CodeT5pModel

both_families = pytest.mark.parametrize("config", [SHALLOW_DEEP, T5], ids=["shallow-deep", "t5"])

ATTENTION = {"query.weight", "key.weight", "value.weight", "output.weight"}


def layer_names(prefix: str, sublayers: dict[str, set[str]]) -> set[str]:
    norms = {f"{prefix}.{sublayer}_norm.weight" for sublayer in sublayers}
    return norms | {f"{prefix}.{sublayer}.{weight}" for sublayer, weights in sublayers.items() for weight in weights}


def test_names_of_a_shallow_deep_model_are_the_agreed_ones() -> None:
    feed_forward = {"input.weight", "gate.weight", "output.weight"}
    plain = {"self_attention": ATTENTION, "feed_forward": feed_forward}
    crossing = plain | {"cross_attention": ATTENTION}
    expected = {
        "token_embedding.weight",
        "encoder.final_norm.weight",
        "decoder.final_norm.weight",
        "text_code_projection.weight",
        "text_code_projection.bias",
        "matching_head.weight",
        "matching_head.bias",
    }
    expected |= layer_names("encoder.layers.0", plain) | layer_names("encoder.layers.1", plain)
    expected |= layer_names("decoder.layers.0", crossing) | layer_names("decoder.layers.2", crossing)
    expected |= layer_names("decoder.layers.1", plain)
    assert set(CodeT5pModel(SHALLOW_DEEP).state_dict()) == expected


def test_a_t5_model_has_one_bias_table_on_each_side_and_no_gate() -> None:
    weights = CodeT5pModel(replace(T5, tie_head=False)).state_dict()
    assert {name for name in weights if "relative_bias" in name} == {
        "encoder.relative_bias.weight",
        "decoder.relative_bias.weight",
    }
    assert weights["encoder.relative_bias.weight"].shape == (8, 4)
    assert weights["lm_head.weight"].shape == (61, 24)
    assert not any("gate" in name for name in weights)


def test_linear_weights_are_stored_output_first() -> None:
    weights = CodeT5pModel(SHALLOW_DEEP).state_dict()
    assert weights["decoder.layers.0.self_attention.key.weight"].shape == (12, 24)
    assert weights["decoder.layers.0.feed_forward.output.weight"].shape == (24, 40)
    assert weights["text_code_projection.weight"].shape == (8, 24)
    assert weights["matching_head.weight"].shape == (2, 24)


@both_families
def test_padding_of_the_source_changes_nothing(config: CodeT5pConfig) -> None:
    model = random_model(config)
    source_BS, target_BT = random_ids(2, 5), random_ids(2, 7, seed=1)
    mask_BS = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    logits_BTV = model(source_BS, target_BT, mask_BS)
    torch.testing.assert_close(logits_BTV[:1], model(source_BS[:1], target_BT[:1]))
    torch.testing.assert_close(logits_BTV[1:], model(source_BS[1:, :3], target_BT[1:]))


@both_families
def test_a_target_token_does_not_see_those_behind_it(config: CodeT5pConfig) -> None:
    model = random_model(config)
    source_BS, target_BT = random_ids(1, 5), random_ids(1, 7, seed=1)
    changed_BT = target_BT.clone()
    changed_BT[0, 4] = (changed_BT[0, 4] + 1) % config.vocab_size
    before_BTV, after_BTV = model(source_BS, target_BT), model(source_BS, changed_BT)
    torch.testing.assert_close(before_BTV[:, :4], after_BTV[:, :4])
    assert not torch.allclose(before_BTV[:, 4:], after_BTV[:, 4:])


@both_families
def test_packed_documents_are_computed_as_if_alone(config: CodeT5pConfig) -> None:
    model = random_model(config)
    sources = [random_ids(1, length, seed=length) for length in (3, 4)]
    targets = [random_ids(1, length, seed=length) for length in (6, 5)]
    packed_BTV = model(
        torch.cat(sources, dim=1),
        torch.cat(targets, dim=1),
        source_documents_BS=torch.tensor([[0] * 3 + [1] * 4]),
        target_documents_BT=torch.tensor([[0] * 6 + [1] * 5]),
    )
    alone_BTV = torch.cat([model(source, target) for source, target in zip(sources, targets, strict=True)], dim=1)
    torch.testing.assert_close(packed_BTV, alone_BTV)


def test_a_document_without_a_source_of_its_own_stays_finite_forwards_and_backwards() -> None:
    model = random_model(SHALLOW_DEEP)
    logits_BTV = model(
        random_ids(1, 3),
        random_ids(1, 6),
        source_documents_BS=torch.tensor([[0, 0, 0]]),
        target_documents_BT=torch.tensor([[0, 0, 0, 7, 7, 7]]),
    )
    logits_BTV.square().sum().backward()
    assert logits_BTV.isfinite().all()
    assert all(weight.grad.isfinite().all() for weight in model.parameters() if weight.grad is not None)


@both_families
@pytest.mark.parametrize("pieces", [[1] * 7, [3, 1, 3], [4, 3]], ids=str)
def test_decoding_in_pieces_with_a_cache_equals_decoding_at_once(config: CodeT5pConfig, pieces: list[int]) -> None:
    model = random_model(config)
    target_BT, mask_BS = random_ids(2, 7, seed=1), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    states_BSD = model.encode(random_ids(2, 5), mask_BS)
    cache = KeyValueCache(config.num_decoder_layers)
    hidden = [model.decode(piece, states_BSD, mask_BS, cache=cache) for piece in target_BT.split(pieces, dim=1)]
    torch.testing.assert_close(torch.cat(hidden, dim=1), model.decode(target_BT, states_BSD, mask_BS))
    assert cache.num_tokens == 7


def test_without_states_the_decoder_is_a_plain_language_model() -> None:
    model = random_model(SHALLOW_DEEP)
    decoder_only = CodeT5pModel(replace(SHALLOW_DEEP, num_encoder_layers=0, cross_attention_layers=())).eval()
    decoder_only.load_state_dict({name: model.state_dict()[name] for name in decoder_only.state_dict()})
    target_BT = random_ids(2, 7)
    torch.testing.assert_close(decoder_only.decode(target_BT), model.decode(target_BT))


def test_embeddings_are_the_projected_first_state_of_length_one() -> None:
    model = random_model(SHALLOW_DEEP)
    states_BSD = model.encode(random_ids(3, 5))
    embeddings_BE = model.embed(states_BSD)
    projected_BE = states_BSD[:, 0] @ model.text_code_projection.weight.T + model.text_code_projection.bias
    torch.testing.assert_close(embeddings_BE, projected_BE / projected_BE.norm(dim=1, keepdim=True))


def test_averaged_embeddings_do_not_see_padding() -> None:
    model, ids_BS = random_model(EMBEDDING), random_ids(2, 5)
    mask_BS = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    together = model.embed(model.encode(ids_BS, mask_BS), mask_BS)
    alone = model.embed(model.encode(ids_BS[1:, :3]))
    torch.testing.assert_close(together[1:], alone)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(2))


def test_learned_positions_start_anew_with_each_packed_document() -> None:
    model, ids_BS = random_model(EMBEDDING), random_ids(1, 7)
    packed = model.encode(ids_BS, source_documents_BS=torch.tensor([[0, 0, 0, 1, 1, 1, 1]]))
    apart = torch.cat([model.encode(ids_BS[:, :3]), model.encode(ids_BS[:, 3:])], dim=1)
    torch.testing.assert_close(packed, apart)
    assert (packed - model.encode(ids_BS)).abs().max() > 0.01


def test_more_tokens_than_positions_are_refused() -> None:
    model = random_model(EMBEDDING)
    assert model.encode(random_ids(1, 16)).shape == (1, 16, 24)
    with pytest.raises(ValueError, match="17 tokens are more than the model's 16 positions"):
        model.encode(random_ids(1, 17))


def test_the_matching_head_has_two_classes() -> None:
    model = random_model(SHALLOW_DEEP)
    hidden_BD = torch.ones(3, 24)
    expected_B2 = model.matching_head.weight.sum(dim=1).expand(3, 2)
    torch.testing.assert_close(model.match_logits(hidden_BD), expected_B2)


def test_a_scaled_head_divides_by_the_square_root_of_the_width() -> None:
    scaled, plain = random_model(T5), CodeT5pModel(replace(T5, scale_head=False))
    plain.load_state_dict(scaled.state_dict())
    hidden_BTD = torch.randn(1, 2, 24, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(scaled.logits(hidden_BTD) * 24**0.5, plain.logits(hidden_BTD))


def test_a_missing_side_is_refused_by_name() -> None:
    decoder_only = CodeT5pModel(replace(SHALLOW_DEEP, num_encoder_layers=0, cross_attention_layers=()))
    encoder_only = CodeT5pModel(replace(SHALLOW_DEEP, num_decoder_layers=0, cross_attention_layers=()))
    with pytest.raises(ValueError, match="no encoder: num_encoder_layers is 0"):
        decoder_only.encode(random_ids(1, 2))
    with pytest.raises(ValueError, match="no embeddings: num_encoder_layers is 0"):
        decoder_only.embed(torch.ones(1, 2, 24))
    with pytest.raises(ValueError, match="no decoder: num_decoder_layers is 0"):
        encoder_only.decode(random_ids(1, 2))
    with pytest.raises(ValueError, match="needs both an encoder and a decoder"):
        encoder_only.match_logits(torch.ones(1, 24))


def test_packed_documents_cannot_be_decoded_with_a_cache() -> None:
    model, cache = random_model(SHALLOW_DEEP), KeyValueCache(3)
    model.decode(random_ids(1, 2), cache=cache)
    with pytest.raises(ValueError, match="cannot be decoded step by step"):
        model.decode(random_ids(1, 2), cache=cache, target_documents_BT=torch.zeros(1, 2))


@both_families
def test_dropout_acts_in_training_only(config: CodeT5pConfig) -> None:
    model = random_model(replace(config, dropout=0.5))
    source_BS, target_BT = random_ids(1, 5), random_ids(1, 7)
    torch.testing.assert_close(model(source_BS, target_BT), random_model(config)(source_BS, target_BT))
    model.train()
    assert not torch.allclose(model(source_BS, target_BT), model(source_BS, target_BT))


@both_families
@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "packed"])
def test_the_model_compiles_without_a_graph_break(config: CodeT5pConfig, is_packed: bool) -> None:
    model = random_model(replace(config, num_encoder_layers=1, num_decoder_layers=1, cross_attention_layers=(0,)))
    source_BS, target_BT = random_ids(1, 5), random_ids(1, 7)
    documents = {}
    if is_packed:
        documents = {
            "source_documents_BS": torch.tensor([[0, 0, 0, 1, 1]]),
            "target_documents_BT": torch.tensor([[0, 0, 0, 0, 1, 1, 1]]),
        }
    torch.compiler.reset()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(source_BS, target_BT, **documents), model(source_BS, target_BT, **documents))


@both_families
def test_bfloat16_stays_close_to_float32(config: CodeT5pConfig) -> None:
    source_BS, target_BT = random_ids(1, 5), random_ids(1, 7)
    expected_BTV = random_model(config)(source_BS, target_BT)
    half_BTV = random_model(config).to(torch.bfloat16)(source_BS, target_BT)
    assert half_BTV.dtype == torch.bfloat16
    assert (half_BTV.float() - expected_BTV).abs().max() < 0.1 * expected_BTV.abs().max()
