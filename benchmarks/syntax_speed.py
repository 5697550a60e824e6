"""Megabytes a second in which one core finds the functions of source files, by language.

    python -m benchmarks.syntax_speed --corpus corpus/full

Processor time is counted, not time on the clock, so that other programs disturb little. Files are those of a corpus,
cut as they are there. The result goes to benchmarks/results/syntax_speed.json.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, describe_machine
from codet5p.core.syntax import LANGUAGES, extract_functions
from codet5p.training.corpus.storage import read_shard

Files = list[tuple[str, str]]


def texts_of(corpus: Path, language: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of the training documents of a language."""
    for shard in sorted((corpus / "code").glob(f"{language}-train-*")):
        yield from ((record["path"], record["text"]) for record in read_shard(shard))


def first_bytes(files: Iterator[tuple[str, str]], limit: int) -> Files:
    """Return files until they have `limit` bytes."""
    known: Files = []
    size = 0
    for path, text in files:
        known.append((path, text))
        size += len(text.encode("utf-8", "replace"))
        if size >= limit:
            break
    return known


def measure(files: Files, language: str, rounds: int) -> dict[str, Any]:
    """Return rate and counts of the fastest of some rounds."""
    size = sum(len(text.encode("utf-8", "replace")) for _, text in files)
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        functions = sum(len(extract_functions(text, language, path)) for path, text in files)
        seconds.append(time.process_time() - started)
    best = min(seconds)
    return {
        "mb_per_second": round(size / 1e6 / best, 1),
        "mb": round(size / 1e6, 2),
        "files": len(files),
        "functions": functions,
        "functions_per_second": round(functions / best),
    }


def main() -> None:
    """Measure every language and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--mb", type=float, default=5.0, help="of source in each language")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    machine = describe_machine()
    languages = {}
    for language in LANGUAGES:
        files = first_bytes(texts_of(arguments.corpus, language), int(arguments.mb * 1e6))
        languages[language] = measure(files, language, arguments.rounds)
        print(f"{language:<11} {languages[language]['mb_per_second']:6.1f} MB/s")
    result = {"machine": machine, "measured": "processor time, fastest round", "languages": languages}
    (ROOT / "benchmarks" / "results" / "syntax_speed.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
