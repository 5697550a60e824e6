"""What searching costs as a workspace grows: synthetic code of any size, with vectors of the encoder's width.

The words follow Zipf's law, as those of code do; the vectors are random, since only their number costs.
"""

import itertools
import random
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.search_systems import index
from benchmarks.search_tasks import percentiles
from codet5p.lsp_server.features.search import Searcher, SearchQuery
from codet5p.lsp_server.index.config import IndexConfig, RankingConfig
from codet5p.lsp_server.index.embedding import Embedder, vector_model
from codet5p.lsp_server.index.indexer import update_index
from codet5p.lsp_server.index.reranking import Matcher, RerankConfig
from codet5p.lsp_server.index.store import IndexWriter

__all__ = ["growth"]

_WIDTH = 384
_FUNCTIONS_A_FILE = 20
_VOCABULARY = 20_000
_PAGE = 10_000
_NUM_QUERIES = 40
_NUM_EDITS = 5


class _RandomEmbedder:
    """Vectors of the encoder's width that mean nothing; questions go to the encoder where there is one."""

    name = "random"

    def __init__(self, encoder: Embedder | None) -> None:
        self._random = np.random.default_rng(0)
        self._encoder = encoder

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._encoder is not None and any(texts):
            return self._encoder.embed(texts)
        rows = self._random.standard_normal((len(texts), _WIDTH), np.float32)
        unit_NE: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit_NE


def growth(
    sizes: Sequence[int], scratch: Path, *, encoder: Embedder | None = None, matcher: Matcher | None = None
) -> list[dict[str, Any]]:
    """Return the cost of indexing, editing and asking for each number of functions.

    Args:
        sizes: Numbers of functions, growing.
        scratch: Where the workspaces and indexes go.
        encoder: Embeds the questions, so that its time counts; nothing does where None.
        matcher: Judges the best hits, for one more figure.

    Returns:
        Seconds, megabytes and milliseconds for each size.
    """
    return [_measure(size, scratch / f"synthetic-{size}", encoder, matcher) for size in sizes]


def _measure(size: int, root: Path, encoder: Embedder | None, matcher: Matcher | None) -> dict[str, Any]:
    words, database = _Words(), root.with_suffix(".sqlite")
    for number in range(max(1, size // _FUNCTIONS_A_FILE)):
        folder = root / f"part{number // 100}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file{number}.py").write_text(_file(words, min(size, _FUNCTIONS_A_FILE)), "utf-8")
    figure: dict[str, Any] = {"functions": size, **index(root, database)}
    figure |= _edits(root, database)
    queries = [" ".join(words.draw(5)) for _ in range(_NUM_QUERIES)]
    figure["query_ms_keywords"] = _ask(root, database, queries, None)
    embedder = _RandomEmbedder(encoder)
    _fill(database, embedder)
    figure["index_mb_with_vectors"] = round(database.stat().st_size / 1e6, 1)
    before = psutil.Process().memory_info().rss
    figure["query_ms_with_vectors"] = _ask(root, database, queries, embedder)
    figure["resident_mb_added"] = round((psutil.Process().memory_info().rss - before) / 1e6)
    if matcher is not None:
        figure["query_ms_with_matching"] = _ask(root, database, queries, embedder, matcher)
    return figure


class _Words:
    """Words as frequent as those of a language."""

    def __init__(self) -> None:
        self._random = random.Random(0)
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, _VOCABULARY + 1)))
        letters = "abcdefghijklmnopqrstuvwxyz"
        self._words = ["".join(self._random.choices(letters, k=self._random.randint(3, 9))) for _ in self._weights]

    def draw(self, count: int) -> list[str]:
        return self._random.choices(self._words, cum_weights=self._weights, k=count)


def _file(words: _Words, num_functions: int) -> str:
    functions = []
    for _ in range(num_functions):
        name, argument, *body = words.draw(14)
        lines = [f"    {left} = {argument}.{right}({left})" for left, right in itertools.pairwise(body[:8])]
        functions.append(f"def {name}_{body[8]}({argument}):\n" + "\n".join(lines) + f"\n    return {body[9]}\n")
    return "\n\n".join(functions)


def _fill(database: Path, embedder: Embedder) -> None:
    writer = IndexWriter.open(database)
    assert writer is not None
    model, last = vector_model(embedder), 0
    with writer:
        while page := writer.unembedded(model, after=last, limit=_PAGE):
            last = page[-1].id
            with writer.changing():
                writer.put_vectors(model, [chunk.content_hash for chunk in page], embedder.embed([""] * len(page)))


def _ask(
    root: Path, database: Path, queries: Sequence[str], embedder: Embedder | None, matcher: Matcher | None = None
) -> dict[str, float]:
    searcher = Searcher([(root, database)], RankingConfig(min_similarity=-1.0), embedder)
    searcher.match_with(matcher, RerankConfig())
    searcher.search(SearchQuery(text=queries[0]))  # reads the vectors
    milliseconds = []
    for query in queries:
        started = time.perf_counter()
        searcher.search(SearchQuery(text=query))
        milliseconds.append(1000 * (time.perf_counter() - started))
    searcher.close()
    return percentiles(milliseconds)


def _edits(root: Path, database: Path) -> dict[str, Any]:
    """Return the milliseconds until one saved file is indexed anew, and those of a look at all files."""
    edited = min(root.rglob("*.py"))
    writer = IndexWriter.open(database)
    assert writer is not None
    one = []
    with writer:
        for number in range(_NUM_EDITS):
            edited.write_text(edited.read_text("utf-8") + f"\n\ndef added_{number}():\n    return {number}\n", "utf-8")
            started = time.perf_counter()
            update_index(writer, root, IndexConfig(), Event(), paths=frozenset({edited.relative_to(root).as_posix()}))
            one.append(1000 * (time.perf_counter() - started))
        started = time.perf_counter()
        update_index(writer, root, IndexConfig(), Event())
        everything = time.perf_counter() - started
    return {"one_edit_ms": percentiles(one), "look_at_all_ms": round(1000 * everything, 1)}
