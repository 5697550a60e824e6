"""The exported encoder-decoder and encoder compute what the torch model computes, in both families."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import ctranslate2
import numpy as np
import pytest
import torch
from exported_models import decided_model, exported
from fakes import small_tokenizer
from numpy.typing import NDArray
from small_artifact import SMALL, SMALL_T5

from codet5p.cli.artifact_model import ArtifactModel
from codet5p.core.assembly import AssembledModels
from codet5p.core.ct2_layout import IS_MATCH, NO_MATCH
from codet5p.core.decoder_inputs import decoder_opening, judged_ids, opening_ids
from codet5p.core.encoder_inputs import filled_in, infilling_source, opened_source
from codet5p.core.errors import ArtifactError, EngineError
from codet5p.core.special_tokens import CDEC, CLS, EOS, TDEC, sentinel
from codet5p.lsp_server.engine.encoder_engine import EncoderEngine, EncoderLimits
from codet5p.lsp_server.engine.loading import load_encoder_engine, load_engine, load_sequence_engine
from codet5p.lsp_server.engine.sequence_engine import MatchLimits, SearchOptions, SequenceEngine
from codet5p.model.generation import SearchConfig, beam_search, greedy_search
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.evaluation.torch_model import TorchModel

TOKENIZER = small_tokenizer()
NAMES = TOKENIZER.tokens
EOS_ID = TOKENIZER.token_id(EOS)
NEW_TOKENS = 12
FAMILIES = {
    "shallow-deep, cross-attention in layers 0 and 2": SMALL,
    "shallow-deep, cross-attention in layer 3, own head": replace(SMALL, cross_attention_layers=(3,), tie_head=False),
    "t5": SMALL_T5,
    "t5, own head": replace(SMALL_T5, tie_head=False),
}
TEXTS = (
    "return self.value",
    "def value():\n    return 7\n",
    "",
    "Return what the caller asked for, or nothing at all where nobody asked; ä, and a tab\t too.",
)
INT8_COSINE = 0.97
"""Least cosine between int8 and float32 encoder states at position 0; 0.975 and 0.996 measured."""
INT8_SCORE_ERROR = 0.1
"""Mean absolute error of int8 scores, in standard deviations of the scores; 0.051 to 0.091 measured."""
INT8_MATCH_ERROR = 0.26
"""Mean absolute error of int8 log-odds of matching, in standard deviations; 0.044 to 0.224 measured."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A torch model and what export makes of it."""

    model: CodeT5pModel
    float32: AssembledModels
    int8: AssembledModels
    artifact: Path
    cache: Path


@pytest.fixture(scope="module", params=FAMILIES.values(), ids=FAMILIES.keys())
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    model = decided_model(request.param)
    modes = ("complete", "generate", "match", "embed")[request.param.position == "relative_bias" :]
    folder = tmp_path_factory.mktemp("modes")
    return Exported(
        model=model,
        float32=exported(model, folder / "float32", quantization="float32", modes=modes),
        int8=exported(model, folder / "int8", quantization="int8", modes=modes),
        artifact=folder / "float32" / "artifact",
        cache=folder / "float32" / "cache",
    )


def random_rows(*lengths: int, seed: int = 0) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [random.integers(TOKENIZER.vocab_size, size=length).tolist() for length in lengths]


def spelled(ids: Sequence[int]) -> list[str]:
    return [NAMES[token_id] for token_id in ids]


def one(ids: Sequence[int]) -> torch.Tensor:
    return torch.tensor([list(ids)])


@torch.inference_mode()
def torch_scores(model: CodeT5pModel, source: list[int], target: list[int]) -> NDArray[np.float32]:
    """Return the log-probability of each target token behind the first."""
    log_probs = model(one(source), one(target)).log_softmax(-1)[0]
    scores: NDArray[np.float32] = log_probs[torch.arange(len(target) - 1), target[1:]].numpy()
    return scores


@torch.inference_mode()
def torch_log_odds(model: CodeT5pModel, text: list[int], code: list[int]) -> float:
    target = judged_ids(TOKENIZER, code)
    no_match, match = model.match_logits(model.decode(one(target), model.encode(one(text)))[:, -1])[0].tolist()
    return match - no_match


