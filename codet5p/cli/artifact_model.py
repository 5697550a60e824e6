"""An exported model under evaluation: the same questions as to a checkpoint, answered by the user's runtime."""

from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from codet5p.core.assembly import AssembledModels, assemble
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine.encoder_engine import EncoderEngine
from codet5p.lsp_server.engine.sequence_engine import SequenceEngine

if TYPE_CHECKING:
    from codet5p.core.artifact import Mode
    from codet5p.training.evaluation.model_protocol import Sampling

__all__ = ["ArtifactModel"]

_BATCH_ROWS = 16
_SCORED_TOKENS = 2048  # whose float32 logits take 0.2 GB at 24,576 tokens
_NUM_THREADS = 0  # as many as the runtime sees fit: nothing else runs during an evaluation


class ArtifactModel:
    """Answers evaluations with the models assembled from an artifact, each loaded when a suite asks for its mode.

    A mode that the artifact does not offer raises `ArtifactError`.
    """

    def __init__(self, models: AssembledModels) -> None:
        self._models = models
        self._tokenizer = Tokenizer.from_file(models.tokenizer_path)
        self._names = self._tokenizer.tokens
        self._ids = {name: token for token, name in enumerate(self._names)}

    @classmethod
    def from_artifact(cls, artifact: Path, cache: Path) -> Self:
        """Return the artifact's models, assembled into `cache` if they are not there yet."""
        return cls(assemble(artifact, cache))

    @property
    def tokenizer(self) -> Tokenizer:
        """The artifact's tokenizer."""
        return self._tokenizer

    @property
    def modes(self) -> "frozenset[Mode]":
        """What the artifact offers."""
        return frozenset(self._models.manifest.modes)

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
        return [self._read(result.sequences[0]) for result in results]

    def score_rows(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """Return the log-probability of each row's tokens behind the first."""
        results = self._generator.score_batch(
            [self._spelt(row) for row in rows], max_batch_size=_SCORED_TOKENS, batch_type="tokens"
        )
        return [float(sum(result.log_probs)) for result in results]

    def generate_rows(
        self,
        sources: Sequence[Sequence[int]],
        openings: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        end_ids: Collection[int],
    ) -> list[list[int]]:
        """Return what the encoder-decoder writes behind each opening, without the end token."""
        results = self._translator.translate_batch(
            [self._spelt(source) for source in sources],
            [self._spelt(opening) for opening in openings],
            max_batch_size=_BATCH_ROWS,
            beam_size=1,
            max_input_length=0,
            min_decoding_length=0,
            max_decoding_length=max_new_tokens + max(map(len, openings), default=1) - 1,
            end_token=[self._names[token] for token in end_ids],
        )
        # A result repeats the opening but for its first token.
        return [
            self._read(result.hypotheses[0][len(opening) - 1 :])[:max_new_tokens]
            for result, opening in zip(results, openings, strict=True)
        ]

    def embed_rows(self, sources: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the embeddings of encoder inputs."""
        return self._encoder.embed_ids(sources)

    def match_rows(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the log-odds that each target, from `judged_ids`, matches its source."""
        return self._matcher.match_ids(sources, targets, batch_rows=_BATCH_ROWS)

    @cached_property
    def _generator(self) -> Any:
        return ctranslate2.Generator(str(self._models.folder("complete")))

    @cached_property
    def _translator(self) -> Any:
        return ctranslate2.Translator(str(self._models.folder("generate")))

    @cached_property
    def _encoder(self) -> EncoderEngine:
        model, manifest = self._models.folder("embed"), self._models.manifest
        return EncoderEngine(
            model, self._tokenizer, config=manifest.model, name=manifest.name, num_threads=_NUM_THREADS
        )

    @cached_property
    def _matcher(self) -> SequenceEngine:
        model = self._models.folder("match")
        return SequenceEngine(model, self._tokenizer, can_match=True, num_threads=_NUM_THREADS)

    def _spelt(self, row: Sequence[int]) -> list[str]:
        return [self._names[token] for token in row]

    def _read(self, names: Sequence[str]) -> list[int]:
        """Return the ids of tokens; rows of the embedding that stand for no token have none."""
        return [self._ids[name] for name in names if name in self._ids]
