"""Texts to vectors: the exported encoder in CTranslate2, pooling and projection in numpy.

Shape legend: N texts, B texts of a batch, S tokens, D model width, E embedding width.
"""

from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderLimits:
    """How much is read, and how much at once.

    Attributes:
        max_tokens: Longest input, `[CLS]` included; a longer text loses its end.
        max_batch_tokens: Most tokens of one batch, padding included; bounds memory.
    """

    max_tokens: int = 360
    max_batch_tokens: int = 4096

    def __post_init__(self) -> None:
        if self.max_tokens < 2 or self.max_batch_tokens < 1:
            raise ValueError("max_tokens must be at least 2 and max_batch_tokens at least 1")


class EncoderEngine:
    """Embeds texts and code alike; see `lsp_server.index.embedding.Embedder` for the contract."""

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
            num_threads: Threads of one computation.
            limits: How much is read, and how much at once.

        Raises:
            ArtifactError: If the projection cannot be read.
            EngineError: If the model cannot be loaded.
        """
        try:
            self._encoder = ctranslate2.Encoder(
                str(model), device="cpu", compute_type="default", intra_threads=num_threads, inter_threads=1
            )
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"cannot load the model {model}: {error}; see codet5p doctor") from None
        self._head = EmbeddingHead.from_folder(model, config)
        self._tokenizer = tokenizer
        self._opening_id = tokenizer.token_id(CLS)
        self._name = name
        self._limits = limits

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
        kept = self._limits.max_tokens - 1
        return self.embed_ids([[self._opening_id, *ids[:kept]] for ids in self._tokenizer.encode_batch(texts)])

    def embed_ids(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the embeddings of encoder inputs that are token ids already, `[CLS]` first; see `embed`."""
        embeddings_NE = np.zeros((len(inputs), self._head.width), np.float32)
        for rows in self._batches([len(ids) for ids in inputs]):
            ids_BS = [list(inputs[row]) for row in rows]
            embeddings_NE[rows] = self._head.embed(self._encode(ids_BS), [len(ids) for ids in ids_BS])
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
