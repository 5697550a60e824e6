"""Source-target tasks: exact match for generation; accuracy, precision, recall and F1 where targets are true and false.

Source: CodeXGLUE defect detection (accuracy) and clone detection (F1 of the positive class).
"""

from collections.abc import Sequence

from codet5p.core.decoder_inputs import opening_ids
from codet5p.core.special_tokens import CDEC, CLS, EOS
from codet5p.training.evaluation.model_protocol import EvaluatedModel
from codet5p.training.evaluation.result import SuiteResult, mean_with_interval

__all__ = ["binary_metrics", "evaluate_examples"]


def evaluate_examples(
    model: EvaluatedModel,
    examples: Sequence[tuple[str, str]],
    *,
    max_source_tokens: int = 512,
    max_new_tokens: int = 128,
    repeat_source_in_decoder: bool = False,
) -> SuiteResult:
    """Return the share of exactly right targets, from 0 to 100, and binary metrics where they apply.

    Args:
        model: Reads `[CLS] source` and writes behind `[EOS] [CDec]`.
        examples: Source, and target.
        max_source_tokens: Width of the source.
        max_new_tokens: Longest answer.
        repeat_source_in_decoder: As the model was trained.

    Returns:
        The result.
    """
    tokenizer = model.tokenizer
    sources = [ids[: max_source_tokens - 1] for ids in tokenizer.encode_batch([source for source, _ in examples])]
    opening = opening_ids(tokenizer, CDEC)
    written = model.generate_rows(
        [[tokenizer.token_id(CLS), *ids] for ids in sources],
        [[*opening, *ids] if repeat_source_in_decoder else opening for ids in sources],
        max_new_tokens=max_new_tokens,
        end_ids=(tokenizer.token_id(EOS),),
    )
    answers = [tokenizer.decode(ids).strip() for ids in written]
    targets = [target.strip() for _, target in examples]
    right = [100.0 * (answer == target) for answer, target in zip(answers, targets, strict=True)]
    metrics = mean_with_interval("exact_match", right)
    if set(targets) <= {"true", "false"}:
        metrics |= binary_metrics([answer == "true" for answer in answers], [target == "true" for target in targets])
    return SuiteResult(
        suite="examples",
        rows=len(examples),
        metrics=metrics,
        settings={"max_source_tokens": max_source_tokens, "max_new_tokens": max_new_tokens, "decoding": "greedy"},
        predictions=tuple(
            {"prediction": answer, "answer": target} for answer, target in zip(answers, targets, strict=True)
        ),
    )


def binary_metrics(predictions: Sequence[bool], targets: Sequence[bool]) -> dict[str, float]:
    """Return precision, recall and F1 of the positive class, from 0 to 100; 0 where undefined."""
    hits = sum(prediction and target for prediction, target in zip(predictions, targets, strict=True))
    precision = hits / sum(predictions) if any(predictions) else 0.0
    recall = hits / sum(targets) if any(targets) else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return {"precision": 100 * precision, "recall": 100 * recall, "f1": 100 * f1}
