"""How well and how fast code is found: NDCG@10, MRR, recall@10, times and sizes, beside other ways to search.

    python -m benchmarks.search --data DIR [--large DIR] [--minilm DIR] [--output FILE]

DIR holds `repos.json` and `annotations/<name>.json` as the semble project publishes them (github.com/MinishLab/semble,
MIT), and the repositories at the commits that `repos.json` names under `repos/<name>/`. None of it is part of this
repository. Scores follow semble's protocol: the folder `benchmark_root` is indexed, a target counts at the first hit
in its file (and in its lines, where it names lines), gains are binary, primary and secondary targets count alike, and
each figure is the mean over queries. `--large` measures growth and latency on any folder of code.

Every system but ripgrep ranks the same chunks. The weights of our rules were chosen on the queries of fastapi, aiohttp
and pydantic, in steps of two; the sweep is part of the result, so that the reader can see how little hangs on any one
of them. `results/search_held_out.json` is the same measure on gin and express, looked at only afterwards.
"""

import argparse
import json
import math
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.machine import ROOT, describe_machine
from codet5p.lsp_server.features.search import Searcher, SearchQuery
from codet5p.lsp_server.index.config import IndexConfig, RankingConfig
from codet5p.lsp_server.index.embedding import Embedder, embed_pending, vector_model
from codet5p.lsp_server.index.indexer import update_index
from codet5p.lsp_server.index.query import parse_query
from codet5p.lsp_server.index.reader import IndexReader
from codet5p.lsp_server.index.store import IndexWriter
from codet5p.lsp_server.index.words import words_of
from codet5p.lsp_server.statistics import percentile

_CUTOFF = 10
_REPEATS = 5
_NO_RULES = RankingConfig(
    definition_boost=0.0, name_boost=0.0, file_name_boost=0.0, coherence_boost=0.0, saturation=1.0,
    test_factor=1.0, example_factor=1.0, legacy_factor=1.0, generated_factor=1.0, vendored_factor=1.0,
    reexport_factor=1.0,
)  # fmt: skip
_WITHOUT: dict[str, dict[str, float]] = {
    "definitions": {"definition_boost": 0.0},
    "names": {"name_boost": 0.0},
    "file names": {"file_name_boost": 0.0},
    "file coherence": {"coherence_boost": 0.0},
    "saturation": {"saturation": 1.0},
    "roles of files": dict.fromkeys(
        ("test_factor", "example_factor", "legacy_factor", "generated_factor", "vendored_factor"), 1.0
    ),
    "words in names and paths": {"name_weight": 1.0, "path_weight": 1.0},
}
_SWEPT = ("name_weight", "path_weight", "definition_boost", "name_boost", "file_name_boost", "coherence_boost")


class Place(NamedTuple):
    """Lines of a file that a system returned; lines count from 1, both ends included."""

    path: str
    first: int
    last: int


class Task(NamedTuple):
    """One annotated query."""

    query: str
    category: str
    targets: tuple[Place, ...]
    """A target without lines spans the whole file."""


class Repository(NamedTuple):
    """A folder to search, its index and its queries."""

    name: str
    root: Path
    database: Path
    tasks: tuple[Task, ...]


Search = Callable[[Repository, str], list[Place]]


