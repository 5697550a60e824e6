"""Functional correctness: pass@k on HumanEval and MBPP files, run in the sandbox.

Source: Chen et al. 2021 (arXiv 2107.03374): the unbiased estimator and the strings that end a completion.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from codet5p.core.special_tokens import EOS
from codet5p.training.evaluation.model_protocol import EvaluatedModel, Sampling
from codet5p.training.evaluation.result import SuiteResult, mean_with_interval
from codet5p.training.evaluation.sandbox import SandboxLimits, run_program

__all__ = ["estimate_pass_at_k", "evaluate_functional", "function_body"]

_NEXT_TOP_LEVEL = re.compile(r"\n(?=def |class |#|if |print|@|assert )")


def estimate_pass_at_k(samples: int, correct: int, k: int) -> float:
    """Return the chance that at least one of `k` samples passes, estimated without bias.

    Args:
        samples: How many were drawn.
        correct: How many of them passed.
        k: At most `samples`.

    Returns:
        1 - C(samples - correct, k) / C(samples, k).

    Raises:
        ValueError: If there are fewer samples than `k`.
    """
    if k > samples:
        raise ValueError(f"pass@{k} needs at least {k} samples, got {samples}")
    failing = 1.0
    for drawn in range(k):
        failing *= max(0, samples - correct - drawn) / (samples - drawn)
    return 1.0 - failing


def function_body(completion: str) -> str:
    """Return a completion up to the next statement at the top level."""
    return _NEXT_TOP_LEVEL.split(completion, maxsplit=1)[0] + "\n"


def evaluate_functional(  # noqa: PLR0913 - what is drawn, how often, and within which limits
    model: EvaluatedModel,
    rows: Iterable[Mapping[str, Any]],
    *,
    samples: int = 1,
    ks: Sequence[int] = (1,),
    sampling: Sampling | None = None,
    max_new_tokens: int = 320,
    limits: SandboxLimits | None = None,
) -> SuiteResult:
    """Return pass@k for each k, from 0 to 100.

    Args:
        model: Continues the prompt with its decoder alone.
        rows: HumanEval (`task_id`, `prompt`, `test`, `entry_point`) or MBPP (`task_id`, `text`, `test_list`, `code`).
        samples: Completions for each problem.
        ks: Each at most `samples`.
        sampling: How they are drawn; greedy where None, which makes sense for one sample.
        max_new_tokens: Longest completion.
        limits: Of one test run.

    Returns:
        The result.
    """
    rows, tokenizer = list(rows), model.tokenizer
    prompts = [problem_prompt(row) for row in rows]
    written = model.continue_rows(
        [ids for ids in tokenizer.encode_batch(prompts) for _ in range(samples)],
        max_new_tokens=max_new_tokens,
        end_ids=(tokenizer.token_id(EOS),),
        sampling=sampling,
    )
    completions = [function_body(tokenizer.decode(ids)) for ids in written]
    records, correct = [], []
    for place, (row, prompt) in enumerate(zip(rows, prompts, strict=True)):
        own = completions[place * samples : (place + 1) * samples]
        ended = [run_program(checking_program(row, prompt, completion), limits) for completion in own]
        correct.append(sum(execution.outcome == "passed" for execution in ended))
        records.append({"id": row["task_id"], "completion": own[0], "passed": correct[-1], "error": ended[0].error})
    metrics: dict[str, float] = {}
    for k in ks:
        values = [100.0 * estimate_pass_at_k(samples, passed, k) for passed in correct]
        metrics |= mean_with_interval(f"pass_at_{k}", values)
    settings = {"samples": samples, "sampling": sampling, "max_new_tokens": max_new_tokens}
    return SuiteResult(
        suite="functional", rows=len(rows), metrics=metrics, settings=settings, predictions=tuple(records)
    )


def problem_prompt(row: Mapping[str, Any]) -> str:
    """Return what the model continues: HumanEval's prompt, or MBPP's text and first test in a docstring."""
    if "prompt" in row and "entry_point" in row:
        return str(row["prompt"])
    signature = next(line for line in str(row["code"]).splitlines() if line.startswith("def "))
    return f'{signature.rstrip()}\n    """{row["text"]}\n\n    {row["test_list"][0]}\n    """\n'


def checking_program(row: Mapping[str, Any], prompt: str, completion: str) -> str:
    """Return the program that passes if the completion solves the problem."""
    if "entry_point" in row:
        return f"{prompt}{completion}\n{row['test']}\ncheck({row['entry_point']})\n"
    setup = str(row.get("test_setup_code") or "")
    return "\n".join([f"{prompt}{completion}", setup, *map(str, row["test_list"])]) + "\n"