@torch.inference_mode()
def torch_embedding(model: CodeT5pModel, ids: list[int]) -> NDArray[np.float32]:
    embedding: NDArray[np.float32] = model.embed(model.encode(one(ids)))[0].numpy()
    return embedding


def test_encoder_states_are_equal_in_a_padded_batch(family: Exported) -> None:
    rows = random_rows(5, 40, 1, 17)
    states_BSD = np.asarray(ctranslate2.Encoder(str(family.float32.encoder)).forward_batch(rows).last_hidden_state)
    for row, found in zip(rows, states_BSD, strict=True):
        with torch.inference_mode():
            expected = family.model.encode(one(row))[0].numpy()
        np.testing.assert_allclose(found[: len(row)], expected, atol=1e-4)


@pytest.mark.parametrize("max_batch_tokens", [1, 100, 4096])
def test_embeddings_are_equal_whatever_the_batches(family: Exported, max_batch_tokens: int) -> None:
    assert family.float32.encoder is not None
    limits = EncoderLimits(max_tokens=20, max_batch_tokens=max_batch_tokens)
    engine = EncoderEngine(
        family.float32.encoder, TOKENIZER, config=family.model.config, name="small", num_threads=1, limits=limits
    )
    expected = [torch_embedding(family.model, opened_source(TOKENIZER, text, 20)) for text in TEXTS]
    found = engine.embed(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert found.dtype == np.float32
    assert engine.embed([]).shape == (0, SMALL.embedding_dim)


def test_teacher_forced_scores_are_equal_in_a_padded_batch(family: Exported) -> None:
    sources, targets = random_rows(6, 31, 1), random_rows(25, 4, 12, seed=1)
    translator = ctranslate2.Translator(str(family.float32.sequence_to_sequence))
    results = translator.score_batch([spelled(row) for row in sources], [spelled(row) for row in targets])
    for source, target, result in zip(sources, targets, results, strict=True):
        found = result.log_probs[: len(target) - 1]  # the runtime adds its own end token behind the target
        np.testing.assert_allclose(found, torch_scores(family.model, source, target), atol=1e-4)


def test_the_two_matching_rows_give_the_heads_decision(family: Exported) -> None:
    texts, codes = random_rows(6, 31, 1, 12), random_rows(25, 4, 1, 40, seed=1)
    translator = ctranslate2.Translator(str(family.float32.sequence_to_sequence))
    log_probs = []
    for row in (IS_MATCH, NO_MATCH):
        targets = [[*spelled(judged_ids(TOKENIZER, code)), row] for code in codes]
        results = translator.score_batch([spelled(text) for text in texts], targets)
        log_probs.append([result.log_probs[len(code) + 2] for result, code in zip(results, codes, strict=True)])
    found = np.subtract(*log_probs)
    expected = [torch_log_odds(family.model, text, code) for text, code in zip(texts, codes, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.std(expected) > 0.3


def test_the_matching_rows_take_no_probability_from_tokens(family: Exported) -> None:
    translator = ctranslate2.Translator(str(family.float32.sequence_to_sequence))
    targets = [[*decoder_opening(TDEC), "d", "e", row] for row in (IS_MATCH, NO_MATCH)]
    results = translator.score_batch([[CLS, "f"]] * 2, targets)
    assert max(result.log_probs[3] for result in results) < -20


def sequence_engine(family: Exported) -> SequenceEngine:
    return load_sequence_engine(family.artifact, family.cache, num_threads=1)


@pytest.mark.parametrize("opening", [TDEC, CDEC])
def test_greedy_writing_gives_the_same_tokens(family: Exported, opening: str) -> None:
    config = SearchConfig(eos_id=EOS_ID, max_new_tokens=NEW_TOKENS)
    options = SearchOptions(max_new_tokens=NEW_TOKENS, max_source_tokens=24)
    for text in TEXTS:
        written = sequence_engine(family).generate(text, opening, options, Event())  # type: ignore[arg-type]
        source = opened_source(TOKENIZER, text, 24)
        prefix = one(opening_ids(TOKENIZER, opening))
        expected = list(greedy_search(family.model, prefix, config, source_ids_BS=one(source))[0])
        assert written is not None
        assert list(written.ids) == [token_id for token_id in expected if token_id != EOS_ID]
        assert written.is_finished == (expected[-1] == EOS_ID)
        scores = torch_scores(family.model, source, [*opening_ids(TOKENIZER, opening), *expected])[1:]
        assert written.score == pytest.approx(scores.mean(), abs=1e-4)


def test_four_beams_give_the_same_tokens(family: Exported) -> None:
    # No beam may end early: the two searches differ in when they stop, and in nothing else.
    sources = random_rows(6, 31, 1, 12, 20)
    translator = ctranslate2.Translator(str(family.float32.sequence_to_sequence))
    results = translator.translate_batch(
        [spelled(source) for source in sources],
        [list(decoder_opening(TDEC))] * len(sources),
        beam_size=4,
        num_hypotheses=4,
        max_decoding_length=NEW_TOKENS + 1,
        end_token=[],
        suppress_sequences=[[EOS], [NAMES[0]]],
        return_scores=True,
    )
    never = SearchConfig(eos_id=-1, max_new_tokens=NEW_TOKENS, num_beams=4)
    for source, result in zip(sources, results, strict=True):
        prefix = one(opening_ids(TOKENIZER, TDEC))
        hypotheses = beam_search(_without(family.model, EOS_ID, 0), prefix, never, source_ids_BS=one(source))[0]
        found = [[NAMES.index(name) for name in tokens[1:]] for tokens in result.hypotheses]
        assert found[0] == list(hypotheses[0].token_ids)
        scores = np.multiply(result.scores, (NEW_TOKENS + 1) / NEW_TOKENS)  # the runtime's count the opening's second
        np.testing.assert_allclose(scores, [hypothesis.score for hypothesis in hypotheses], atol=1e-4)


def _without(model: CodeT5pModel, *token_ids: int) -> CodeT5pModel:
    """Return a model that never writes `token_ids`."""

    class Silenced(CodeT5pModel):
        def logits(self, hidden_BTD: torch.Tensor) -> torch.Tensor:
            return super().logits(hidden_BTD).index_fill(-1, torch.tensor(token_ids), -torch.inf)

    silenced = Silenced(model.config)
    silenced.load_state_dict(model.state_dict())
    return silenced.eval()


def test_infilling_writes_the_first_span(family: Exported) -> None:
    prefix, suffix = "def value():\n    return ", "\n\nself.value = 7\n"
    written = sequence_engine(family).infill(prefix, suffix, SearchOptions(max_new_tokens=NEW_TOKENS), Event())
    source = infilling_source(TOKENIZER, prefix, suffix, 320)
    opening = opening_ids(TOKENIZER, sentinel(0))
    config = SearchConfig(eos_id=EOS_ID, max_new_tokens=NEW_TOKENS)
    expected = list(greedy_search(family.model, one(opening), config, source_ids_BS=one(source))[0])
    ends = {EOS_ID, TOKENIZER.token_id(sentinel(1))}
    end = next((place for place, token_id in enumerate(expected) if token_id in ends), None)
    assert written is not None
    assert list(written.ids) == expected[:end]
    assert written.text == filled_in(prefix, TOKENIZER.decode(written.ids))
    assert written.is_finished == (end is not None)


def test_matching_judges_each_candidate_within_its_limits(family: Exported) -> None:
    limits = MatchLimits(max_text_tokens=12, max_code_tokens=9, batch_rows=3)
    found = sequence_engine(family).match(TEXTS[3], TEXTS[:3], limits)
    text = opened_source(TOKENIZER, TEXTS[3], 12)
    expected = [torch_log_odds(family.model, text, TOKENIZER.encode(code)[:8]) for code in TEXTS[:3]]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert sequence_engine(family).match("text", [], limits).shape == (0,)


def test_a_writing_that_is_no_longer_wanted_has_no_result(family: Exported) -> None:
    stop = Event()
    stop.set()
    assert sequence_engine(family).generate("text", TDEC, SearchOptions(), stop) is None  # type: ignore[arg-type]


def test_the_time_limit_ends_greedy_writing_with_what_there_is(family: Exported) -> None:
    options = SearchOptions(max_new_tokens=NEW_TOKENS, time_limit_seconds=0)
    written = sequence_engine(family).generate(TEXTS[1], TDEC, options, Event())  # type: ignore[arg-type]
    assert written is not None
    assert len(written.ids) <= 2


@pytest.mark.parametrize("compute_type", ["default", "int8_float32"])
def test_int8_states_stay_within_the_stated_tolerance(family: Exported, compute_type: str) -> None:
    rows = random_rows(*range(3, 35))
    encoder = ctranslate2.Encoder(str(family.int8.encoder), compute_type=compute_type)
    found_BD = np.asarray(encoder.forward_batch(rows).last_hidden_state)[:, 0]
    with torch.inference_mode():
        expected_BD = np.stack([family.model.encode(one(row))[0, 0].numpy() for row in rows])
    lengths_B = np.linalg.norm(found_BD, axis=1) * np.linalg.norm(expected_BD, axis=1)
    assert ((found_BD * expected_BD).sum(1) / lengths_B).min() > INT8_COSINE


@pytest.mark.parametrize("compute_type", ["default", "int8_float32"])
def test_int8_scores_stay_within_the_stated_tolerance(family: Exported, compute_type: str) -> None:
    sources, targets = random_rows(*range(3, 35)), random_rows(*range(34, 2, -1), seed=1)
    translator = ctranslate2.Translator(str(family.int8.sequence_to_sequence), compute_type=compute_type)
    results = translator.score_batch([spelled(row) for row in sources], [spelled(row) for row in targets])
    found = np.concatenate([r.log_probs[: len(t) - 1] for r, t in zip(results, targets, strict=True)])
    expected = np.concatenate([torch_scores(family.model, s, t) for s, t in zip(sources, targets, strict=True)])
    assert np.abs(found - expected).mean() / expected.std() < INT8_SCORE_ERROR


def test_int8_matching_stays_within_the_stated_tolerance(family: Exported) -> None:
    assert family.int8.sequence_to_sequence is not None
    engine = SequenceEngine(family.int8.sequence_to_sequence, TOKENIZER, can_match=True, num_threads=1)
    codes = [TOKENIZER.decode(row) for row in random_rows(*range(3, 35), seed=1)]
    text = opened_source(TOKENIZER, TEXTS[3], 64)
    found = engine.match(TEXTS[3], codes, MatchLimits())
    expected = np.array([torch_log_odds(family.model, text, TOKENIZER.encode(code)) for code in codes])
    assert np.abs(found - expected).mean() / expected.std() < INT8_MATCH_ERROR


def test_the_engine_of_an_artifact_is_named_after_its_revision(family: Exported) -> None:
    engine = load_encoder_engine(family.artifact, family.cache, num_threads=1)
    assert engine.name == f"small-{family.float32.manifest.revision}"


def test_what_an_artifact_does_not_offer_is_refused(tmp_path: Path) -> None:
    models = exported(decided_model(SMALL), tmp_path, modes=("generate",))
    assert models.completion is None
    assert models.encoder is None
    place = (tmp_path / "artifact", tmp_path / "cache")
    with pytest.raises(ArtifactError, match=r"^the artifact small offers generate, not complete; use one that does$"):
        load_engine(*place, num_threads=1)
    with pytest.raises(ArtifactError, match="not embed"):
        load_encoder_engine(*place, num_threads=1)
    engine = load_sequence_engine(*place, num_threads=1)
    with pytest.raises(EngineError, match="exported without its matching head; use an artifact with the mode match"):
        engine.match("text", ["code"], MatchLimits())


def test_an_evaluated_artifact_answers_as_its_checkpoint(family: Exported) -> None:
    exported_model = ArtifactModel.from_artifact(family.artifact, family.cache)
    torch_model = TorchModel(family.model, TOKENIZER, batch_rows=2)
    sources, codes = random_rows(6, 31, 1, 12), random_rows(25, 4, 1, 40, seed=1)
    openings = [opening_ids(TOKENIZER, TDEC), opening_ids(TOKENIZER, sentinel(0))] * 2
    targets = [judged_ids(TOKENIZER, code) for code in codes]
    models = (exported_model, torch_model)
    written = [model.generate_rows(sources, openings, max_new_tokens=NEW_TOKENS, end_ids={EOS_ID}) for model in models]
    assert written[0] == written[1]
    np.testing.assert_allclose(*(model.embed_rows(sources) for model in models), atol=1e-5)
    np.testing.assert_allclose(*(model.match_rows(sources, targets) for model in models), atol=1e-4)
