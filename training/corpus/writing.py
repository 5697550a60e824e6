"""Writing the selected documents: text shards, pairs, provenance, the list of packages and the figures."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codet5p.training.corpus.assembly import Selection, Split
from codet5p.training.corpus.config import StorageConfig
from codet5p.training.corpus.hashing import text_digest
from codet5p.training.corpus.package_store import PackageOutcome, read_records
from codet5p.training.corpus.statistics import CorpusStatistics
from codet5p.training.corpus.storage import ShardWriter, TableWriter

__all__ = ["FinishedArchive", "write_corpus"]

_TEXT_COLUMNS = ("language", "package", "path", "document", "name", "signature", "summary", "description", "code")
_PAIRS = pa.schema([(name, pa.string()) for name in _TEXT_COLUMNS])
_PROVENANCE = pa.schema(
    [(name, pa.string()) for name in ("document", "language", "package", "version", "licence", "path", "split")]
    + [(name, pa.int32()) for name in ("part", "bytes", "tokens", "functions", "pairs")]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedArchive:
    """An archive that went through the filters."""

    name: str
    folder: Path
    outcome: PackageOutcome


def write_corpus(
    archives: Sequence[FinishedArchive],
    selection: Selection,
    splits: Mapping[str, Split],
    out: Path,
    config: StorageConfig,
    *,
    advance: Callable[[int], None],
) -> dict[str, dict[str, Any]]:
    """Write the documents that stay and return the figures of each language.

    Args:
        archives: In the order of `selection`.
        selection: Which documents stay.
        splits: The side of each package.
        out: An empty folder.
        config: Sizes of files.
        advance: Called with the number of documents of each archive that is done.

    Returns:
        The figures that `CorpusStatistics.as_mapping` describes.
    """
    statistics = CorpusStatistics()
    with ExitStack() as stack:
        writer = _Writer(out, config, statistics, splits, stack)
        for archive, mask in zip(archives, selection.keep, strict=True):
            writer.write_archive(archive, mask)
            advance(mask.size)
    drops: dict[str, Counter[str]] = defaultdict(Counter)
    for archive in archives:
        for language, counts in archive.outcome.drops.items():
            drops[language].update(counts)
    for language, counts in selection.drops.items():
        drops[language].update(counts)
    figures = statistics.as_mapping(drops)
    (out / "statistics.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return figures


class _Writer:
    def __init__(
        self,
        out: Path,
        config: StorageConfig,
        statistics: CorpusStatistics,
        splits: Mapping[str, Split],
        stack: ExitStack,
    ) -> None:
        self._out = out
        self._config = config
        self._statistics = statistics
        self._splits = splits
        self._stack = stack
        self._shards: dict[str, ShardWriter] = {}
        self._pair_codes: set[tuple[str, bytes]] = set()
        self._pairs = {split: self._table(out / "pairs" / split, _PAIRS) for split in ("train", "validation")}
        self._provenance = self._table(out / "provenance", _PROVENANCE, numbered=False)

    def write_archive(self, archive: FinishedArchive, mask: NDArray[np.bool_]) -> None:
        """Write the documents of one archive that the mask keeps."""
        for record, kept in zip(read_records(archive.folder), mask, strict=True):
            if kept:
                self._write(record, archive)

    def _write(self, record: Mapping[str, Any], archive: FinishedArchive) -> None:
        language, package = record["language"], record["package"]
        split = self._splits[package]
        document = text_digest(record["text"]).hex()
        size = len(record["text"].encode("utf-8", "replace"))
        place = {"package": package, "path": record["path"]}
        self._shard(f"{language}-{split}").write(
            {"id": document, **place, "part": record["part"], "text": record["text"]}
        )
        pairs = self._write_pairs(record, {"language": language, "document": document, **place}, split)
        origin = {"version": archive.outcome.version, "licence": archive.outcome.licence, "split": split}
        counts = {"bytes": size, "pairs": pairs, **{name: record[name] for name in ("part", "tokens", "functions")}}
        self._provenance.write({"document": document, "language": language, **place, **origin, **counts})
        self._statistics.add(record, size, archive.name, archive.outcome.licence, split)

    def _write_pairs(self, record: Mapping[str, Any], origin: Mapping[str, str], split: str) -> int:
        """Write the pairs whose code is new and return their number."""
        written = 0
        for pair in record["pairs"]:
            key = (record["language"], text_digest(pair["code"]))
            is_duplicate = key in self._pair_codes
            self._statistics.add_pair(record["language"], pair["summary"], is_duplicate=is_duplicate)
            if not is_duplicate:
                self._pair_codes.add(key)
                self._pairs[split].write({**origin, **{name: _storable(text) for name, text in pair.items()}})
                written += 1
        return written

    def _shard(self, name: str) -> ShardWriter:
        if name not in self._shards:
            writer = ShardWriter(
                self._out / "code" / name,
                max_bytes=self._config.max_shard_bytes,
                level=self._config.compression_level,
            )
            self._shards[name] = self._stack.enter_context(writer)
        return self._shards[name]

    def _table(self, stem: Path, schema: pa.Schema, *, numbered: bool = True) -> TableWriter:
        table = TableWriter(stem, schema, max_bytes=self._config.max_shard_bytes, numbered=numbered)
        self._stack.callback(table.close)
        return table


def _storable(text: str) -> str:
    """Return `text` without lone surrogates, which Parquet refuses."""
    return text.encode("utf-8", "replace").decode("utf-8")
