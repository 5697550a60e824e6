"""The matching head of the released model, for whoever switches the last stage of ranking on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from codet5p.core.artifact import load_manifest
from codet5p.core.errors import ArtifactError
from codet5p.lsp_server.index.encoder import EncoderPlace

if TYPE_CHECKING:
    from codet5p.lsp_server.engine.sequence_engine import SequenceEngine

__all__ = ["LazyMatcher"]


class LazyMatcher:
    """A `Matcher` that loads its model with the first question."""

    def __init__(self, place: EncoderPlace, *, num_threads: int) -> None:
        """Read the manifest.

        Args:
            place: The artifact, and where its model is assembled.
            num_threads: Threads of one computation.

        Raises:
            ArtifactError: If the artifact is gone, or does not offer `match`.
        """
        manifest = load_manifest(place.artifact)
        if "match" not in manifest.modes:
            raise ArtifactError(f"the artifact {manifest.name} cannot match; switch codet5p.search.rerank off")
        self._place = place
        self._num_threads = num_threads
        self._engine: SequenceEngine | None = None

    def match(self, text: str, codes: Sequence[str]) -> NDArray[np.float32]:
        """Return log-odds, float32 [N]: above 0 for a match; see `Matcher`."""
        # Imported late, as the encoder is: most indexes never need it.
        from codet5p.lsp_server.engine.loading import load_sequence_engine  # noqa: PLC0415
        from codet5p.lsp_server.engine.sequence_engine import MatchLimits  # noqa: PLC0415

        if self._engine is None:
            artifact, cache = self._place
            self._engine = load_sequence_engine(artifact, cache, num_threads=self._num_threads)
        return self._engine.match(text, codes, MatchLimits())
