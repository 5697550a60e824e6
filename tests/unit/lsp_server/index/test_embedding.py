from collections.abc import Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray

from codet5p.lsp_server.features.search import Searcher, SearchQuery
from codet5p.lsp_server.index import embedding
from codet5p.lsp_server.index.config import IndexConfig, RankingConfig
from codet5p.lsp_server.index.embedding import embed_pending, embedded_text, vector_model
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
    assert names(indexed, "puppy path:h.py") == ["about_hound"]
    assert names(indexed, "puppy path:k.py") == []  # far from it in meaning too
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
        assert len(writer.unembedded(vector_model(other))) == 3
        assert writer.unembedded(vector_model(TopicEmbedder())) == []


def test_equal_code_is_embedded_once_however_many_pages_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_PAGE", 2)
    (tmp_path / "root").mkdir()
    for number in range(5):
        (tmp_path / "root" / f"{number}.py").write_text("def about_hound():\n    return 1\n", "utf-8")
    writer = IndexWriter.open(tmp_path / "a.sqlite")
    assert writer is not None
    steps: list[tuple[int, int]] = []
    with writer:
        update_index(writer, tmp_path / "root", IndexConfig(), Event())
        embedder = TopicEmbedder()
        assert embed_pending(writer, embedder, Event(), lambda done, total: steps.append((done, total))) == 1
    assert len(embedder.lengths) == 1
    assert steps == [(1, 1)]


def test_a_name_is_embedded_with_its_code_and_no_more_than_an_encoder_reads() -> None:
    assert embedded_text("Parser.parse", "def parse(): ...") == "Parser.parse\ndef parse(): ..."
    assert len(embedded_text("f", "x" * 10**6)) < 10**4


def test_nothing_is_asked_of_the_encoder_while_nothing_is_embedded(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.py").write_text("def about_hound():\n    return 1\n", "utf-8")
    writer = IndexWriter.open(tmp_path / "a.sqlite")
    assert writer is not None
    with writer:
        update_index(writer, tmp_path / "root", IndexConfig(), Event())
    embedder = TopicEmbedder()
    searcher = Searcher([(tmp_path / "root", tmp_path / "a.sqlite")], RankingConfig(), embedder)
    assert [hit.name for hit in searcher.search(SearchQuery(text="hound")).hits] == ["about_hound"]
    searcher.close()
    assert embedder.lengths == []


def test_vectors_that_come_while_one_searches_are_used(tmp_path: Path) -> None:
    root, database = tmp_path / "root", tmp_path / "a.sqlite"
    root.mkdir()
    writer = IndexWriter.open(database)
    assert writer is not None
    searcher = Searcher([(root, database)], RankingConfig(), TopicEmbedder())
    with writer:
        for word, query in (("hound", "puppy"), ("kitten", "feline")):
            (root / f"{word}.py").write_text(f"def about_{word}():\n    return 1\n", "utf-8")
            update_index(writer, root, IndexConfig(), Event())
            embed_pending(writer, TopicEmbedder(), Event())
            assert searcher.search(SearchQuery(text=query)).hits[0].name == f"about_{word}"
    searcher.close()


def test_counts_tell_how_much_is_embedded(indexed: tuple[Path, Path]) -> None:
    searcher = Searcher([indexed], RankingConfig(), TopicEmbedder())
    counts = searcher.counts()
    searcher.close()
    assert (counts.vectors, counts.unembedded) == (3, 0)
