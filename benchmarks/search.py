"""How well and how fast code is found: NDCG@10, MRR, recall@10, times and sizes, beside other ways to search.

    python -m benchmarks.search --data DIR [--encoder ARTIFACT] [--minilm] [--semble TABLE]
    python -m benchmarks.search --growth 1000,10000 [--encoder ARTIFACT] [--matcher ARTIFACT]

DIR holds `repos.json` and `annotations/<name>.json` as the semble project publishes them, and the repositories under
`repos/<name>/`, at the commits that `repos.json` names where those can be had; the result says which. None of it is
part of this repository. `search_tasks.py` says what is asked and how answers are judged, `search_systems.py` what is
compared.

The weights of our rules were chosen on the repositories that the result calls "tuned on"; the others were looked at
only afterwards. `--growth` measures synthetic workspaces of so many functions; a matcher of random weights takes as
long as a trained one.
"""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.machine import ROOT, describe_machine
from benchmarks.search_growth import growth
from benchmarks.search_systems import NO_RULES, WITHOUT, Indexes, bm25s, nearest, ours, ripgrep, semble
from benchmarks.search_tasks import Repository, Search, evaluate, load_repositories
from codet5p.core.assembly import default_cache
from codet5p.lsp_server.index.config import RankingConfig
from codet5p.lsp_server.index.embedding import Embedder
from codet5p.lsp_server.index.encoder import EncoderPlace, LazyEncoder
from codet5p.lsp_server.index.matcher import LazyMatcher

_COLUMNS = ("files, tuned on", "files, held out", "functions, tuned on", "functions, held out")
_MIN_TYPED = 3


def main() -> None:
    """Measure, print a table and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="annotations and repositories")
    parser.add_argument("--repositories", help="only these, separated by commas")
    parser.add_argument("--functions", type=int, default=60, help="functions asked for in each repository")
    parser.add_argument("--encoder", type=Path, help="an artifact that embeds, such as artifacts/embedding")
    parser.add_argument("--minilm", action="store_true", help="also all-MiniLM-L6-v2 as the encoder")
    parser.add_argument("--semble", type=Path, help="also semble, with the static table in this folder")
    parser.add_argument("--matcher", type=Path, help="an artifact that matches, for --growth")
    parser.add_argument("--growth", default="", help="numbers of functions, separated by commas")
    parser.add_argument("--timed", type=int, default=5, help="queries of each repository that are timed")
    parser.add_argument("--scratch", type=Path, help="folder for indexes and vectors, kept for the next run")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "search.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(arguments, arguments.scratch or Path(folder))
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print_tables(result)


def measure(arguments: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Return all figures of one run."""
    result: dict[str, Any] = {"command": _command(arguments), "machine": describe_machine()}
    if arguments.data is not None:
        names = frozenset(arguments.repositories.split(",")) if arguments.repositories else None
        loaded = load_repositories(arguments.data, scratch, names=names, num_functions=arguments.functions)
        repositories = [repository for repository in loaded if repository.tasks]
        result |= _compare(repositories, arguments, scratch)
    if arguments.growth:
        encoder = _encoder(arguments.encoder) if arguments.encoder is not None else None
        matcher = LazyMatcher(_place(arguments.matcher), num_threads=1) if arguments.matcher is not None else None
        sizes = [int(size) for size in arguments.growth.split(",")]
        result["growth"] = growth(sizes, scratch, encoder=encoder, matcher=matcher)
    result["machine"]["load_average_after"] = describe_machine()["load_average_before"]
    return result


