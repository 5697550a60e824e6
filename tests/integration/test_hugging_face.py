"""What transformers and sentence-transformers load by their own classes computes what our model computes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from exported_models import decided_model
from fakes import small_tokenizer
from sentence_transformers import SentenceTransformer
from small_artifact import SMALL, SMALL_DECODER, SMALL_T5
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from codet5p.core.encoder_inputs import opened_source
from codet5p.core.errors import CheckpointError
from codet5p.core.model_config import CodeT5pConfig
from codet5p.core.special_tokens import CLM
from codet5p.export.hugging_face import write_hugging_face
from codet5p.export.sentence_transformers import write_sentence_transformers
from codet5p.model.checkpoint import save_checkpoint
from codet5p.model.transformer import CodeT5pModel

TOKENIZER = small_tokenizer()
TEXTS = ["return self.value", "def value():\n\treturn 7\n", "[CLS] is only text here, and ä", "long " * 60]


def saved(config: CodeT5pConfig, folder: Path) -> CodeT5pModel:
    model = decided_model(config)
    save_checkpoint(folder, model, tokenizer_json=TOKENIZER._tokenizer.to_str(), extra={})
    return model


@pytest.mark.parametrize("config", [SMALL, SMALL_T5], ids=["shallow-deep", "t5"])
def test_sentence_transformers_gives_the_same_vectors(config: CodeT5pConfig, tmp_path: Path) -> None:
    model = saved(config, tmp_path / "checkpoint")
    write_sentence_transformers(tmp_path / "checkpoint", tmp_path / "folder", max_tokens=40)
    found = SentenceTransformer(str(tmp_path / "folder"), device="cpu").encode(TEXTS)
    with torch.inference_mode():
        sources = [torch.tensor([opened_source(TOKENIZER, text, 40)]) for text in TEXTS]
        expected = np.concatenate([model.embed(model.encode(source)).numpy() for source in sources])
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(
    "config",
    [SMALL, replace(SMALL, tie_head=False), SMALL_DECODER],
    ids=["folded", "folded, own head", "decoder alone"],
)
def test_the_decoder_with_the_folded_encoder_is_a_llama(config: CodeT5pConfig, tmp_path: Path) -> None:
    model = saved(config, tmp_path / "checkpoint")
    assert write_hugging_face(tmp_path / "checkpoint", tmp_path / "folder") == "LlamaForCausalLM"
    llama = AutoModelForCausalLM.from_pretrained(tmp_path / "folder")
    ids = torch.tensor([TOKENIZER.encode(TEXTS[1])])
    with torch.inference_mode():
        states = model.encode(torch.tensor([[TOKENIZER.token_id(CLM)]])) if config.num_encoder_layers else None
        expected = model.logits(model.decode(ids, states))
        torch.testing.assert_close(llama(ids).logits, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "config", [SMALL_T5, replace(SMALL_T5, tie_head=False, scale_head=False)], ids=["tied", "own head"]
)
def test_the_t5_family_is_a_t5(config: CodeT5pConfig, tmp_path: Path) -> None:
    model = saved(config, tmp_path / "checkpoint")
    assert write_hugging_face(tmp_path / "checkpoint", tmp_path / "folder") == "T5ForConditionalGeneration"
    t5 = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "folder")
    source = torch.tensor([opened_source(TOKENIZER, TEXTS[1], 40)])
    target = torch.tensor([TOKENIZER.encode(TEXTS[0])])
    with torch.inference_mode():
        found = t5(input_ids=source, decoder_input_ids=target).logits
        torch.testing.assert_close(found, model(source, target), atol=1e-4, rtol=0)


def test_the_tokenizer_reads_text_as_ours_does(tmp_path: Path) -> None:
    saved(SMALL_T5, tmp_path / "checkpoint")
    write_hugging_face(tmp_path / "checkpoint", tmp_path / "folder")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "folder")
    for text in TEXTS:
        assert tokenizer(text).input_ids == opened_source(TOKENIZER, text, 1000)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (replace(SMALL_T5, cross_attention_layers=(0,)), "cross-attention in every decoder layer"),
        (replace(SMALL_T5, activation="swiglu"), "nor SwiGLU"),
        (replace(SMALL_T5, tie_head=False), "where the head is tied, and only there"),
        (replace(SMALL, scale_head=True), "an unscaled head"),
        (replace(SMALL, num_decoder_layers=0, cross_attention_layers=()), "as a sentence-transformers folder"),
    ],
)
def test_what_no_class_of_transformers_computes_is_refused(config: CodeT5pConfig, reason: str, tmp_path: Path) -> None:
    saved(config, tmp_path / "checkpoint")
    with pytest.raises(CheckpointError, match=reason):
        write_hugging_face(tmp_path / "checkpoint", tmp_path / "folder")


def test_a_checkpoint_without_an_encoder_has_no_vectors(tmp_path: Path) -> None:
    saved(SMALL_DECODER, tmp_path / "checkpoint")
    with pytest.raises(CheckpointError, match="embeddings need an encoder, and this checkpoint has none"):
        write_sentence_transformers(tmp_path / "checkpoint", tmp_path / "folder")
