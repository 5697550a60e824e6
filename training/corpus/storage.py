"""The corpus on disk: compressed text shards that can be carried, Parquet tables of pairs and of provenance.

DIR/code/LANGUAGE-SPLIT-NNN.jsonl.zst   one document a line: id, package, path, part, text
DIR/pairs/SPLIT-NNN.parquet             text-code pairs
DIR/provenance.parquet                  every document with its package, version, licence and split
DIR/index.json                          all files with size and hash
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from codet5p.core.errors import DataError
from codet5p.training.corpus.sources.receipt import file_sha256

__all__ = ["ShardWriter", "TableWriter", "read_index", "read_pairs", "read_shard", "write_index"]

_FLUSH_BYTES = 8_000_000
_READ_BYTES = 1 << 20
_TABLE_ROWS = 20_000


class ShardWriter:
    """Writes JSON lines to zstd files, starting a new one before the limit of size is reached."""

    def __init__(self, stem: Path, *, max_bytes: int, level: int) -> None:
        self._stem = stem
        self._max_bytes = max_bytes
        self._level = level
        self._number = 0
        self._file: Any = None
        self._stream: Any = None
        self._pending = 0

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record."""
        if self._stream is None:
            self._open()
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        self._stream.write(line)
        self._pending += len(line)
        if self._pending >= _FLUSH_BYTES:
            self._stream.flush()
            self._pending = 0
            # What is still to come before the next look compresses to far less than it is long.
            if self._file.tell() > self._max_bytes - _FLUSH_BYTES // 2:
                self.close()

    def close(self) -> None:
        """Finish the current file."""
        if self._stream is not None:
            self._stream.close()
            self._file.close()
            self._stream = None
            self._number += 1

    def _open(self) -> None:
        path = self._stem.with_name(f"{self._stem.name}-{self._number:03d}.jsonl.zst")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._stream = zstandard.ZstdCompressor(level=self._level, write_checksum=True).stream_writer(self._file)
        self._pending = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class TableWriter:
    """Writes rows to Parquet files with zstd, starting a new one when the limit of size is reached."""

    def __init__(self, stem: Path, schema: pa.Schema, *, max_bytes: int, numbered: bool = True) -> None:
        self._stem = stem
        self._schema = schema
        self._max_bytes = max_bytes
        self._numbered = numbered
        self._number = 0
        self._rows: list[Mapping[str, Any]] = []
        self._writer: pq.ParquetWriter | None = None
        self._path = stem

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one row."""
        self._rows.append(row)
        if len(self._rows) >= _TABLE_ROWS:
            self._flush()

    def close(self) -> None:
        """Finish the current file; a table without rows still becomes a file."""
        if self._rows or (self._writer is None and self._number == 0):
            self._flush()
        self._finish()

    def _flush(self) -> None:
        if self._writer is None:
            suffix = f"-{self._number:03d}.parquet" if self._numbered else ".parquet"
            self._path = self._stem.with_name(self._stem.name + suffix)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._path, self._schema, compression="zstd", compression_level=9)
        self._writer.write_table(pa.Table.from_pylist(list(self._rows), schema=self._schema))
        self._rows.clear()
        if self._numbered and self._path.stat().st_size > self._max_bytes * 3 // 4:
            self._finish()

    def _finish(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            self._number += 1


def read_shard(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a text shard.

    Args:
        path: A `.jsonl.zst` file.

    Yields:
        Records with `id`, `package`, `path`, `part` and `text`.

    Raises:
        DataError: If the file is missing, cut off or damaged.
    """
    try:
        with path.open("rb") as stream:
            for line in _lines(stream):
                yield json.loads(line)
    except (OSError, ValueError, EOFError, zstandard.ZstdError) as error:
        raise DataError(f"cannot read {path}: {error}; copy or build the corpus again") from None


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a zstd file; the library's own reader takes a file that was cut off for its end."""
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    rest = b""
    while block := stream.read(_READ_BYTES):
        *lines, rest = (rest + decompressor.decompress(block)).split(b"\n")
        yield from lines
    if not decompressor.eof:
        raise EOFError("the file is cut off")


def read_pairs(folder: Path, split: str) -> Iterator[dict[str, Any]]:
    """Yield the text-code pairs of one split of the corpus in `folder`.

    Args:
        folder: A corpus.
        split: `train` or `validation`.

    Yields:
        Rows with `language`, `package`, `path`, `name`, `signature`, `summary`, `description` and `code`.

    Raises:
        DataError: If the corpus has no such pairs.
    """
    files = sorted((folder / "pairs").glob(f"{split}-*.parquet"))
    if not files:
        raise DataError(f"{folder} holds no pairs of the split {split}; run codet5p corpus build")
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches():
            yield from batch.to_pylist()


def write_index(folder: Path, description: Mapping[str, Any]) -> None:
    """Write `index.json`: `description`, and every data file of the corpus with its size and hash."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for part in (folder / "code", folder / "pairs", folder)
        for path in sorted(part.glob("*"))
        if path.suffix in {".zst", ".parquet"}
    }
    digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    content = {**description, "sha256": digest, "files": files}
    (folder / "index.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def read_index(folder: Path) -> dict[str, Any]:
    """Return the index of the corpus in `folder`, after checking that its files are there.

    Args:
        folder: A corpus.

    Returns:
        The content of `index.json`.

    Raises:
        DataError: If the index or a file is missing or has another size.
    """
    try:
        content: dict[str, Any] = json.loads((folder / "index.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise DataError(f"{folder} holds no corpus; run codet5p corpus build --out {folder}") from None
    for name, entry in content["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != entry["bytes"]:
            raise DataError(f"{path} is missing or incomplete; copy or build the corpus again")
    return content
