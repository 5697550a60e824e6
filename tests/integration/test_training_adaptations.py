"""Every adaptation learns: a tiny model, a small task, and a stated trivial baseline that it must beat."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from codet5p.model.checkpoint import load_checkpoint
from codet5p.training.config import load_recipe
from codet5p.training.evaluation.examples import evaluate_examples
from codet5p.training.evaluation.retrieval import RetrievalTask, evaluate_retrieval
from codet5p.training.evaluation.summarization import evaluate_summarization
from codet5p.training.evaluation.torch_model import TorchModel
from codet5p.training.retrieval_augmentation import augmented_examples, write_examples
from codet5p.training.sources import read_examples
from codet5p.training.trainer import run_training

pytestmark = pytest.mark.timeout(600)  # real training, on a machine that may be busy
DEBUG = Path(__file__).parents[2] / "training" / "recipes" / "debug.toml"
VERBS = ["sum", "product", "maximum", "minimum", "difference", "quotient"]
NOUNS = ["prices", "lengths", "weights", "scores", "ages", "counts"]


def pair(verb: str, noun: str) -> tuple[str, str]:
    return f"Return the {verb} of the {noun}.", f"def f({noun}):\n    return {verb}({noun})\n"


PAIRS = [pair(verb, noun) for verb in VERBS for noun in NOUNS]
HELD_OUT, TRAINED = PAIRS[::5], [each for number, each in enumerate(PAIRS) if number % 5]


def write_lines(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def train(folder: Path, stage: str, *data: str) -> TorchModel:
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "pairs.py").write_text("\n".join(f"# {text}\n{code}" for text, code in PAIRS), "utf-8")
    overrides = [
        f"output={folder / 'run'}",
        "data={" + ", ".join([f"code=[{{path='{source}'}}]", *data]) + "}",
        "tokenizer.vocabulary=400",
        "run.report_every=1000",
        f"stages=[{{name='task', {stage}, optimizer={{peak_learning_rate=5e-3}}, schedule={{warmup_steps=10}}}}]",
    ]
    result = run_training(load_recipe(DEBUG, overrides))
    assert result.model is not None
    return TorchModel.from_checkpoint(result.model)


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "pairs.jsonl", [{"text": text, "code": code} for text, code in TRAINED])


def test_summarization_beats_the_best_constant_answer(tmp_path: Path, pairs_file: Path) -> None:
    model = train(
        tmp_path,
        "steps=120, objectives={code_to_text=1.0}, "
        "pairs={rows=16, micro_rows=16, max_text_tokens=24, max_code_tokens=48, queue=0}",
        f"pairs=[{{path='{pairs_file}'}}]",
    )
    rows = [{"id": number, "code": code, "reference": text} for number, (text, code) in enumerate(HELD_OUT)]
    bleu = evaluate_summarization(model, rows, max_new_tokens=16).metrics["bleu"]
    constant = max(constant_bleu(text) for text, _ in TRAINED)
    assert bleu > constant + 5


def constant_bleu(answer: str) -> float:
    from codet5p.training.evaluation.text_scores import bleu_tokens, smoothed_bleu

    scores = [smoothed_bleu(bleu_tokens(answer), bleu_tokens(text)) for text, _ in HELD_OUT]
    return sum(scores) / len(scores)


def test_retrieval_with_matching_beats_chance(tmp_path: Path, pairs_file: Path) -> None:
    model = train(
        tmp_path,
        "steps=60, objectives={contrastive=1.0, matching=1.0}, "
        "pairs={rows=16, micro_rows=16, max_text_tokens=24, max_code_tokens=48, queue=16, momentum=0.9}",
        f"pairs=[{{path='{pairs_file}'}}]",
    )
    task = RetrievalTask(
        name="held out",
        queries=tuple(text for text, _ in HELD_OUT),
        candidates=tuple(code for _, code in PAIRS),
        gold=tuple(range(0, len(PAIRS), 5)),
    )
    metrics = evaluate_retrieval(model, task, rerank=4).metrics
    chance = 100 * sum(1 / rank for rank in range(1, len(PAIRS) + 1)) / len(PAIRS)
    assert metrics["mrr"] > 2 * chance
    assert metrics["reranked_mrr"] > 2 * chance


def test_line_completion_learns_with_encoder_and_cross_attention_frozen(tmp_path: Path) -> None:
    stage = (
        "objectives={decoder_only_causal_lm=1.0}, frozen=['encoder', 'cross_attention'], "
        "code={rows=8, micro_rows=8, block_tokens=64}"
    )
    model = train(tmp_path, f"steps=80, {stage}")
    before, _ = load_checkpoint(untrained(tmp_path, stage))
    after, _ = load_checkpoint(tmp_path / "run" / "model")
    frozen = [name for name, _ in before.named_parameters() if "encoder." in name[:8] or "cross_attention" in name]
    assert frozen
    assert all(before.state_dict()[name].equal(after.state_dict()[name]) for name in frozen)
    text = "\n".join(code for _, code in HELD_OUT)
    ids = model.tokenizer.encode(text)
    unigram = sum(torch.tensor(count / len(ids)).log().item() * count for count in Counter(ids).values())
    assert model.score_rows([[model.tokenizer.token_id("[EOS]"), *ids]])[0] > unigram


def untrained(folder: Path, stage: str) -> Path:
    other = folder / "untrained"
    other.mkdir()
    train(other, f"steps=1, {stage}")
    return other / "run" / "model"


@pytest.mark.parametrize("repeats", [False, True], ids=["generation", "instructions"])
def test_examples_are_answered_better_than_by_the_commonest_answer(tmp_path: Path, repeats: bool) -> None:
    key = ("instruction", "output") if repeats else ("source", "target")
    rows = [{key[0]: f"What is {number} plus 1?", key[1]: str(number + 1)} for number in range(8)] * 2
    examples = write_lines(tmp_path / "examples.jsonl", rows)
    model = train(
        tmp_path,
        "steps=150, objectives={source_to_target=1.0}, "
        f"examples={{rows=16, micro_rows=16, max_source_tokens=96, max_target_tokens=8, "
        f"repeat_source_in_decoder={'true' if repeats else 'false'}}}",
        f"examples=[{{path='{examples}'}}]",
    )
    result = evaluate_examples(
        model, list(read_examples(examples)), max_source_tokens=96, max_new_tokens=4, repeat_source_in_decoder=repeats
    )
    assert result.metrics["exact_match"] > 2 * 100 / 8


def test_binary_classification_beats_the_majority(tmp_path: Path) -> None:
    rows = [
        {
            "source": f"{'free' if is_defect else 'keep'}({noun}); use({noun});",
            "target": "true" if is_defect else "false",
        }
        for noun in [*NOUNS, *VERBS]
        for is_defect in (True, False)
    ]
    model = train(
        tmp_path,
        "steps=60, objectives={source_to_target=1.0}, "
        "examples={rows=16, micro_rows=16, max_source_tokens=32, max_target_tokens=8}",
        f"examples=[{{path='{write_lines(tmp_path / 'examples.jsonl', rows)}'}}]",
    )
    metrics = evaluate_examples(model, [(row["source"], row["target"]) for row in rows], max_new_tokens=6).metrics
    assert metrics["exact_match"] > 60
    assert metrics["f1"] > 66.7, "always answering true gives an F1 of 66.7"


def test_retrieved_code_is_similar_and_never_the_answer(tmp_path: Path, pairs_file: Path) -> None:
    model = train(
        tmp_path,
        "steps=60, objectives={contrastive=1.0}, "
        "pairs={rows=16, micro_rows=16, max_text_tokens=24, max_code_tokens=48, queue=0}",
        f"pairs=[{{path='{pairs_file}'}}]",
    )
    pool = [code for _, code in PAIRS]
    made = list(augmented_examples(model, HELD_OUT, pool, count=2))
    related = 0
    for (source, target), (text, code) in zip(made, HELD_OUT, strict=True):
        question, *found = source.split("\n---\n")
        assert (question, target) == (text, code)
        assert len(found) == 2
        assert code not in found
        words = text.rstrip(".").split()
        related += sum(words[2] in each or words[-1] in each for each in found)
    by_chance = 2 * len(HELD_OUT) * 10 / 35  # ten of the other 35 codes share a word with the text
    assert related > 1.5 * by_chance
    assert write_examples(tmp_path / "augmented.jsonl", iter(made)) == len(HELD_OUT)
    assert list(read_examples(tmp_path / "augmented.jsonl")) == made
