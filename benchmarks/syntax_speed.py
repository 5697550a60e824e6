"""Megabytes a second in which one core finds the functions of source files, by language.

    python -m benchmarks.syntax_speed --corpus corpus/full

Processor time is counted, not time on the clock, so that other programs disturb little. Files are those of a corpus,
cut as they are there and drawn with a fixed seed: shards are in order of package, and a few megabytes from the
beginning of one would be two or three packages. What tree-sitter's parser takes by itself is measured beside it. The
result goes to benchmarks/results/syntax_speed.json.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, describe_machine
from codet5p.core.syntax import LANGUAGES, extract_functions
from codet5p.core.syntax.languages import grammar_of_path, parse
from codet5p.training.corpus.storage import read_shard

Files = list[tuple[str, str]]


def texts_of(corpus: Path, language: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of the training documents of a language."""
    for shard in sorted((corpus / "code").glob(f"{language}-train-*")):
        yield from ((record["path"], record["text"]) for record in read_shard(shard))


def drawn(files: Iterator[tuple[str, str]], limit: int) -> Files:
    """Return files drawn from all of `files` until they have `limit` bytes."""
    shuffled = list(files)
    random.Random(0).shuffle(shuffled)
    known: Files = []
    size = 0
    for path, text in shuffled:
        known.append((path, text))
        size += len(text.encode("utf-8", "replace"))
        if size >= limit:
            break
    return known


def parse_only(text: str, language: str, path: str) -> None:
    """Do what no extraction can do without."""
    parse(text.encode("utf-8", "replace"), grammar_of_path(language, path))


def seconds_of(work: Callable[[str, str, str], object], files: Files, language: str, rounds: int) -> float:
    """Return the processor seconds of the fastest round over all files."""
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        for path, text in files:
            work(text, language, path)
        seconds.append(time.process_time() - started)
    return min(seconds)


def measure(files: Files, language: str, rounds: int) -> dict[str, Any]:
    """Return rates and counts of a language."""
    size = sum(len(text.encode("utf-8", "replace")) for _, text in files) / 1e6
    whole = seconds_of(extract_functions, files, language, rounds)
    functions = sum(len(extract_functions(text, language, path)) for path, text in files)
    return {
        "mb_per_second": round(size / whole, 1),
        "parser_alone_mb_per_second": round(size / seconds_of(parse_only, files, language, rounds), 1),
        "mb": round(size, 2),
        "seconds": round(whole, 3),
        "files": len(files),
        "functions": functions,
        "functions_per_second": round(functions / whole),
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
        files = drawn(texts_of(arguments.corpus, language), int(arguments.mb * 1e6))
        languages[language] = measure(files, language, arguments.rounds)
        rates = languages[language]
        print(
            f"{language:<11} {rates['mb_per_second']:6.1f} MB/s"
            f"   parser alone {rates['parser_alone_mb_per_second']:6.1f} MB/s"
        )
    total = sum(rates["mb"] for rates in languages.values()) / sum(rates["seconds"] for rates in languages.values())
    print(f"{'all':<11} {total:6.1f} MB/s")
    result = {
        "machine": machine,
        "measured": "processor time, fastest round",
        "mb_per_second": round(total, 1),
        "languages": languages,
    }
    (ROOT / "benchmarks" / "results" / "syntax_speed.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
