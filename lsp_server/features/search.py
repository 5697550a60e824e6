"""Find code by description: one question to the indexes of all folders of a workspace."""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from codet5p.lsp_server.index.config import RankingConfig
from codet5p.lsp_server.index.embedding import Embedder
from codet5p.lsp_server.index.query import Query, parse_query
from codet5p.lsp_server.index.ranking import rank
from codet5p.lsp_server.index.reader import Candidate, Counts, IndexReader, Symbol
from codet5p.lsp_server.index.snippet import Snippet, snippet_of

__all__ = ["Hit", "SearchAnswer", "SearchQuery", "Searcher", "SymbolHit"]

_LOGGER = logging.getLogger(__name__)
DEFAULT_LIMIT = 20
MAX_LIMIT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchQuery:
    """What is asked.

    Attributes:
        text: Words, a description or code; may hold filters.
        limit: Hits, at most 200.
        language: Only this language.
        path: Only files with this in their path.
    """

    text: str
    limit: int = DEFAULT_LIMIT
    language: str | None = None
    path: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A piece of code that answers.

    Attributes:
        file: Where it is.
        path: The same, relative to its workspace folder.
        name: Qualified name; the file's name for code that declares nothing.
        kind: Function, method, class or block.
        language: Its language.
        score: From 1 for the best hit down to 0.
        first_line: Its first line, from 0.
        text: All of it, as it was when it was indexed.
        snippet: The lines that answer best.
    """

    file: Path
    path: str
    name: str
    kind: str
    language: str
    score: float
    first_line: int
    text: str
    snippet: Snippet


class SymbolHit(NamedTuple):
    """A definition by its name."""

    file: Path
    symbol: Symbol


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchAnswer:
    """Hits, and what they were chosen from.

    Attributes:
        hits: The best first.
        indexed: Files searched.
        pending: Files known to have changed and not searched in their new state.
    """

    hits: tuple[Hit, ...]
    indexed: int
    pending: int


class _Folder(NamedTuple):
    root: Path
    database: Path


class Searcher:
    """Answers from the indexes of several folders; belongs to one thread."""

    def __init__(
        self, folders: Sequence[tuple[Path, Path]], config: RankingConfig, embedder: Embedder | None = None
    ) -> None:
        """Create a searcher.

        Args:
            folders: Root and index database of each folder; a database need not exist yet.
            config: How to rank.
            embedder: The dense side; None for keywords and rules alone.
        """
        self._folders = [_Folder(*folder) for folder in folders]
        self._config = config
        self._embedder = embedder
        self._readers: dict[Path, IndexReader] = {}

    def close(self) -> None:
        """Close all indexes."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def search(self, query: SearchQuery) -> SearchAnswer:
        """Return the best hits over all folders; a folder that is not indexed yet gives none."""
        parsed = parse_query(query.text, language=query.language, path=query.path)
        counts = self.counts()
        limit = min(max(query.limit, 0), MAX_LIMIT)
        hits = self._hits(parsed, limit) if parsed.words and limit else ()
        return SearchAnswer(hits=hits, indexed=counts.files, pending=counts.pending)

    def symbols(self, text: str, limit: int) -> list[SymbolHit]:
        """Return definitions whose name holds the letters of `text` in their order, the closest first."""
        found: list[SymbolHit] = []
        for folder in self._folders:
            with self._reading(folder) as reader:
                if reader is not None:
                    found += [SymbolHit(folder.root / symbol.path, symbol) for symbol in reader.symbols(text, limit)]
        return found[:limit]

    def counts(self) -> Counts:
        """Return how much all folders hold together."""
        model = self._embedder.name if self._embedder is not None else None
        total = Counts()
        for folder in self._folders:
            with self._reading(folder) as reader:
                if reader is not None:
                    total = Counts(*map(sum, zip(total, reader.counts(model), strict=True)))
        return total

    def _hits(self, query: Query, limit: int) -> tuple[Hit, ...]:
        embedder = self._embedder
        vector = embedder.embed([query.text])[0] if embedder is not None else None
        model = embedder.name if embedder is not None else ""
        candidates: list[Candidate] = []
        for folder in self._folders:
            with self._reading(folder) as reader:
                if reader is not None:
                    candidates += reader.candidates(query, self._config, vector, model)
        ranked = rank(candidates, query, self._config, limit)
        texts = self._texts(hit.candidate for hit in ranked)
        return tuple(
            _hit(hit.candidate, hit.score, texts[hit.candidate], query) for hit in ranked if hit.candidate in texts
        )

    def _texts(self, candidates: Iterable[Candidate]) -> dict[Candidate, str]:
        """Return the text of each candidate; none for what vanished since it was found."""
        wanted = list(candidates)
        texts: dict[Candidate, str] = {}
        for folder in self._folders:
            mine = [candidate for candidate in wanted if candidate.root == folder.root]
            with self._reading(folder) as reader:
                found = reader.texts(candidate.id for candidate in mine) if reader is not None and mine else {}
                texts |= {candidate: found[candidate.id] for candidate in mine if candidate.id in found}
        return texts

    @contextmanager
    def _reading(self, folder: _Folder) -> Iterator[IndexReader | None]:
        """Give the body a folder's reader, or None without an index; where it cannot be read, the body ends there.

        An index that fails is closed, to be opened anew next time: its writer may be replacing it.
        """
        reader = self._readers.get(folder.database)
        if reader is not None and not reader.is_current:
            self._readers.pop(folder.database).close()
            reader = None
        try:
            yield reader if reader is not None else self._open(folder)
        except sqlite3.Error as error:
            _LOGGER.warning("the search index %s cannot be read: %s", folder.database, error)
            if (failed := self._readers.pop(folder.database, None)) is not None:
                failed.close()

    def _open(self, folder: _Folder) -> IndexReader | None:
        if not folder.database.exists():
            return None
        try:
            self._readers[folder.database] = IndexReader(folder.database, folder.root)
        except (OSError, sqlite3.Error) as error:
            _LOGGER.info("the search index %s cannot be read yet: %s", folder.database, error)
        return self._readers.get(folder.database)


def _hit(candidate: Candidate, score: float, text: str, query: Query) -> Hit:
    return Hit(
        file=candidate.root / candidate.path,
        path=candidate.path,
        name=candidate.name or candidate.path.rsplit("/", 1)[-1],
        kind=candidate.kind,
        language=candidate.language,
        score=round(score, 4),
        first_line=candidate.first_line,
        text=text,
        snippet=snippet_of(text, query.words),
    )
