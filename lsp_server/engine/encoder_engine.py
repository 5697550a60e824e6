"""Texts to vectors: the exported encoder in CTranslate2, pooling and projection in numpy.

Shape legend: N texts, B texts of a batch, S tokens, D model width, E embedding width.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from codet5p.core.embedding_head import EmbeddingHead
from codet5p.core.errors import EngineError
from codet5p.core.model_config import CodeT5pConfig
from codet5p.core.special_tokens import CLS
from codet5p.core.tokenizer import Tokenizer

__all__ = ["EncoderEngine", "EncoderLimits"]

_MOST_THREADS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderLimits:
    """How much is read, and how much at once.

    Attributes:
        max_tokens: Longest input, `[CLS]` included; a longer text loses its end. As many as the encoder was trained on;
            more cost time and find nothing more.
        max_batch_tokens: Most tokens of one batch, padding included. What a layer makes of one batch should fit the
            processor's cache: docs/experiments.md has the speeds.
    """

    max_tokens: int = 144
    max_batch_tokens: int = 512

    def __post_init__(self) -> None:
        if self.max_tokens < 2 or self.max_batch_tokens < 1:
            raise ValueError("max_tokens must be at least 2 and max_batch_tokens at least 1")


class EncoderEngine:
    """Embeds texts and code alike; see `lsp_server.index.embedding.Embedder` for the contract.

    Each thread computes batches of its own: threads that share one batch wait for each other at every matrix, and on a
    busy computer long.
    """

    def __init__(
        self,
        model: Path,
        tokenizer: Tokenizer,
        *,
        config: CodeT5pConfig,
        name: str,
        num_threads: int,
        limits: EncoderLimits = EncoderLimits(),
    ) -> None:
        """Load the model.

        Args:
            model: Folder of an assembled encoder, its projection included.
            tokenizer: The model's tokenizer.
            config: The model's shape.
            name: Tells these vectors from those of any other model.
            num_threads: Batches computed at the same time; 0 for one a core, up to four.
            limits: How much is read, and how much at once.

        Raises:
            ArtifactError: If the projection cannot be read.
            EngineError: If the model cannot be loaded.
        """
        self._num_threads = num_threads or min(_num_cores(), _MOST_THREADS)
        try:
            self._encoder = ctranslate2.Encoder(
                str(model), device="cpu", compute_type="default", intra_threads=1, inter_threads=self._num_threads
            )
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"cannot load the model {model}: {error}; see codet5p doctor") from None
        self._head = EmbeddingHead.from_folder(model, config)
        self._tokenizer = tokenizer
        self._opening_id = tokenizer.token_id(CLS)
        self._name = name
        self._limits = limits
        self._max_tokens = min(limits.max_tokens, config.max_positions or limits.max_tokens)

    @property
    def name(self) -> str:
        """What tells these vectors from those of any other model."""
        return self._name

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row for each text, float32 [N, E].

        Args:
            texts: Descriptions or code, of any length; an empty text has a vector too.

        Returns:
            The embeddings, in the order of the texts.

        Raises:
            EngineError: If the runtime refuses.
        """
        kept = self._max_tokens - 1
        return self.embed_ids([[self._opening_id, *ids[:kept]] for ids in self._tokenizer.encode_batch(texts)])

    def embed_ids(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the embeddings of encoder inputs that are token ids already, `[CLS]` first; see `embed`."""
        embeddings_NE = np.zeros((len(inputs), self._head.width), np.float32)
        batches = list(self._batches([len(ids) for ids in inputs]))

        def embed_batch(rows: list[int]) -> None:
            ids_BS = [list(inputs[row]) for row in rows]
            embeddings_NE[rows] = self._head.embed(self._encode(ids_BS), [len(ids) for ids in ids_BS])

        if len(batches) == 1 or self._num_threads == 1:
            for rows in batches:
                embed_batch(rows)
        else:
            with ThreadPoolExecutor(self._num_threads, thread_name_prefix="codet5p-embedding") as executor:
                list(
                    executor.map(embed_batch, reversed(batches))
                )  # the longest first, so that none is left to wait for
        return embeddings_NE

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Yield the numbers of texts of similar length, as many at once as the limit allows."""
        batch: list[int] = []
        for row in sorted(range(len(lengths)), key=lengths.__getitem__):
            if batch and lengths[row] * (len(batch) + 1) > self._limits.max_batch_tokens:
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _encode(self, ids_BS: list[list[int]]) -> NDArray[np.float32]:
        try:
            states_BSD: NDArray[np.float32] = np.asarray(self._encoder.forward_batch(ids_BS).last_hidden_state)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"the inference engine failed: {error}; see codet5p doctor") from None
        return states_BSD


def _num_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
