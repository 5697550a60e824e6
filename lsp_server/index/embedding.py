"""The dense side: who turns texts into vectors, what of a chunk they read, and the filling of the index with them."""

from collections.abc import Callable, Sequence
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codet5p.lsp_server.index.store import IndexWriter

__all__ = ["Embedder", "embed_pending", "embedded_text", "vector_model"]

_TEXT_VERSION = 2
"""Raised with every change to what of a chunk is embedded, so that older vectors are not mixed with newer ones."""
_MAX_CHARACTERS = 4000
"""More than the longest input of an encoder; what lies behind is cut off before it is split into tokens."""
_PAGE = 512
_BATCH = 32


class Embedder(Protocol):
    """Texts to vectors whose dot product says how much alike they mean."""

    @property
    def name(self) -> str:
        """What tells its vectors from those of any other: the model's name and revision."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row for each text, float32 [N, width]."""
        ...


def vector_model(embedder: Embedder) -> str:
    """Return what the index keeps the embedder's vectors under: its name, and the version of what it reads."""
    return f"{embedder.name}/{_TEXT_VERSION}"


def embedded_text(name: str, text: str) -> str:
    """Return what is embedded of a chunk: its qualified name, then its text from the start.

    The path is not part of it, so that a renamed file needs no new vectors.
    """
    return f"{name}\n{text}"[:_MAX_CHARACTERS]


def embed_pending(
    writer: IndexWriter,
    embedder: Embedder,
    stop: Event,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Embed every chunk whose content has no vector yet, in batches of similar length; return how many.

    Args:
        writer: The index.
        embedder: The model.
        stop: Set to end after the batch at hand; what was done is kept.
        progress: Called with chunks done and chunks to do.

    Returns:
        Vectors written.

    Raises:
        SearchIndexError: If the index cannot be written.
        EngineError: If the model fails.
    """
    model = vector_model(embedder)
    total, num_done, last_id = writer.count_unembedded(model), 0, 0
    while not stop.is_set() and (page := writer.unembedded(model, after=last_id, limit=_PAGE)):
        last_id = page[-1].id
        contents = {chunk.content_hash: chunk for chunk in page}
        chunks = sorted(contents.values(), key=lambda chunk: len(chunk.text))
        for batch in (chunks[start : start + _BATCH] for start in range(0, len(chunks), _BATCH)):
            if stop.is_set():
                break
            vectors = embedder.embed([embedded_text(chunk.name, chunk.text) for chunk in batch])
            with writer.changing():
                writer.put_vectors(model, [chunk.content_hash for chunk in batch], vectors)
            num_done += len(batch)
            progress(num_done, total)
    return num_done
