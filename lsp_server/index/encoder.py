"""The released encoder on its way to the index: which artifact has one, and loading it when it is first needed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codet5p.core.artifact import load_manifest
from codet5p.core.errors import ArtifactError

if TYPE_CHECKING:
    from codet5p.lsp_server.engine.encoder_engine import EncoderEngine

__all__ = ["EncoderPlace", "LazyEncoder", "find_encoder"]

_OWN_ARTIFACT = "embedding"


class EncoderPlace(NamedTuple):
    """An artifact that offers `embed`, and where its model is assembled."""

    artifact: Path
    cache: Path


def find_encoder(artifact: Path, cache: Path) -> EncoderPlace | None:
    """Return the encoder to search with: that of the folder `embedding` beside `artifact`, else that of `artifact`.

    Args:
        artifact: The artifact that completes.
        cache: Folder for assembled models.

    Returns:
        The place, or None where neither offers to embed; then search goes by keywords alone.
    """
    for folder in (artifact.parent / _OWN_ARTIFACT, artifact):
        try:
            if "embed" in load_manifest(folder).modes:
                return EncoderPlace(folder, cache)
        except ArtifactError:
            continue  # not there; a damaged one is reported by doctor
    return None


class LazyEncoder:
    """An `Embedder` that knows its name at once and loads its model with the first text, so that none costs nothing."""

    def __init__(self, place: EncoderPlace, *, num_threads: int) -> None:
        """Read the manifest.

        Args:
            place: As found.
            num_threads: Threads of one computation; 0 for as many as the runtime sees fit.

        Raises:
            ArtifactError: If the artifact is gone.
        """
        manifest = load_manifest(place.artifact)
        self._place = place
        self._num_threads = num_threads
        self._name = f"{manifest.name}-{manifest.revision}"
        self._engine: EncoderEngine | None = None

    @property
    def name(self) -> str:
        """Name and revision of the artifact."""
        return self._name

    def load(self) -> None:
        """Load the model now; the first start ever assembles it.

        Raises:
            ArtifactError: If the artifact is incomplete or altered.
            EngineError: If the runtime cannot load the model.
        """
        if self._engine is None:
            # The runtime takes a tenth of a second to import; an index without work to do never needs it.
            from codet5p.lsp_server.engine.loading import load_encoder_engine  # noqa: PLC0415

            artifact, cache = self._place
            self._engine = load_encoder_engine(artifact, cache, num_threads=self._num_threads)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row for each text, float32 [N, width]; see `Embedder`."""
        self.load()
        assert self._engine is not None
        return self._engine.embed(texts)
