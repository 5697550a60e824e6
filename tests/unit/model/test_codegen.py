"""The model itself; that its numbers are CodeGen's is tested with the importer."""

import pytest
import torch

from codet5p.model.cache import KeyValueCache
from codet5p.model.codegen import CodeGenStackConfig, CodeGenT5pConfig, CodeGenT5pModel, freeze_decoder
from codet5p.model.generation import SearchConfig, beam_search, greedy_search

CONFIG = CodeGenT5pConfig(
    encoder=CodeGenStackConfig(vocab_size=61, width=24, num_layers=2, num_heads=4, rotary_dim=4, feed_forward_width=40),
    decoder=CodeGenStackConfig(vocab_size=61, width=32, num_layers=3, num_heads=4, rotary_dim=6, feed_forward_width=48),
    num_cross_attention_layers=2,
)


@pytest.fixture
def model() -> CodeGenT5pModel:
    model = CodeGenT5pModel(CONFIG).eval()
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3, generator=generator)
    return model


def random_ids(rows: int, length: int) -> torch.Tensor:
    return torch.randint(61, (rows, length), generator=torch.Generator().manual_seed(length))


def test_only_the_encoder_its_projection_and_the_top_cross_attention_are_trainable(model: CodeGenT5pModel) -> None:
    freeze_decoder(model)
    trainable = {name for name, weight in model.named_parameters() if weight.requires_grad}
    projections = ("query", "key", "value", "output")
    crossing = {f"decoder.layers.{i}.cross_attention.{name}.weight" for i in (1, 2) for name in projections}
    encoder = {f"encoder.{name}" for name, _ in model.encoder.named_parameters()}
    assert trainable == encoder | crossing | {"encoder_projection.weight", "encoder_projection.bias"}


def test_a_training_step_with_half_precision_moves_the_trainable_weights_and_no_other(model: CodeGenT5pModel) -> None:
    freeze_decoder(model, torch.bfloat16)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=1.0)
    with torch.autocast("cpu", torch.bfloat16):
        logits_BTV = model(random_ids(2, 5), random_ids(2, 7))
    logits_BTV.float().square().sum().backward()
    optimizer.step()
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name]) != weight.requires_grad, name
        assert weight.dtype == (torch.float32 if weight.requires_grad else torch.bfloat16)


@pytest.mark.parametrize("pieces", [[1] * 7, [3, 1, 3]], ids=str)
def test_decoding_in_pieces_with_a_cache_equals_decoding_at_once(model: CodeGenT5pModel, pieces: list[int]) -> None:
    target_BT, mask_BS = random_ids(2, 7), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    states_BSD, cache = model.encode(random_ids(2, 5), mask_BS), KeyValueCache(CONFIG.num_decoder_layers)
    hidden = [model.decode(piece, states_BSD, mask_BS, cache=cache) for piece in target_BT.split(pieces, dim=1)]
    torch.testing.assert_close(torch.cat(hidden, dim=1), model.decode(target_BT, states_BSD, mask_BS))


def test_padding_of_the_source_changes_nothing(model: CodeGenT5pModel) -> None:
    mask_BS = torch.tensor([[True] * 3 + [False] * 2])
    padded_BTV = model(random_ids(1, 5), random_ids(1, 7), mask_BS)
    torch.testing.assert_close(padded_BTV, model(random_ids(1, 5)[:, :3], random_ids(1, 7)))


def test_searches_run_on_it(model: CodeGenT5pModel) -> None:
    config = SearchConfig(eos_id=2, max_new_tokens=6)
    greedy = greedy_search(model, random_ids(2, 3), config, source_ids_BS=random_ids(2, 5))
    beams = beam_search(model, random_ids(2, 3), config, source_ids_BS=random_ids(2, 5))
    assert [row[0].token_ids for row in beams] == greedy


def test_the_model_compiles_without_a_graph_break(model: CodeGenT5pModel) -> None:
    torch.compiler.reset()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    source_BS, target_BT = random_ids(1, 5), random_ids(1, 7)
    torch.testing.assert_close(compiled(source_BS, target_BT), model(source_BS, target_BT))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_heads": 5}, r"width \(24\) must be a multiple of num_heads \(5\)"),
        ({"rotary_dim": 3}, "rotary_dim must be even and at most 6, got 3"),
        ({"rotary_dim": 8}, "rotary_dim must be even and at most 6, got 8"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(changes: dict[str, int], message: str) -> None:
    sizes = {
        "vocab_size": 61,
        "width": 24,
        "num_layers": 2,
        "num_heads": 4,
        "rotary_dim": 4,
        "feed_forward_width": 40,
    }
    with pytest.raises(ValueError, match=message):
        CodeGenStackConfig(**(sizes | changes))


def test_more_cross_attention_than_layers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"num_cross_attention_layers must lie in 1\.\.3"):
        CodeGenT5pConfig(encoder=CONFIG.encoder, decoder=CONFIG.decoder, num_cross_attention_layers=4)