def _compare(repositories: list[Repository], arguments: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    indexes = Indexes(scratch)
    for repository in track(repositories, description="indexing", console=Console(stderr=True)):
        indexes.database(repository)
    result: dict[str, Any] = {"indexing": indexes.figures, "embedding": {}, "systems": {}}
    systems: dict[str, Search] = {
        "keywords and rules": ours(indexes, RankingConfig()),
        "keywords alone": ours(indexes, NO_RULES),
        "bm25s, same chunks": bm25s(indexes),
    }
    if (grep := ripgrep()) is not None:
        systems["ripgrep"] = grep
    if arguments.semble is not None:
        systems["semble 0.7, static table from MiniLM"] = semble(arguments.semble, scratch / "semble")
    best: Embedder | None = None
    for embedder in _embedders(arguments):
        best = best or embedder
        result["embedding"][embedder.name] = _embed_all(indexes, repositories, embedder)
        systems |= {
            f"{embedder.name}, keywords and rules": ours(indexes, RankingConfig(), embedder),
            f"{embedder.name} and keywords, no rules": ours(indexes, NO_RULES, embedder),
            f"{embedder.name} alone": nearest(indexes, embedder),
        }
    for name, search in track(systems.items(), description="asking", console=Console(stderr=True)):
        result["systems"][name] = evaluate(search, repositories, num_timed=arguments.timed)
    result["without_one_rule"] = {
        name: _main_figures(ours(indexes, replace(RankingConfig(), **changes), best), repositories)
        for name, changes in track(WITHOUT.items(), description="without one rule", console=Console(stderr=True))
    }
    half = [_with_half_of_the_last_word(repository) for repository in repositories]
    result["last_word_half_typed"] = _main_figures(ours(indexes, RankingConfig()), half)
    return result


def _with_half_of_the_last_word(repository: Repository) -> Repository:
    """Return the repository with its queries as they are while their last word is being typed."""
    cut = [task.query.rsplit(maxsplit=1) for task in repository.tasks]
    halves = [[*words, last[: max(_MIN_TYPED, len(last) // 2)]] for *words, last in cut]
    tasks = (task._replace(query=" ".join(words)) for task, words in zip(repository.tasks, halves, strict=True))
    return repository._replace(tasks=tuple(tasks))


def _embedders(arguments: argparse.Namespace) -> list[Embedder]:
    found: list[Embedder] = []
    if arguments.encoder is not None:
        found.append(_encoder(arguments.encoder))
    if arguments.minilm:
        from benchmarks.minilm import MiniLmEmbedder  # noqa: PLC0415 - of the extra `bench`

        found.append(MiniLmEmbedder())
    return found


def _encoder(artifact: Path) -> LazyEncoder:
    return LazyEncoder(_place(artifact), num_threads=0)


def _place(artifact: Path) -> EncoderPlace:
    return EncoderPlace(artifact, default_cache())


def _command(arguments: argparse.Namespace) -> str:
    """Return the command line, folders of this computer as their option's name."""
    words = ["python -m benchmarks.search"]
    for name, value in vars(arguments).items():
        if isinstance(value, Path):
            words.append(f"--{name} {value if not value.is_absolute() else name.upper()}")
        elif value:
            words.append(f"--{name}" if value is True else f"--{name} {value}")
    return " ".join(words)


def _embed_all(indexes: Indexes, repositories: list[Repository], embedder: Embedder) -> dict[str, Any]:
    before, started, cpu = psutil.Process().memory_info().rss, time.perf_counter(), time.process_time()
    embedder.embed(["warm"])
    rates = {
        repository.name: round(rate, 1)
        for repository in track(repositories, description=embedder.name, console=Console(stderr=True))
        if (rate := indexes.embed(repository, embedder))
    }
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(time.process_time() - cpu, 1),
        "chunks_per_second": rates,
        "resident_mb_added": round((psutil.Process().memory_info().rss - before) / 1e6),
    }


def _main_figures(search: Search, repositories: list[Repository]) -> dict[str, float]:
    quality = evaluate(search, repositories, num_timed=0)["quality"]
    return {group: quality[group]["ndcg_at_10"] for group in _COLUMNS if group in quality}


def print_tables(result: dict[str, Any]) -> None:
    """Print the figures for a person."""
    console = Console()
    table = Table(title="NDCG@10", title_justify="left")
    for column in ("", *_COLUMNS, "p50 ms", "p95 ms"):
        table.add_column(column, justify="left" if not column else "right", no_wrap=not column)
    for name, row in result.get("systems", {}).items():
        figures = [row["quality"].get(group, {}).get("ndcg_at_10", "") for group in _COLUMNS]
        times = row["query_ms"]
        table.add_row(name, *map(str, figures), str(times.get("p50", "")), str(times.get("p95", "")))
    for name, row in result.get("without_one_rule", {}).items():
        table.add_row(f"without {name}", *(str(row.get(group, "")) for group in _COLUMNS), "", "")
    console.print(table)
    for figure in result.get("growth", []):
        console.print(figure)


if __name__ == "__main__":
    main()
