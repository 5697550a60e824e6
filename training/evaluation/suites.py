"""The suites by name: where each finds its data, and how it is run."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codet5p.core.errors import ConfigError, DataError
from codet5p.training.evaluation.bits_per_byte import evaluate_bits_per_byte
from codet5p.training.evaluation.examples import evaluate_examples
from codet5p.training.evaluation.functional import evaluate_functional
from codet5p.training.evaluation.infilling import evaluate_infilling
from codet5p.training.evaluation.line_completion import evaluate_line_completion
from codet5p.training.evaluation.model_protocol import EvaluatedModel, Sampling
from codet5p.training.evaluation.next_line import choose_lines, evaluate_next_line
from codet5p.training.evaluation.result import SuiteResult
from codet5p.training.evaluation.retrieval import RetrievalTask, evaluate_retrieval
from codet5p.training.evaluation.summarization import evaluate_summarization
from codet5p.training.sources import read_examples

__all__ = ["SUITES", "SuiteOptions", "read_rows", "run_suite"]

_SOURCE_SUFFIXES = frozenset((".py", ".java", ".js", ".ts", ".go", ".rb", ".php", ".c", ".cpp", ".cs"))


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteOptions:
    """What every suite may be told."""

    data: Path
    """Folder of the evaluation sets, or the one file or folder that the suite reads."""
    limit: int | None = None
    """Only the first rows."""
    context_tokens: int = 1024
    rerank: int = 0
    """Retrieval: how many of the best candidates matching ranks anew."""
    samples: int = 1
    """Functional: completions for each problem; more than one are drawn at `temperature`."""
    temperature: float = 0.2


def read_rows(path: Path, limit: int | None = None) -> list[dict[str, Any]]:
    """Return the rows of a JSON Lines file, plain or gzip.

    Args:
        path: The file.
        limit: Most rows.

    Returns:
        One dictionary for each line.

    Raises:
        DataError: If it cannot be read.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.strip()]
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"cannot read the evaluation set {path}: {error}") from None
    if not rows:
        raise DataError(f"the evaluation set {path} is empty")
    return rows[:limit]


def run_suite(name: str, model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    """Run one suite.

    Args:
        name: One of `SUITES`.
        model: To be evaluated.
        options: Where the data is, and how much of it to take.

    Returns:
        A result for each task of the suite.

    Raises:
        ConfigError: If there is no such suite.
    """
    if name not in SUITES:
        raise ConfigError(f"unknown suite {name!r}; known are {', '.join(SUITES)}")
    return SUITES[name](model, options)


def _rows(options: SuiteOptions, file: str) -> list[dict[str, Any]]:
    path = options.data if options.data.is_file() else options.data / file
    return read_rows(path, options.limit)


def _py150(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    rows = _rows(options, "line_completion_py150_dev.jsonl.gz")
    return [evaluate_line_completion(model, rows, language="python", context_tokens=options.context_tokens)]


def _javacorpus(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    rows = _rows(options, "line_completion_javacorpus_dev.jsonl.gz")
    return [evaluate_line_completion(model, rows, language="java", context_tokens=options.context_tokens)]


def _source_files(options: SuiteOptions) -> dict[str, str]:
    files = [options.data] if options.data.is_file() else sorted(options.data.rglob("*"))
    texts = {
        str(file): file.read_text("utf-8", errors="replace")
        for file in files
        if file.suffix in _SOURCE_SUFFIXES and file.is_file()
    }
    if not texts:
        raise DataError(f"{options.data} holds no source files; give --data a folder of held-out code")
    return texts


def _next_line(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    tasks = choose_lines(_source_files(options), count=options.limit or 500)
    if not tasks:
        raise DataError(f"no line in {options.data} has the twelve lines before it that the protocol asks for")
    return [evaluate_next_line(model, tasks, context_tokens=options.context_tokens)]


def _bits_per_byte(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    texts = list(_source_files(options).values())[: options.limit]
    return [evaluate_bits_per_byte(model, texts, context_tokens=options.context_tokens)]


def _infilling(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    return [evaluate_infilling(model, _rows(options, "infilling_humaneval_singleline.jsonl.gz"))]


def _summarization(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    return [evaluate_summarization(model, _rows(options, "summarization_csn_ruby_valid.jsonl.gz"))]


def _cosqa(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    queries = _rows(options, "retrieval_cosqa_dev.jsonl.gz")
    base = read_rows(options.data / "cosqa_codebase.jsonl.gz")
    place = {row["idx"]: number for number, row in enumerate(base)}
    task = RetrievalTask(
        name="retrieval_cosqa",
        queries=tuple(row["query"] for row in queries),
        candidates=tuple(row["code"] for row in base),
        gold=tuple(place[row["gold"]] for row in queries),
    )
    return [evaluate_retrieval(model, task, rerank=options.rerank)]


def _mbxp(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    rows = read_rows(options.data / "retrieval_mbxp_dev.jsonl.gz")
    results = []
    for language in dict.fromkeys(row["language"] for row in rows):
        pool = [row for row in rows if row["language"] == language]
        queries = pool[: options.limit]
        task = RetrievalTask(
            name=f"retrieval_mbxp_{language}",
            queries=tuple(row["query"] for row in queries),
            candidates=tuple(row["code"] for row in pool),
            gold=tuple(range(len(queries))),
        )
        results.append(evaluate_retrieval(model, task, rerank=options.rerank))
    return results


def _csn_ruby(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    rows = read_rows(options.data / "summarization_csn_ruby_valid.jsonl.gz")
    queries = rows[: options.limit]
    task = RetrievalTask(
        name="retrieval_csn_ruby",
        queries=tuple(row["docstring"] for row in queries),
        candidates=tuple(row["code"] for row in rows),
        gold=tuple(range(len(queries))),
    )
    return [evaluate_retrieval(model, task, rerank=options.rerank)]


def _functional(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    rows = _rows(options, "HumanEval.jsonl.gz")
    sampling = Sampling(temperature=options.temperature) if options.samples > 1 else None
    ks = [k for k in (1, 10, 100) if k <= options.samples]
    return [evaluate_functional(model, rows, samples=options.samples, ks=ks, sampling=sampling)]


def _examples(model: EvaluatedModel, options: SuiteOptions) -> list[SuiteResult]:
    return [evaluate_examples(model, list(read_examples(options.data))[: options.limit])]


SUITES: Mapping[str, Callable[[EvaluatedModel, SuiteOptions], list[SuiteResult]]] = {
    "py150": _py150,
    "javacorpus": _javacorpus,
    "next-line": _next_line,
    "bits-per-byte": _bits_per_byte,
    "infilling": _infilling,
    "summarization": _summarization,
    "cosqa": _cosqa,
    "mbxp": _mbxp,
    "csn-ruby": _csn_ruby,
    "functional": _functional,
    "examples": _examples,
}