def main() -> None:
    """Measure, print a table and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="annotations and repositories")
    parser.add_argument("--large", type=Path, help="a folder of code for the measures of speed and growth")
    parser.add_argument("--minilm", type=Path, help="also all-MiniLM-L6-v2, its vectors kept in this folder")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results" / "search.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(arguments.data, arguments.large, Path(folder), arguments.minilm)
    arguments.output.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print_tables(result)


def measure(data: Path, large: Path | None, scratch: Path, vectors: Path | None) -> dict[str, Any]:
    """Return all figures of one run."""
    result: dict[str, Any] = {"machine": describe_machine(), "protocol": "semble annotations, NDCG@10 over all queries"}
    repositories, result["indexing"] = _index_all(data, scratch)
    systems = _systems(repositories)
    if vectors is not None:
        dense, result["minilm_indexing"] = _dense_systems(repositories, vectors)
        systems |= dense
    result["systems"] = {
        name: _evaluate(search, repositories) for name, search in track(systems.items(), console=Console(stderr=True))
    }
    result["without_one_rule"] = {
        name: _ndcg(repositories, replace(RankingConfig(), **changes)) for name, changes in _WITHOUT.items()
    }
    result["sweep"] = {
        f"{name} x {factor}": _ndcg(repositories, replace(RankingConfig(), **{name: factor * value}))
        for name in _SWEPT
        for factor in (0.5, 2.0)
        if (value := getattr(RankingConfig(), name))
    }
    if large is not None:
        queries = [task.query for repository in repositories for task in repository.tasks]
        result["growth"] = _growth(large, scratch, queries)
    return result


def _index_all(data: Path, scratch: Path) -> tuple[list[Repository], dict[str, Any]]:
    repositories, figures = [], {}
    for entry in json.loads((data / "repos.json").read_text("utf-8")):
        name = entry["name"]
        annotations, checkout = data / "annotations" / f"{name}.json", data / "repos" / name
        if not annotations.exists() or not checkout.exists():
            continue
        tasks = tuple(_task(item) for item in json.loads(annotations.read_text("utf-8")))
        root = checkout / (entry.get("benchmark_root") or "")
        database = scratch / f"{name}.sqlite"
        figures[name] = {"revision": entry["revision"], "queries": len(tasks), **_index(root, database)}
        repositories.append(Repository(name, root, database, tasks))
    return repositories, figures


def _task(item: dict[str, Any]) -> Task:
    targets = []
    for target in [*item["relevant"], *item.get("secondary", [])]:
        spelled = target if isinstance(target, dict) else {"path": target}
        targets.append(Place(spelled["path"], spelled.get("start_line", 0), spelled.get("end_line", 10**9)))
    return Task(item["query"], item["category"], tuple(targets))


def _index(root: Path, database: Path) -> dict[str, Any]:
    started = time.perf_counter()
    writer = IndexWriter.open(database)
    assert writer is not None
    with writer:
        update_index(writer, root, IndexConfig(), Event())
    seconds = time.perf_counter() - started
    reader = IndexReader(database, root)
    counts = reader.counts()
    reader.close()
    return {
        "files": counts.files,
        "chunks": counts.chunks,
        "seconds": round(seconds, 2),
        "chunks_per_second": round(counts.chunks / seconds),
        "index_mb": round(database.stat().st_size / 1e6, 1),
    }


def _systems(repositories: Sequence[Repository]) -> dict[str, Search]:
    systems: dict[str, Search] = {
        "codet5p, BM25 and rules": _ours(RankingConfig()),
        "codet5p, BM25 alone": _ours(_NO_RULES),
        "bm25s, same chunks": _bm25s(repositories),
    }
    if shutil.which("rg"):
        systems["ripgrep"] = _ripgrep
    return systems


def _ours(config: RankingConfig, embedder: Embedder | None = None) -> Search:
    searchers: dict[str, Searcher] = {}

    def search(repository: Repository, query: str) -> list[Place]:
        if repository.name not in searchers:
            searchers[repository.name] = Searcher([(repository.root, repository.database)], config, embedder)
        hits = searchers[repository.name].search(SearchQuery(text=query, limit=_CUTOFF)).hits
        return [Place(hit.path, hit.first_line + 1, hit.first_line + 1 + hit.text.count("\n")) for hit in hits]

    return search


def _bm25s(repositories: Sequence[Repository]) -> Search:
    import bm25s  # noqa: PLC0415 - of the extra `bench`

    indexes: dict[str, tuple[Any, list[Place]]] = {}
    for repository in repositories:
        places, texts = _chunks(repository)
        retriever = bm25s.BM25()
        retriever.index([list(words_of(text)) for text in texts], show_progress=False)
        indexes[repository.name] = retriever, places

    def search(repository: Repository, query: str) -> list[Place]:
        retriever, places = indexes[repository.name]
        rows, scores = retriever.retrieve([list(parse_query(query).words)], k=_CUTOFF, show_progress=False)
        return [places[row] for row, score in zip(rows[0], scores[0], strict=True) if score > 0]

    return search


def _chunks(repository: Repository) -> tuple[list[Place], list[str]]:
    import sqlite3  # noqa: PLC0415 - only to read all of an index at once

    connection = sqlite3.connect(repository.database)
    rows = connection.execute(
        "SELECT f.path, c.first_line, c.name, c.text FROM chunks c JOIN files f ON f.id = c.file_id ORDER BY c.id"
    ).fetchall()
    connection.close()
    places = [Place(path, first + 1, first + 1 + text.count("\n")) for path, first, _, text in rows]
    return places, [f"{path} {name}\n{text}" for path, _, name, text in rows]


def _ripgrep(repository: Repository, query: str) -> list[Place]:
    """Return the files with the most lines that match a word of the query, as a person with ripgrep would rank them."""
    words = "|".join(parse_query(query).words)
    command = ["rg", "--count", "--ignore-case", "--no-messages", "--regexp", words, "."]
    output = subprocess.run(command, cwd=repository.root, capture_output=True, text=True, check=False).stdout
    counted = [line.rpartition(":") for line in output.splitlines()]
    best = sorted(counted, key=lambda row: -int(row[2]))[:_CUTOFF]
    return [Place(path.removeprefix("./"), 0, 10**9) for path, _, _ in best]


def _dense_systems(repositories: Sequence[Repository], folder: Path) -> tuple[dict[str, Search], dict[str, Any]]:
    from benchmarks.minilm import MiniLmEmbedder  # noqa: PLC0415 - of the extra `bench`

    embedder = MiniLmEmbedder()
    started, num_chunks = time.perf_counter(), 0
    databases = {repository.name: folder / f"{repository.name}-minilm.sqlite" for repository in repositories}
    for repository in track(repositories, description="embedding", console=Console(stderr=True)):
        _index(repository.root, databases[repository.name])
        writer = IndexWriter.open(databases[repository.name])
        assert writer is not None
        with writer:
            num_chunks += embed_pending(writer, embedder, Event())
    seconds = time.perf_counter() - started
    figures = {"chunks": num_chunks, "seconds": round(seconds, 1), "chunks_per_second": round(num_chunks / seconds, 1)}
    systems = {
        name: _on(search, databases)
        for name, search in (
            ("MiniLM alone", _nearest(embedder)),
            ("codet5p, BM25 and MiniLM fused", _ours(_NO_RULES, embedder)),
            ("codet5p, BM25, MiniLM and rules", _ours(RankingConfig(), embedder)),
        )
    }
    return systems, figures


def _on(search: Search, databases: dict[str, Path]) -> Search:
    """Return `search` on other indexes of the same repositories."""
    return lambda repository, query: search(repository._replace(database=databases[repository.name]), query)


def _nearest(embedder: Embedder) -> Search:
    readers: dict[str, IndexReader] = {}

    def search(repository: Repository, query: str) -> list[Place]:
        if repository.name not in readers:
            readers[repository.name] = IndexReader(repository.database, repository.root)
        reader = readers[repository.name]
        wordless = replace(parse_query(query), words=(), symbols=())
        vector = embedder.embed([query])[0]
        config = RankingConfig(num_candidates=_CUTOFF)
        found = reader.candidates(wordless, config, vector, vector_model(embedder))
        found.sort(key=lambda candidate: -(candidate.similarity or 0.0))
        texts = reader.texts(candidate.id for candidate in found)
        return [
            Place(item.path, item.first_line + 1, item.first_line + 1 + texts[item.id].count("\n")) for item in found
        ]

    return search


def _evaluate(search: Search, repositories: Sequence[Repository]) -> dict[str, Any]:
    scores: defaultdict[str, list[float]] = defaultdict(list)
    reciprocal_ranks, recalls, milliseconds = [], [], []
    for repository in repositories:
        for task in repository.tasks:
            places = search(repository, task.query)  # the first time warms what is loaded lazily
            milliseconds.append(statistics.median(_timed(search, repository, task.query) for _ in range(_REPEATS)))
            ranks = [rank for target in task.targets if (rank := _rank(places, target)) is not None]
            reciprocal_ranks.append(1 / min(ranks) if ranks else 0.0)
            recalls.append(len(ranks) / len(task.targets))
            for group in ("all", repository.name, task.category):
                scores[group].append(_ndcg_of(ranks, len(task.targets)))
    return {
        "ndcg_at_10": {group: round(statistics.mean(values), 3) for group, values in scores.items()},
        "mrr": round(statistics.mean(reciprocal_ranks), 3),
        "recall_at_10": round(statistics.mean(recalls), 3),
        "query_ms": _percentiles(milliseconds),
    }


def _timed(search: Search, repository: Repository, query: str) -> float:
    started = time.perf_counter()
    search(repository, query)
    return 1000 * (time.perf_counter() - started)


def _ndcg(repositories: Sequence[Repository], config: RankingConfig) -> float:
    search = _ours(config)
    values = []
    for repository in repositories:
        for task in repository.tasks:
            places = search(repository, task.query)
            ranks = [rank for target in task.targets if (rank := _rank(places, target)) is not None]
            values.append(_ndcg_of(ranks, len(task.targets)))
    return round(statistics.mean(values), 3)


def _rank(places: Sequence[Place], target: Place) -> int | None:
    """Return the rank, from 1, of the first place that covers a line of the target."""
    for rank, place in enumerate(places[:_CUTOFF], 1):
        is_same_file = target.path == place.path or target.path.endswith(f"/{place.path}")
        if is_same_file and place.first <= target.last and place.last >= target.first:
            return rank
    return None


def _ndcg_of(ranks: Sequence[int], num_targets: int) -> float:
    gain = sum(1 / math.log2(rank + 1) for rank in set(ranks))  # two targets at one rank count once, as in semble
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(num_targets, _CUTOFF) + 1))
    return gain / ideal


def _growth(large: Path, scratch: Path, queries: Sequence[str]) -> list[dict[str, Any]]:
    """Return the cost of indexing and asking as a folder grows: 3, 10 and 30 percent of its files, and all."""
    files = sorted(path for path in large.rglob("*.py"))
    figures = []
    for share in (0.03, 0.1, 0.3, 1.0):
        root = scratch / f"grown-{share}"
        for path in files[:: round(1 / share)]:
            copy = root / path.relative_to(large)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        database = scratch / f"grown-{share}.sqlite"
        before = psutil.Process().memory_info().rss
        figure = _index(root, database) | {
            "resident_mb_added": round((psutil.Process().memory_info().rss - before) / 1e6)
        }
        figure |= _update_times(root, database)
        searcher = Searcher([(root, database)], RankingConfig())
        milliseconds = []
        for query in queries:
            started = time.perf_counter()
            searcher.search(SearchQuery(text=query))
            milliseconds.append(1000 * (time.perf_counter() - started))
        searcher.close()
        figures.append(figure | {"query_ms": _percentiles(milliseconds)})
        shutil.rmtree(root)
    return figures


def _update_times(root: Path, database: Path) -> dict[str, Any]:
    """Return the milliseconds until one saved file is indexed anew, and those of a look at all files."""
    edited = min(root.rglob("*.py"))
    writer = IndexWriter.open(database)
    assert writer is not None
    with writer:
        edited.write_text(edited.read_text("utf-8") + "\n\ndef added_by_the_benchmark():\n    return 1\n", "utf-8")
        started = time.perf_counter()
        update_index(writer, root, IndexConfig(), Event(), paths=frozenset({edited.relative_to(root).as_posix()}))
        one = time.perf_counter() - started
        started = time.perf_counter()
        update_index(writer, root, IndexConfig(), Event())
        everything = time.perf_counter() - started
    return {"one_edit_ms": round(1000 * one, 1), "look_at_all_ms": round(1000 * everything, 1)}


def _percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    return {
        name: round(value, 1)
        for name, share in (("p50", 0.5), ("p95", 0.95))
        if (value := percentile(milliseconds, share)) is not None
    }


def print_tables(result: dict[str, Any]) -> None:
    """Print the figures for a person."""
    console = Console()
    table = Table(title="Finding code by description", title_justify="left")
    for column in ("", "NDCG@10", "MRR", "recall@10", "p50 ms", "p95 ms"):
        table.add_column(column, justify="left" if not column else "right")
    for name, row in result["systems"].items():
        times = row["query_ms"]
        figures = (row["ndcg_at_10"]["all"], row["mrr"], row["recall_at_10"], times["p50"], times["p95"])
        table.add_row(name, *map(str, figures))
    console.print(table)
    for name, value in result["without_one_rule"].items():
        console.print(f"without {name}: {value}")
    for figure in result.get("growth", []):
        console.print(figure)


if __name__ == "__main__":
    main()
