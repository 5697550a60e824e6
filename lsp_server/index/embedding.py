"""The dense side: whoever turns texts into vectors, and the filling of the index with them."""

from collections.abc import Sequence
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codet5p.lsp_server.index.store import IndexWriter

__all__ = ["Embedder", "embed_pending"]

_BATCH = 32


class Embedder(Protocol):
    """Texts to vectors whose dot product says how much alike they mean."""

    @property
    def name(self) -> str:
        """What tells its vectors from those of any other: the model's name and revision."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row for each text, float32 [N, width]; the released encoder's width is 256."""
        ...


def embed_pending(writer: IndexWriter, embedder: Embedder, stop: Event) -> int:
    """Embed every chunk whose content has no vector yet, in batches of similar length; return how many.

    Args:
        writer: The index.
        embedder: The model.
        stop: Set to end after the batch at hand; what was done is kept.

    Returns:
        Vectors written.
    """
    pending = writer.unembedded(embedder.name)
    num_done = 0
    for start in range(0, len(pending), _BATCH):
        if stop.is_set():
            break
        batch = pending[start : start + _BATCH]
        vectors = embedder.embed([text for _, text in batch])
        with writer.changing():
            writer.put_vectors(embedder.name, [digest for digest, _ in batch], vectors)
        num_done += len(batch)
    return num_done
