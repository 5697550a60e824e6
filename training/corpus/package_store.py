"""The filtered documents of one archive on disk, with the columns that assembly decides on.

Three files appear together or not at all: `documents.jsonl.zst`, `meta.npz` and, last, `outcome.json`. A build that was
killed finds the finished archives and goes on.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from codet5p.training.corpus.documents import Document
from codet5p.training.corpus.hashing import text_digest

__all__ = ["PackageColumns", "PackageOutcome", "PackageWriter", "load_columns", "load_outcome", "read_records"]

_COMPRESSION_LEVEL = 3
_OUTCOME = "outcome.json"
_RECORDS = "documents.jsonl.zst"
_COLUMNS = "meta.npz"


@dataclass(slots=True)
class PackageOutcome:
    """What an archive gave, or why it gave nothing."""

    fingerprint: str
    """Identifies the input and the configuration that led here."""
    version: str = ""
    sha256: str = ""
    licence: str = ""
    """The licence that counted: the manifest's, or the package's own where the manifest has none."""
    stated_licence: str = ""
    """What the package says of itself."""
    failure: str = ""
    """Why the whole archive was skipped; empty if it was not."""
    documents: int = 0
    addresses: int = 0
    """E-mail addresses replaced."""
    drops: dict[str, dict[str, int]] = field(default_factory=dict)
    """Language by file name, then reason, then count; `files` counts what was looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageColumns:
    """What assembly decides on, one row a document."""

    digest: NDArray[np.uint8]
    """16 bytes a row, equal for texts that differ in white space only."""
    bytes: NDArray[np.int64]
    signature: NDArray[np.uint32]
    language: NDArray[np.str_]
    package: NDArray[np.str_]
    grams: NDArray[np.uint64]
    """Shared n-grams of all rows in a row."""
    ends: NDArray[np.int64]
    """Where each row's n-grams end in `grams`."""

    def row_grams(self, row: int) -> NDArray[np.uint64]:
        """Return the n-grams that row `row` shares with the evaluation data."""
        start = int(self.ends[row - 1]) if row else 0
        return self.grams[start : int(self.ends[row])]


class PackageWriter:
    """Writes the documents of one archive as they come."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder = folder
        self._file = (folder / _RECORDS).open("wb")
        self._stream: Any = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL).stream_writer(self._file)
        self._rows: list[tuple[bytes, int, Document, str]] = []

    @property
    def count(self) -> int:
        """The number of documents written."""
        return len(self._rows)

    def add(self, package: str, document: Document) -> None:
        """Append a document of `package`."""
        record = {
            "package": package,
            "path": document.path,
            "part": document.part,
            "language": document.language,
            "tokens": document.tokens,
            "functions": document.functions,
            "text": document.text,
            "pairs": [asdict(pair) for pair in document.pairs],
        }
        self._stream.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")
        size = len(document.text.encode("utf-8", "replace"))
        self._rows.append((text_digest(document.text), size, document, package))

    def close(self, outcome: PackageOutcome) -> None:
        """Finish the files; the outcome comes last and marks the archive as done."""
        self._stream.close()
        self._file.close()
        rows = self._rows
        np.savez(
            self._folder / _COLUMNS,
            digest=np.frombuffer(b"".join(row[0] for row in rows), np.uint8).reshape(-1, 16),
            bytes=np.array([row[1] for row in rows], np.int64),
            signature=np.array([row[2].signature for row in rows], np.uint32),
            language=np.array([row[2].language for row in rows], np.str_),
            package=np.array([row[3] for row in rows], np.str_),
            grams=np.concatenate([np.empty(0, np.uint64), *(row[2].shared_ngrams for row in rows)]),
            ends=np.cumsum([row[2].shared_ngrams.size for row in rows], dtype=np.int64),
        )
        partial = self._folder / f"{_OUTCOME}.partial"
        partial.write_text(json.dumps(asdict(outcome), indent=1), "utf-8")
        partial.rename(self._folder / _OUTCOME)


def load_outcome(folder: Path) -> PackageOutcome | None:
    """Return the outcome stored in `folder`, or None if the archive was not finished."""
    try:
        return PackageOutcome(**json.loads((folder / _OUTCOME).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def load_columns(folder: Path) -> PackageColumns:
    """Return the columns of a finished archive."""
    with np.load(folder / _COLUMNS) as arrays:
        return PackageColumns(**{name: arrays[name] for name in PackageColumns.__dataclass_fields__})


def read_records(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the documents of a finished archive, in the order of its columns."""
    with zstandard.open(folder / _RECORDS, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
