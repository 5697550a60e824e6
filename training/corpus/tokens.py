"""Tokenised shards: one long row of token ids, mapped into memory, with the end of every document.

DIR/LANGUAGE-SPLIT-NNN.bin   ids, uint16 if the vocabulary has at most 65,536 tokens, else uint32; little endian
DIR/LANGUAGE-SPLIT-NNN.npy   where each document ends in the row, int64
DIR/tokens.json              type, vocabulary size, tokenizer hash, and the documents and tokens of each shard
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codet5p.core.errors import DataError
from codet5p.core.tokenizer import Tokenizer
from codet5p.training.corpus.encoding import EncodedBatch, Encoder
from codet5p.training.corpus.sources.receipt import file_sha256
from codet5p.training.corpus.storage import read_index, read_shard

__all__ = ["TokenShard", "tokenize_corpus"]

_INDEX = "tokens.json"


class TokenShard:
    """The documents of one shard, read from the memory map when asked for."""

    def __init__(self, path: Path, dtype: str) -> None:
        self._ends: NDArray[np.int64] = np.load(path.with_suffix(".npy"))
        size = path.stat().st_size // np.dtype(dtype).itemsize
        if not self._ends.size or size != self._ends[-1]:
            raise DataError(f"{path} does not fit its index; run codet5p corpus tokenize again")
        self.tokens: NDArray[Any] = np.memmap(path, dtype=dtype, mode="r")
        """All ids in a row."""

    def __len__(self) -> int:
        return int(self._ends.size)

    def __getitem__(self, number: int) -> NDArray[Any]:
        """Return the token ids of document `number`."""
        start = int(self._ends[number - 1]) if number else 0
        return self.tokens[start : int(self._ends[number])]

    @classmethod
    def open_all(cls, folder: Path, language: str, split: str) -> list["TokenShard"]:
        """Return the shards of one language and split.

        Args:
            folder: What `tokenize_corpus` wrote.
            language: A language of the corpus.
            split: `train` or `validation`.

        Returns:
            The shards in order; none if the corpus has no such documents.

        Raises:
            DataError: If the folder holds no tokenised corpus.
        """
        try:
            index = json.loads((folder / _INDEX).read_text("utf-8"))
        except (OSError, ValueError):
            raise DataError(f"{folder} holds no tokenised corpus; run codet5p corpus tokenize") from None
        names = [name for name in index["shards"] if name.startswith(f"{language}-{split}-")]
        return [cls(folder / f"{name}.bin", index["dtype"]) for name in sorted(names)]


def tokenize_corpus(
    corpus: Path,
    tokenizer_path: Path,
    out: Path,
    *,
    max_tokens: int,
    workers: int,
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Write the tokenised shards of the text shards in `corpus` and return their index.

    Args:
        corpus: A corpus with `index.json`.
        tokenizer_path: A `tokenizer.json`.
        out: Folder for the shards. The index is written last: until then the folder holds no tokenised corpus.
        max_tokens: Tokens after which a shard ends.
        workers: Processes that encode, 0 for this one alone; the result does not depend on their number.
        advance: Called with the compressed bytes of each text shard that is done.

    Returns:
        The content of `tokens.json`.
    """
    tokenizer = Tokenizer.from_file(tokenizer_path)
    dtype = "<u2" if tokenizer.vocab_size <= 1 << 16 else "<u4"
    header = {"dtype": dtype, "vocab_size": tokenizer.vocab_size, "tokenizer_sha256": file_sha256(tokenizer_path)}
    out.mkdir(parents=True, exist_ok=True)
    (out / _INDEX).unlink(missing_ok=True)
    files = read_index(corpus)["files"]
    shards: dict[str, dict[str, int]] = {}
    with Encoder(tokenizer_path, dtype, workers) as encoder:
        for name in sorted(name for name in files if name.startswith("code/")):
            stem = re.sub(r"-\d+\.jsonl\.zst$", "", Path(name).name)
            texts = (record["text"] for record in read_shard(corpus / name))
            for shard in _shards(encoder.encode(texts), max_tokens):
                number = sum(known.startswith(f"{stem}-") for known in shards)
                shards[f"{stem}-{number:03d}"] = _store(out / f"{stem}-{number:03d}.bin", shard)
            advance(files[name]["bytes"])
    index = {**header, "shards": shards}
    (out / _INDEX).write_text(json.dumps(index, indent=1) + "\n", "utf-8")
    return index


def _shards(batches: Iterable[EncodedBatch], max_tokens: int) -> Iterator[list[EncodedBatch]]:
    """Yield the batches of each shard; a shard ends with the batch that fills it."""
    shard: list[EncodedBatch] = []
    for batch in batches:
        shard.append(batch)
        if sum(known.ids.size for known in shard) >= max_tokens:
            yield shard
            shard = []
    if shard:
        yield shard


def _store(path: Path, shard: Sequence[EncodedBatch]) -> dict[str, int]:
    ends = np.cumsum(np.concatenate([batch.lengths for batch in shard]))
    partial = path.with_suffix(".partial")
    with partial.open("wb") as stream:
        for batch in shard:
            stream.write(batch.ids.tobytes())
    np.save(path.with_suffix(".npy"), ends)
    partial.rename(path)
    return {"documents": ends.size, "tokens": int(ends[-1]), "text_bytes": sum(batch.text_bytes for batch in shard)}
