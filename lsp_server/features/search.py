"""Find code by description: one question to the indexes of all folders of a workspace."""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codet5p.core.errors import CodeT5pError
from codet5p.lsp_server.index.chunker import Chunk, chunk_file, indexed_language
from codet5p.lsp_server.index.config import RankingConfig
from codet5p.lsp_server.index.embedding import Embedder, embedded_text, vector_model
from codet5p.lsp_server.index.query import Query, parse_query
from codet5p.lsp_server.index.ranking import Ranked, rank, rank_similar
from codet5p.lsp_server.index.reader import Candidate, Counts, IndexReader, Symbol
from codet5p.lsp_server.index.reranking import Matcher, Pace, RerankConfig, rerank
from codet5p.lsp_server.index.snippet import Snippet, snippet_of
from codet5p.lsp_server.index.words import query_words

__all__ = ["Hit", "SearchAnswer", "SearchQuery", "Searcher", "SimilarQuery", "SymbolHit"]

_LOGGER = logging.getLogger(__name__)
DEFAULT_LIMIT = 20
MAX_LIMIT = 200
_SIMILAR_WORDS = 96
_CODE_RANKING = RankingConfig(name_weight=1.0, path_weight=0.0)
"""Code is like code by what it does; what it is called is one word among the others."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class SimilarQuery:
    """The code that others are wanted like.

    Attributes:
        file: Its file, in one of the folders.
        text: What the file holds now; None for what it held when it was indexed.
        line: A line of the code, from 0.
        limit: Hits, at most 200.
    """

    file: Path
    line: int
    text: str | None = None
    limit: int = DEFAULT_LIMIT


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
        self._matcher: Matcher | None = None
        self._rerank_config = RerankConfig()
        self._pace = Pace()
        self._readers: dict[Path, IndexReader] = {}

    def use(self, embedder: Embedder | None) -> None:
        """Embed queries with `embedder` from now on."""
        self._embedder = embedder

    def match_with(self, matcher: Matcher | None, config: RerankConfig) -> None:
        """Have the best hits judged by a matching head from now on; by none where None."""
        self._matcher = matcher
        self._rerank_config = config
        self._pace = Pace()

    def close(self) -> None:
        """Close all indexes."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def search(self, query: SearchQuery, *, is_quick: bool = False) -> SearchAnswer:
        """Return the best hits over all folders; a folder that is not indexed yet gives none.

        Args:
            query: What is asked.
            is_quick: Answer by words and rules alone, without any model.

        Returns:
            Hits, the best first.
        """
        parsed = parse_query(query.text, language=query.language, path=query.path)
        limit = min(max(query.limit, 0), MAX_LIMIT)
        if not parsed.words or not limit:
            return self._answer(())
        vector, model = (None, "") if is_quick else self._vector(parsed.text)
        ranked = rank(self._candidates(parsed, self._config, vector, model), parsed, self._config, limit)
        texts = self._texts(hit.candidate for hit in ranked)
        if not is_quick:
            ranked = self._reranked(ranked, texts, parsed.text)
        return self._answer(_hits(ranked, texts, parsed.words))

    def similar(self, query: SimilarQuery) -> SearchAnswer:
        """Return the code most like that at a line, itself left out; none where the line belongs to no code.

        A score is the mean of the cosine of the two meanings and of the share of BM25 that the code has with itself;
        without an encoder the latter alone.
        """
        chunk = self._chunk_at(query)
        limit = min(max(query.limit, 0), MAX_LIMIT)
        if chunk is None or not limit:
            return self._answer(())
        words = tuple(query_words(f"{chunk.name}\n{chunk.text}", _SIMILAR_WORDS))
        code = Query(text="", words=words, symbols=())
        vector, model = self._vector(embedded_text(chunk.name, chunk.text))
        ranked = rank_similar(self._candidates(code, _CODE_RANKING, vector, model))
        lines = range(chunk.first_line, chunk.first_line + 1 + chunk.text.count("\n"))
        others = [
            hit
            for hit in ranked
            if hit.candidate.root / hit.candidate.path != query.file or hit.candidate.first_line not in lines
        ]
        return self._answer(_hits(others[:limit], self._texts(hit.candidate for hit in others[:limit]), words))

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
        model = vector_model(self._embedder) if self._embedder is not None else None
        total = Counts()
        for folder in self._folders:
            with self._reading(folder) as reader:
                if reader is not None:
                    total = Counts(*map(sum, zip(total, reader.counts(model), strict=True)))
        return total

    def _answer(self, hits: tuple[Hit, ...]) -> SearchAnswer:
        indexed = pending = 0
        for folder in self._folders:
            with self._reading(folder) as reader:
                if reader is not None:
                    progress = reader.progress()
                    indexed, pending = indexed + progress.files, pending + progress.pending
        return SearchAnswer(hits=hits, indexed=indexed, pending=pending)

    def _vector(self, text: str) -> tuple[NDArray[np.float32] | None, str]:
        """Return the vector of a text and what its like is kept under; None while nothing is embedded."""
        if self._embedder is None:
            return None, ""
        model = vector_model(self._embedder)
        for folder in self._folders:
            with self._reading(folder) as reader:
                if reader is not None and reader.has_vectors(model):
                    return self._embedded(text), model
        return None, model

    def _embedded(self, text: str) -> NDArray[np.float32] | None:
        """Return a text's vector, or None from the moment on when the encoder fails: keywords go on without it."""
        assert self._embedder is not None
        try:
            vector: NDArray[np.float32] = self._embedder.embed([text])[0]
        except CodeT5pError as error:
            _LOGGER.error("%s; search goes by keywords alone", error)  # noqa: TRY400 - one line; the error names all
            self._embedder = None
            return None
        return vector

    def _reranked(self, ranked: list[Ranked], texts: Mapping[Candidate, str], query: str) -> list[Ranked]:
        if self._matcher is None:
            return ranked
        try:
            return rerank(ranked, texts, query, self._matcher, self._rerank_config, self._pace)
        except CodeT5pError as error:
            _LOGGER.error("%s; hits are not matched any more", error)  # noqa: TRY400 - likewise
            self._matcher = None
            return ranked

    def _candidates(
        self, query: Query, config: RankingConfig, vector: NDArray[np.float32] | None, model: str
    ) -> list[Candidate]:
        candidates: list[Candidate] = []
        for folder in self._folders:
            with self._reading(folder) as reader:
                if reader is not None:
                    candidates += reader.candidates(query, config, vector, model)
        return candidates

    def _chunk_at(self, query: SimilarQuery) -> Chunk | None:
        """Return the chunk that holds a line of a file as it is now, or as it was indexed."""
        holding = [folder for folder in self._folders if query.file.is_relative_to(folder.root)]
        if not holding:
            return None
        folder = max(holding, key=lambda folder: len(folder.root.parts))  # folders of a workspace may be nested
        path = query.file.relative_to(folder.root).as_posix()
        if query.text is None:
            with self._reading(folder) as reader:
                chunks = reader.chunks_of(path) if reader is not None else []
        else:
            chunks = chunk_file(query.text, path) if indexed_language(path) is not None else []
        return next((chunk for chunk in chunks if 0 <= query.line - chunk.first_line <= chunk.text.count("\n")), None)

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


def _hits(ranked: Iterable[Ranked], texts: Mapping[Candidate, str], words: Sequence[str]) -> tuple[Hit, ...]:
    """Return what can be shown; what vanished since it was found is left out."""
    return tuple(
        _hit(hit.candidate, hit.score, texts[hit.candidate], words) for hit in ranked if hit.candidate in texts
    )


def _hit(candidate: Candidate, score: float, text: str, words: Sequence[str]) -> Hit:
    return Hit(
        file=candidate.root / candidate.path,
        path=candidate.path,
        name=candidate.name or candidate.path.rsplit("/", 1)[-1],
        kind=candidate.kind,
        language=candidate.language,
        score=round(score, 4),
        first_line=candidate.first_line,
        text=text,
        snippet=snippet_of(text, words),
    )
