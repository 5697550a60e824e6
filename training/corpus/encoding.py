"""Encoding many texts in processes, in order.

The tokenizer's own threads make one process little faster: what they find has to become Python numbers, one at a time.
So a batch is encoded and packed into an array where it is encoded.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codet5p.core.tokenizer import Tokenizer
from codet5p.training.corpus.worker_process import end_with_parent

__all__ = ["EncodedBatch", "Encoder"]

_BATCH_DOCUMENTS = 256
_BATCHES_AHEAD = 4
"""Batches under way for each process, so that none waits for the reader."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedBatch:
    """The token ids of some texts in a row."""

    ids: NDArray[Any]
    lengths: NDArray[np.int64]
    """Tokens of each text."""
    text_bytes: int
    """Bytes of all texts as UTF-8."""


class Encoder:
    """Encodes in `workers` processes, or in this one if there are none."""

    def __init__(self, tokenizer_path: Path, dtype: str, workers: int) -> None:
        self._dtype = dtype
        self._tokenizer = Tokenizer.from_file(tokenizer_path)
        self._ahead = _BATCHES_AHEAD * workers
        self._pool = (
            ProcessPoolExecutor(
                workers, multiprocessing.get_context("spawn"), _start_worker, (str(tokenizer_path), dtype)
            )
            if workers
            else None
        )

    def encode(self, texts: Iterable[str]) -> Iterator[EncodedBatch]:
        """Yield the ids of `texts`, batch by batch and in order.

        Args:
            texts: Read as the processes need them.

        Yields:
            Batches whose bounds depend on nothing but the texts.
        """
        texts = iter(texts)
        batches = iter(lambda: list(islice(texts, _BATCH_DOCUMENTS)), [])
        if self._pool is None:
            yield from (_encode(batch, self._tokenizer, self._dtype) for batch in batches)
            return
        under_way: deque[Future[EncodedBatch]] = deque()
        for batch in batches:
            under_way.append(self._pool.submit(_encode_in_worker, batch))
            if len(under_way) >= self._ahead:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


_worker: list[tuple[Tokenizer, str]] = []
"""What a worker process encodes with: a process pool has no other place for it."""


def _start_worker(tokenizer_path: str, dtype: str) -> None:
    end_with_parent()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one process a core is enough
    _worker.append((Tokenizer.from_file(Path(tokenizer_path)), dtype))


def _encode_in_worker(texts: Sequence[str]) -> EncodedBatch:
    return _encode(texts, *_worker[0])


def _encode(texts: Sequence[str], tokenizer: Tokenizer, dtype: str) -> EncodedBatch:
    documents = tokenizer.encode_batch(texts)
    lengths = np.array([len(document) for document in documents], np.int64)
    ids = np.fromiter(chain.from_iterable(documents), dtype, int(lengths.sum()))
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return EncodedBatch(ids=ids, lengths=lengths, text_bytes=size)
