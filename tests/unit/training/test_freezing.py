from dataclasses import replace

import pytest

from codet5p.model.config import laptop
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.config import StageRecipe
from codet5p.training.freezing import apply_freezing, is_trained
from codet5p.training.objective_module import ObjectiveModule
from codet5p.training.objectives.task_tokens import TaskTokens

TOKENS = TaskTokens(clm=50, cls=51, match=52, tdec=53, cdec=54, eos=55, sentinels=(56,))
HEADS = {"text_code_projection", "matching_head", "temperature"}


def trained_parts(objectives: list[str], frozen: tuple[str, ...] = ()) -> set[str]:
    shape = laptop(vocab_size=64, num_encoder_layers=1, num_decoder_layers=1)
    config = replace(shape, width=16, num_heads=2, num_key_value_heads=1, head_dim=8, feed_forward_width=24)
    module = ObjectiveModule(CodeT5pModel(config), TOKENS, temperature=0.1)
    stage = StageRecipe(name="s", steps=1, objectives=dict.fromkeys(objectives, 1.0), frozen=frozen)  # type: ignore[arg-type]
    count = apply_freezing(module, stage)
    trained = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
    assert count == sum(parameter.numel() for parameter in trained.values())
    parts = set()
    for name in trained:
        part = name.removeprefix("model.").split(".")[0]
        parts.add("cross_attention" if "cross_attention" in name else part)
    return parts


@pytest.mark.parametrize(
    ("objectives", "heads"),
    [
        (["span_denoising"], set()),
        (["matching"], {"matching_head"}),
        (["contrastive", "code_to_text"], {"text_code_projection", "temperature"}),
    ],
)
def test_heads_train_only_with_an_objective_that_reads_them(objectives: list[str], heads: set[str]) -> None:
    assert trained_parts(objectives) & HEADS == heads


def test_contrastive_alone_leaves_the_decoder_out() -> None:
    assert trained_parts(["contrastive"]) == {"token_embedding", "encoder", "text_code_projection", "temperature"}


def test_what_asks_a_single_state_is_not_trained() -> None:
    asking = {"cross_attention_norm", "cross_attention.query", "cross_attention.key"}

    def trains(part: str, stage: StageRecipe) -> bool:
        return is_trained(f"model.decoder.layers.0.{part}.weight", stage)

    alone = StageRecipe(name="s", steps=1, objectives={"decoder_only_causal_lm": 1.0})
    assert [part for part in asking if trains(part, alone)] == []
    assert trains("cross_attention.value", alone)
    packed = replace(alone, code=replace(alone.code, separate_documents=True))
    mixed = replace(alone, objectives={"decoder_only_causal_lm": 1.0, "span_denoising": 1.0})
    for stage in (packed, mixed):
        assert all(trains(part, stage) for part in asking)


def test_frozen_parts_stay() -> None:
    parts = trained_parts(["decoder_only_causal_lm"], ("encoder", "cross_attention"))
    assert parts == {"token_embedding", "decoder"}


def test_all_but_cross_attention_can_be_frozen_in_the_decoder() -> None:
    parts = trained_parts(["span_denoising"], ("embedding", "decoder_except_cross_attention"))
    assert parts == {"encoder", "cross_attention"}
