import pytest
import torch

from codet5p.model.config import CodeT5pConfig, embedding, laptop, t5_220m, t5_770m
from codet5p.model.transformer import CodeT5pModel


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (t5_220m(), 222_882_048),
        (t5_770m(), 737_639_424),
        (laptop(vocab_size=49_152, num_encoder_layers=0, num_decoder_layers=30), 134_515_008),
        (embedding(), 22_713_216 - 384 * 385 - 2 * 384),  # all-MiniLM-L6-v2 without pooler and token types
    ],
    ids=["t5-220m", "t5-770m", "SmolLM2-135M", "MiniLM-L6"],
)
def test_presets_have_the_published_number_of_parameters(config: CodeT5pConfig, expected: int) -> None:
    with torch.device("meta"):
        model = CodeT5pModel(config)
    heads = ("text_code_projection", "matching_head")
    ours = sum(weight.numel() for name, weight in model.named_parameters() if not name.startswith(heads))
    assert ours == expected


def test_every_decoder_layer_of_the_laptop_preset_listens_where_there_is_an_encoder() -> None:
    assert laptop(num_decoder_layers=3).cross_attention_layers == (0, 1, 2)
    assert laptop(num_decoder_layers=3, num_encoder_layers=0).cross_attention_layers == ()
    assert laptop(num_decoder_layers=3, cross_attention_layers=(2,)).cross_attention_layers == (2,)
