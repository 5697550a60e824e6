"""The suites by name: where each finds its data, and how it is run."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codet5p.core.artifact import Mode
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

__all__ = [
    "SUITES",
    "Suite",
    "SuiteOptions",
    "cosqa_task",
    "csn_ruby_task",
    "mbxp_tasks",
    "read_rows",
    "run_suite",
    "standard_suites",
]

_SOURCE_SUFFIXES = frozenset((".py", ".java", ".js", ".ts", ".go", ".rb", ".php", ".c", ".cpp", ".cs"))


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteOptions:
    """What every suite may be told."""

    data: Path
    """Folder of the evaluation sets, or the one file or folder that the suite reads."""
    code: Path | None = None
    """Held-out source files, for next-line and bits-per-byte; a folder of folders is scored folder by folder. `data`
    where None."""
    limit: int | None = None
    """Only the first rows: of each suite, or of each of its languages."""
    context_tokens: int = 1024
    rerank: int = 0
    """Retrieval: how many of the best candidates matching ranks anew."""
    samples: int = 1
    """Functional: completions for each problem; more than one are drawn at `temperature`."""
    temperature: float = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """One suite: how it is run, and what it needs.

    Attributes:
        run: Yields a result for each task.
        mode: What the model must be able to do.
        file: Its file in the folder of evaluation sets; empty where it reads source code or what it is given.
        is_standard: Whether `all` runs it where its data is.
    """

    run: Callable[[EvaluatedModel, SuiteOptions], Iterator[SuiteResult]]
    mode: Mode
    file: str = ""
    is_standard: bool = True


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


def run_suite(name: str, model: EvaluatedModel, options: SuiteOptions) -> Iterator[SuiteResult]:
    """Run one suite.

    Args:
        name: One of `SUITES`.
        model: To be evaluated.
        options: Where the data is, and how much of it to take.

    Yields:
        A result for each task of the suite, as soon as it is there.

    Raises:
        ConfigError: If there is no such suite, or it is not for this model.
    """
    if name not in SUITES:
        raise ConfigError(f"unknown suite {name!r}; known are all, {', '.join(SUITES)}")
    if SUITES[name].mode not in model.modes:
        raise ConfigError(f"the suite {name} needs the mode {SUITES[name].mode}, which this model does not offer")
    yield from SUITES[name].run(model, options)


def standard_suites(model: EvaluatedModel, options: SuiteOptions) -> tuple[list[str], dict[str, str]]:
    """Return which suites `all` stands for, and why the others are left out.

    Args:
        model: To be evaluated.
        options: Where the data is.

    Returns:
        Names, and a reason by name.
    """
    chosen, left_out = [], {}
    for name, suite in SUITES.items():
        if not suite.is_standard:
            continue
        if suite.mode not in model.modes:
            left_out[name] = f"the model does not offer {suite.mode}"
        elif suite.file and not (options.data / suite.file).is_file():
            left_out[name] = f"{suite.file} is not in {options.data}"
        elif not suite.file and options.code is None:
            left_out[name] = "no folder of held-out code was given"
        else:
            chosen.append(name)
    return chosen, left_out


def _rows(options: SuiteOptions, name: str) -> list[dict[str, Any]]:
    path = options.data if options.data.is_file() else options.data / SUITES[name].file
    return read_rows(path, options.limit)


def _py150(model: EvaluatedModel, options: SuiteOptions) -> Iterator[SuiteResult]:
    rows = _rows(options, "py150")
    yield evaluate_line_completion(model, rows, language="python", context_tokens=options.context_tokens)


def _javacorpus(model: EvaluatedModel, options: SuiteOptions) -> Iterator[SuiteResult]:
    rows = _rows(options, "javacorpus")
    yield evaluate_line_completion(model, rows, language="java", context_tokens=options.context_tokens)


def _source_files(options: SuiteOptions) -> dict[str, dict[str, str]]:
    """Return source files by name, by the folder they are in; by an empty name where there are no folders."""
    place = options.code or options.data
    folders = sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
    groups = {folder.name: _texts(folder) for folder in folders} if options.code else {"": _texts(place)}
    if options.code and not any(groups.values()):
        groups = {"": _texts(place)}
    groups = {name: texts for name, texts in groups.items() if texts}
    if not groups:
        raise DataError(f"{place} holds no source files; give --code a folder of held-out code")
    return groups


def _texts(place: Path) -> dict[str, str]:
    files = [place] if place.is_file() else sorted(place.rglob("*"))
    return {
        str(file): file.read_text("utf-8", errors="replace")
        for file in files
        if file.suffix in _SOURCE_SUFFIXES and file.is_file()
    }


def _named(result: SuiteResult, group: str) -> SuiteResult:
    return replace(result, suite=f"{result.suite}_{group}") if group else result


def _next_line(model: EvaluatedModel, options: SuiteOptions) -> Iterator[SuiteResult]:
    for group, texts in _source_files(options).items():
        tasks = choose_lines(texts, count=options.limit or 500)
        if not tasks:
            raise DataError(
                f"no line in {group or options.data} has the twelve lines before it that the protocol asks for"
            )
        yield _named(evaluate_next_line(model, tasks, context_tokens=options.context_tokens), group)


def _bits_per_byte(model: EvaluatedModel, options: SuiteOptions) -> Iterator[SuiteResult]:
    for group, texts in _source_files(options).items():
        kept = list(texts.values())[: options.limit]
        yield _named(evaluate_bits_per_byte(model, kept, context_tokens=options.context_tokens), group)


def _infilling(model: EvaluatedModel, options: SuiteOptions) -> Iterator[SuiteResult]:
    yield evaluate_infilling(model, _rows(options, "infilling"))


def _summarization(model: EvaluatedModel, options: SuiteOptions) -> Iterator[SuiteResult]:
    yield evaluate_summarization(model, _rows(options, "summarization"))


def _retrieval(tasks: Callable[[SuiteOptions], Iterator[RetrievalTask]]) -> Callable[..., Iterator[SuiteResult]]:
    def run(model: EvaluatedModel, options: SuiteOptions) -> Iterator[SuiteResult]:
        for task in tasks(options):
            yield evaluate_retrieval(model, task, rerank=options.rerank)

    return run


def cosqa_task(options: SuiteOptions) -> Iterator[RetrievalTask]:
    """Yield CoSQA: web queries over all of its Python functions."""
    queries = _rows(options, "cosqa")
    base = read_rows(options.data / "cosqa_codebase.jsonl.gz")
    place = {row["idx"]: number for number, row in enumerate(base)}
    yield RetrievalTask(
        name="retrieval_cosqa",
        queries=tuple(row["query"] for row in queries),
        candidates=tuple(row["code"] for row in base),
        gold=tuple(place[row["gold"]] for row in queries),
    )


def mbxp_tasks(options: SuiteOptions) -> Iterator[RetrievalTask]:
    """Yield MBXP, a task for each language: short descriptions over solutions."""
    rows = read_rows(options.data / SUITES["mbxp"].file)
    for language in dict.fromkeys(row["language"] for row in rows):
        pool = [row for row in rows if row["language"] == language]
        queries = pool[: options.limit]
        yield RetrievalTask(
            name=f"retrieval_mbxp_{language}",
            queries=tuple(row["query"] for row in queries),
            candidates=tuple(row["code"] for row in pool),
            gold=tuple(range(len(queries))),
        )


def csn_ruby_task(options: SuiteOptions) -> Iterator[RetrievalTask]:
    """Yield CodeSearchNet Ruby: docstrings over the functions of its validation set."""
    rows = read_rows(options.data / SUITES["csn-ruby"].file)
    queries = rows[: options.limit]
    yield RetrievalTask(
        name="retrieval_csn_ruby",
        queries=tuple(row["docstring"] for row in queries),
        candidates=tuple(row["code"] for row in rows),
        gold=tuple(range(len(queries))),
    )


def _functional(model: EvaluatedModel, options: SuiteOptions) -> Iterator[SuiteResult]:
    rows = _rows(options, "functional")
    sampling = Sampling(temperature=options.temperature) if options.samples > 1 else None
    ks = [k for k in (1, 10, 100) if k <= options.samples]
    yield evaluate_functional(model, rows, samples=options.samples, ks=ks, sampling=sampling)


def _examples(model: EvaluatedModel, options: SuiteOptions) -> Iterator[SuiteResult]:
    yield evaluate_examples(model, list(read_examples(options.data))[: options.limit])


SUITES: Mapping[str, Suite] = {
    "py150": Suite(run=_py150, mode="complete", file="line_completion_py150_dev.jsonl.gz"),
    "javacorpus": Suite(run=_javacorpus, mode="complete", file="line_completion_javacorpus_dev.jsonl.gz"),
    "next-line": Suite(run=_next_line, mode="complete"),
    "bits-per-byte": Suite(run=_bits_per_byte, mode="complete"),
    "functional": Suite(run=_functional, mode="complete", file="HumanEval.jsonl.gz"),
    "infilling": Suite(run=_infilling, mode="generate", file="infilling_humaneval_singleline.jsonl.gz"),
    "summarization": Suite(run=_summarization, mode="generate", file="summarization_csn_ruby_valid.jsonl.gz"),
    "cosqa": Suite(run=_retrieval(cosqa_task), mode="embed", file="retrieval_cosqa_dev.jsonl.gz"),
    "mbxp": Suite(run=_retrieval(mbxp_tasks), mode="embed", file="retrieval_mbxp_dev.jsonl.gz"),
    "csn-ruby": Suite(run=_retrieval(csn_ruby_task), mode="embed", file="summarization_csn_ruby_valid.jsonl.gz"),
    "examples": Suite(run=_examples, mode="generate", is_standard=False),
}
