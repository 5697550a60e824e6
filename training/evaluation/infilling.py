"""HumanEval single-line infilling: the missing line between a prefix and a suffix.

Source: OpenAI human-eval-infilling (arXiv 2207.14255); exact match and, run in the sandbox, the pass rate.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from codet5p.core.decoder_inputs import opening_ids
from codet5p.core.encoder_inputs import filled_in, infilling_source
from codet5p.core.special_tokens import EOS, sentinel
from codet5p.training.evaluation.line_completion import newline_tokens
from codet5p.training.evaluation.model_protocol import EvaluatedModel
from codet5p.training.evaluation.result import SuiteResult, mean_with_interval
from codet5p.training.evaluation.sandbox import SandboxLimits, run_program

__all__ = ["evaluate_infilling", "line_of_completion"]


def line_of_completion(text: str) -> str:
    """Return a completion up to its first newline behind a character that is not blank."""
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    return text if end < 0 else text[: end + 1]


def evaluate_infilling(
    model: EvaluatedModel,
    rows: Iterable[Mapping[str, Any]],
    *,
    max_source_tokens: int = 768,
    max_new_tokens: int = 64,
    limits: SandboxLimits | None = None,
) -> SuiteResult:
    """Return exact match and pass rate with the suffix, and of the left-to-right baseline without it, 0 to 100.

    Args:
        model: Infills by span denoising; the baseline continues with its decoder alone.
        rows: With `prompt`, `suffix`, `canonical_solution`, `test`, `entry_point` and `task_id`.
        max_source_tokens: Width of the encoder input.
        max_new_tokens: Longest line.
        limits: Of one test run.

    Returns:
        The result.
    """
    rows, tokenizer = list(rows), model.tokenizer
    # The hole is a whole line, so its own end stands before the suffix.
    sources = [infilling_source(tokenizer, str(row["prompt"]), f"\n{row['suffix']}", max_source_tokens) for row in rows]
    openings = [opening_ids(tokenizer, sentinel(0))] * len(rows)
    ends = {tokenizer.token_id(EOS), tokenizer.token_id(sentinel(1))}
    infilled = model.generate_rows(sources, openings, max_new_tokens=max_new_tokens, end_ids=ends)
    prompts = [ids[-max_source_tokens:] for ids in tokenizer.encode_batch([str(row["prompt"]) for row in rows])]
    continued = model.continue_rows(
        prompts, max_new_tokens=max_new_tokens, end_ids={*ends, *newline_tokens(tokenizer.token_bytes)}
    )
    filled = [filled_in(str(row["prompt"]), tokenizer.decode(ids)) for row, ids in zip(rows, infilled, strict=True)]
    lines = [line_of_completion(text) for text in filled]
    baseline = [line_of_completion(tokenizer.decode(ids)) for ids in continued]
    metrics = _scores("", rows, lines, limits) | _scores("left_to_right_", rows, baseline, limits)
    return SuiteResult(
        suite="infilling_humaneval",
        rows=len(rows),
        metrics=metrics,
        settings={"max_source_tokens": max_source_tokens, "max_new_tokens": max_new_tokens, "decoding": "greedy"},
        predictions=tuple(
            {"id": row["task_id"], "prediction": line, "answer": row["canonical_solution"]}
            for row, line in zip(rows, lines, strict=True)
        ),
    )


def _scores(
    prefix: str, rows: Sequence[Mapping[str, Any]], lines: Sequence[str], limits: SandboxLimits | None
) -> dict[str, float]:
    exact = [
        100.0 * (line.strip() == str(row["canonical_solution"]).strip()) for row, line in zip(rows, lines, strict=True)
    ]
    passed = [
        100.0 * (is_exact > 0 or run_program(_program(row, line), limits).outcome == "passed")
        for row, line, is_exact in zip(rows, lines, exact, strict=True)
    ]
    return mean_with_interval(f"{prefix}exact_match", exact) | mean_with_interval(f"{prefix}pass_rate", passed)


def _program(row: Mapping[str, Any], line: str) -> str:
    ended = line if line.endswith("\n") else line + "\n"
    return f"{row['prompt']}{ended}{row['suffix']}\n{row['test']}\ncheck({row['entry_point']})\n"
