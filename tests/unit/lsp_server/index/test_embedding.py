from collections.abc import Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray

from codet5p.lsp_server.features.search import Searcher, SearchQuery
from codet5p.lsp_server.index.config import IndexConfig, RankingConfig
from codet5p.lsp_server.index.embedding import embed_pending
from codet5p.lsp_server.index.indexer import update_index
from codet5p.lsp_server.index.store import IndexWriter

_TOPICS = ("dog", "cat", "car")
_TOPIC_OF = {"hound": "dog", "puppy": "dog", "kitten": "cat", "feline": "cat", "engine": "car", "wheel": "car"}


class TopicEmbedder:
    """Knows three topics by their words: texts on one topic share no word and are near."""

    name = "topics-1"

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.lengths += [len(text) for text in texts]
        vectors = np.array(
            [
                [sum(_TOPIC_OF[word] == topic for word in _TOPIC_OF if word in text) for topic in _TOPICS]
                for text in texts
            ],
            np.float32,
        )
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


@pytest.fixture
def indexed(tmp_path: Path) -> tuple[Path, Path]:
    root = tmp_path / "root"
    root.mkdir()
    for word in ("hound", "kitten", "wheel"):
        (root / f"{word[0]}.py").write_text(f"def about_{word}():\n    return 1\n", "utf-8")
    database = tmp_path / "a.sqlite"
    writer = IndexWriter.open(database)
    assert writer is not None
    with writer:
        update_index(writer, root, IndexConfig(), Event())
        embedder = TopicEmbedder()
        assert embed_pending(writer, embedder, Event()) == 3
        assert embedder.lengths == sorted(embedder.lengths)
        assert embed_pending(writer, embedder, Event()) == 0
    return root, database


def names(indexed: tuple[Path, Path], text: str, *, is_dense: bool = True) -> list[str]:
    searcher = Searcher([indexed], RankingConfig(), TopicEmbedder() if is_dense else None)
    hits = searcher.search(SearchQuery(text=text)).hits
    searcher.close()
    return [hit.name for hit in hits]


def test_meaning_finds_what_shares_no_word(indexed: tuple[Path, Path]) -> None:
    assert names(indexed, "puppy", is_dense=False) == []
    assert names(indexed, "puppy")[0] == "about_hound"
    assert names(indexed, "feline")[0] == "about_kitten"


def test_filters_hold_for_meaning_too(indexed: tuple[Path, Path]) -> None:
    assert names(indexed, "puppy path:k.py") == ["about_kitten"]
    assert names(indexed, "puppy lang:go") == []


def test_a_stopped_embedding_keeps_what_it_did(indexed: tuple[Path, Path]) -> None:
    writer = IndexWriter.open(indexed[1])
    assert writer is not None
    stop = Event()
    stop.set()
    with writer:
        other = TopicEmbedder()
        other.name = "topics-2"
        assert embed_pending(writer, other, stop) == 0
        assert len(writer.unembedded("topics-2")) == 3
        assert writer.unembedded("topics-1") == []


def test_counts_tell_how_much_is_embedded(indexed: tuple[Path, Path]) -> None:
    searcher = Searcher([indexed], RankingConfig(), TopicEmbedder())
    counts = searcher.counts()
    searcher.close()
    assert (counts.vectors, counts.unembedded) == (3, 0)
