"""What `benchmarks.search` asks, and how answers are judged.

Two kinds of tasks. Semble's annotations (github.com/MinishLab/semble, MIT) ask for files, some for lines: a target
counts at the first hit in its file and lines, gains are binary, primary and secondary targets count alike. Queries made
of documentation ask for one function each, in a copy of the same repository without that documentation.
"""

import json
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.docstring_queries import copy_without_documentation
from codet5p.lsp_server.statistics import percentile

__all__ = ["CUTOFF", "Place", "Repository", "Search", "Task", "evaluate", "load_repositories", "percentiles"]

CUTOFF = 10
_TUNED_ON = frozenset({
    "fastapi", "aiohttp", "pydantic", "flask", "httpx", "requests", "click", "express", "gin", "cobra", "guzzle",
    "curl", "redis", "libuv", "abseil-cpp", "zod",
})  # fmt: skip


class Place(NamedTuple):
    """Lines of a file that a system returned; lines count from 1, both ends included."""

    path: str
    first: int
    last: int


class Task(NamedTuple):
    """One query with its right answers."""

    query: str
    category: str
    """`architecture`, `semantic` and `symbol` are semble's; `function` is documentation."""
    targets: tuple[Place, ...]
    """A target without lines spans the whole file."""


class Repository(NamedTuple):
    """A folder to search and its queries."""

    name: str
    language: str
    revision: str
    lacks_documentation: bool
    """Whether functions are asked for, and not files."""
    is_held_out: bool
    """Whether no weight was chosen on it, and the encoder's corpus does not hold it."""
    root: Path
    tasks: tuple[Task, ...]


Search = Callable[[Repository, str], list[Place]]


def load_repositories(
    data: Path, scratch: Path, *, names: frozenset[str] | None, num_functions: int
) -> Iterator[Repository]:
    """Yield each repository twice: as it is with semble's tasks, and without documentation with tasks made of it.

    Args:
        data: Holds `repos.json`, `annotations/` and `repos/`.
        scratch: Where the copies without documentation go.
        names: The only repositories to load; all where None.
        num_functions: Functions asked for in each repository, at most.

    Yields:
        Repositories; those that are not there are passed over.
    """
    for entry in json.loads((data / "repos.json").read_text("utf-8")):
        name, checkout = entry["name"], data / "repos" / entry["name"]
        annotations = data / "annotations" / f"{name}.json"
        if not checkout.exists() or not annotations.exists() or (names is not None and name not in names):
            continue
        root = checkout / (entry.get("benchmark_root") or "")
        asked = tuple(_task(item) for item in json.loads(annotations.read_text("utf-8")))
        language, revision = entry["language"], entry["revision"]
        is_held_out = name not in _TUNED_ON
        yield Repository(
            name, language, revision, lacks_documentation=False, is_held_out=is_held_out, root=root, tasks=asked
        )
        copy = scratch / "without-documentation" / name
        functions = copy_without_documentation(root, copy, count=num_functions)
        tasks = tuple(Task(item.query, "function", (Place(item.path, item.first, item.last),)) for item in functions)
        yield Repository(
            f"{name} without documentation", language, revision,
            lacks_documentation=True, is_held_out=is_held_out, root=copy, tasks=tasks,
        )  # fmt: skip


def _task(item: dict[str, Any]) -> Task:
    targets = []
    for target in [*item["relevant"], *item.get("secondary", [])]:
        spelled = target if isinstance(target, dict) else {"path": target}
        targets.append(Place(spelled["path"], spelled.get("start_line", 0), spelled.get("end_line", 10**9)))
    return Task(item["query"], item["category"], tuple(targets))


def evaluate(search: Search, repositories: Sequence[Repository], *, num_timed: int) -> dict[str, Any]:
    """Return quality by kind of task, on repositories that weights were chosen on and on others, and the time asked.

    Args:
        search: The system.
        repositories: What to search.
        num_timed: Queries of each repository that are asked once more, for the time; the first asking warms caches.

    Returns:
        Means over queries of NDCG@10, MRR and recall@10 by group; milliseconds, and those of them that this process
        computed, which a busy machine does not stretch.
    """
    scores: defaultdict[str, list[tuple[float, float, float]]] = defaultdict(list)
    times: list[tuple[float, float]] = []
    for repository in repositories:
        part = "held out" if repository.is_held_out else "tuned on"
        for number, task in enumerate(repository.tasks):
            judged = _judge(search(repository, task.query), task.targets)
            kind = "functions" if repository.lacks_documentation else "files"
            groups = [f"{kind}, {part}", f"{kind}, {part}, {repository.language}"]
            groups.append(f"{kind}, {repository.name.removesuffix(' without documentation')}")
            if kind == "files":
                groups.append(f"{task.category}, {part}")
            for group in groups:
                scores[group].append(judged)
            if number < num_timed:
                times.append(_timed(search, repository, task.query))
    return {
        "quality": {group: _means(rows) for group, rows in sorted(scores.items())},
        "query_ms": percentiles([wall for wall, _ in times]),
        "query_processor_ms": percentiles([busy for _, busy in times]),
    }


def _means(rows: Sequence[tuple[float, float, float]]) -> dict[str, float]:
    names = ("ndcg_at_10", "mrr", "recall_at_10")
    means = {
        name: round(statistics.mean(column), 3) for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }
    return means | {"queries": len(rows)}


def _judge(places: Sequence[Place], targets: Sequence[Place]) -> tuple[float, float, float]:
    """Return NDCG@10, reciprocal rank and recall@10 of one answer."""
    ranks = [rank for target in targets if (rank := _rank(places, target)) is not None]
    return _ndcg(ranks, len(targets)), 1 / min(ranks) if ranks else 0.0, len(ranks) / len(targets)


def _rank(places: Sequence[Place], target: Place) -> int | None:
    """Return the rank, from 1, of the first place that covers a line of the target."""
    for rank, place in enumerate(places[:CUTOFF], 1):
        is_same_file = target.path == place.path or target.path.endswith(f"/{place.path}")
        if is_same_file and place.first <= target.last and place.last >= target.first:
            return rank
    return None


def _ndcg(ranks: Sequence[int], num_targets: int) -> float:
    gain = sum(1 / math.log2(rank + 1) for rank in set(ranks))  # two targets at one rank count once, as in semble
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(num_targets, CUTOFF) + 1))
    return gain / ideal


def _timed(search: Search, repository: Repository, query: str) -> tuple[float, float]:
    started, busy = time.perf_counter(), time.process_time()
    search(repository, query)
    return 1000 * (time.perf_counter() - started), 1000 * (time.process_time() - busy)


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return p50 and p95, to a tenth; nothing where nothing was measured."""
    return {
        name: round(value, 1)
        for name, share in (("p50", 0.5), ("p95", 0.95))
        if (value := percentile(milliseconds, share)) is not None
    }
