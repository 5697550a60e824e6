"""An exported model under evaluation: the same questions as to a checkpoint, answered by the user's runtime."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from codet5p.core.assembly import AssembledModels, assemble
from codet5p.core.errors import ArtifactError
from codet5p.core.tokenizer import Tokenizer

if TYPE_CHECKING:
    from codet5p.training.evaluation.model_protocol import Sampling

__all__ = ["ArtifactModel"]

_BATCH_ROWS = 16


class ArtifactModel:
    """Answers evaluations with the models assembled from an artifact."""

    def __init__(self, models: AssembledModels) -> None:
        self._modes = models.manifest.modes
        self._tokenizer = Tokenizer.from_file(models.tokenizer_path)
        self._names = self._tokenizer.tokens
        self._ids = {name: token for token, name in enumerate(self._names)}
        self._generator = ctranslate2.Generator(str(models.completion))

    @classmethod
    def from_artifact(cls, artifact: Path, cache: Path) -> Self:
        """Return the artifact's models, assembled into `cache` if they are not there yet."""
        return cls(assemble(artifact, cache))

    @property
    def tokenizer(self) -> Tokenizer:
        """The artifact's tokenizer."""
        return self._tokenizer

    def continue_rows(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        end_ids: Collection[int],
        sampling: "Sampling | None" = None,
    ) -> list[list[int]]:
        """Return what the decoder-only model writes behind each prompt, without the end token."""
        drawing: dict[str, Any] = {"sampling_topk": 1}
        if sampling is not None:
            ctranslate2.set_random_seed(sampling.seed)
            drawing = {
                "sampling_topk": 0,
                "sampling_topp": sampling.top_p,
                "sampling_temperature": sampling.temperature,
            }
        results = self._generator.generate_batch(
            [self._spelt(prompt) for prompt in prompts],
            max_batch_size=_BATCH_ROWS,
            beam_size=1,
            max_length=max_new_tokens,
            end_token=[self._names[token] for token in end_ids],
            include_prompt_in_result=False,
            **drawing,
        )
        return [[self._ids[name] for name in result.sequences[0]] for result in results]

    def score_rows(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """Return the log-probability of each row's tokens behind the first."""
        results = self._generator.score_batch([self._spelt(row) for row in rows], max_batch_size=_BATCH_ROWS)
        return [float(sum(result.log_probs)) for result in results]

    def generate_rows(
        self,
        sources: Sequence[Sequence[int]],  # noqa: ARG002 - part of the protocol
        openings: Sequence[Sequence[int]],  # noqa: ARG002
        *,
        max_new_tokens: int,  # noqa: ARG002
        end_ids: Collection[int],  # noqa: ARG002
    ) -> list[list[int]]:
        """Refuse: see `_missing`."""
        raise self._missing("generate")

    def embed_rows(self, sources: Sequence[Sequence[int]]) -> NDArray[np.float32]:  # noqa: ARG002
        """Refuse: see `_missing`."""
        raise self._missing("embed")

    def match_rows(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> NDArray[np.float32]:  # noqa: ARG002
        """Refuse: see `_missing`."""
        raise self._missing("match")

    def _spelt(self, row: Sequence[int]) -> list[str]:
        return [self._names[token] for token in row]

    def _missing(self, mode: str) -> ArtifactError:
        """Return the error for a mode that the runtime models of this artifact do not have."""
        return ArtifactError(
            f"this artifact has the modes {', '.join(self._modes)} and cannot {mode}; evaluate the checkpoint instead"
        )
