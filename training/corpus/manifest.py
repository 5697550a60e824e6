"""The manifest: which sources make up a corpus, pinned by version and hash, with their licences."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from codet5p.core.errors import DataError

__all__ = ["SourceEntry", "SourceKind", "read_manifest", "write_manifest"]

SourceKind = Literal["pypi", "npm", "deb", "deb-source", "git", "folder", "dataset"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceEntry:
    """One package, repository, folder or data set, or one project inside it."""

    kind: SourceKind
    name: str
    version: str
    """Version; for git the commit, for a data set its revision, for a folder anything."""
    languages: tuple[str, ...]
    """Languages that may be taken from it; files of other languages are ignored."""
    licence: str
    """Licence expression as the package states it."""
    sha256: str = ""
    """Hash of the download; empty until `corpus pin` has written it."""
    folder: str = ""
    """Only files below this folder; an archive that bundles several projects has one entry for each."""
    location: str = ""
    """Path or address of a git repository, folder or data set; unused for registries."""

    @property
    def archive(self) -> tuple[str, str, str, str]:
        """What identifies the download; entries that differ only in `folder` share it."""
        return self.kind, self.name, self.version, self.location

    @property
    def package(self) -> str:
        """The name under which the corpus counts, caps and splits: `kind:name` or `kind:name/folder`."""
        return f"{self.kind}:{self.name}/{self.folder}" if self.folder else f"{self.kind}:{self.name}"


_COLUMNS = tuple(field.name for field in fields(SourceEntry))


def read_manifest(path: Path) -> list[SourceEntry]:
    """Return the entries of the manifest at `path`, in file order.

    Args:
        path: A tab-separated table with a header line; columns are the fields of `SourceEntry`.

    Returns:
        The entries.

    Raises:
        DataError: If the file is missing, a column or kind is unknown, or two entries name the same package.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the manifest {path}: {error}; set `manifest` in the recipe") from None
    rows = csv.DictReader(io.StringIO(text), delimiter="\t")
    if unknown := sorted(set(rows.fieldnames or ()) ^ set(_COLUMNS)):
        raise DataError(f"{path}: column {unknown[0]} is unknown or missing; the columns are {', '.join(_COLUMNS)}")
    entries = [_entry(row, path, number) for number, row in enumerate(rows, start=2)]
    counts = Counter((entry.package, entry.version) for entry in entries)
    if doubles := sorted(key for key, count in counts.items() if count > 1):
        raise DataError(f"{path}: {doubles[0][0]} {doubles[0][1]} is listed twice; remove one line")
    return entries


def _entry(row: dict[str, str], path: Path, line: int) -> SourceEntry:
    if None in row.values() or None in row:
        raise DataError(f"{path}:{line}: expected {len(_COLUMNS)} tab-separated columns")
    if row["kind"] not in get_args(SourceKind):
        raise DataError(f"{path}:{line}: unknown kind {row['kind']!r}; known are {', '.join(get_args(SourceKind))}")
    if not row["name"] or not row["languages"]:
        raise DataError(f"{path}:{line}: name and languages must not be empty")
    kind: SourceKind = row["kind"]  # type: ignore[assignment]  # checked two lines above
    texts = {key: value for key, value in row.items() if key not in {"kind", "languages"}}
    return SourceEntry(kind=kind, languages=tuple(row["languages"].split(",")), **texts)


def write_manifest(path: Path, entries: Iterable[SourceEntry]) -> None:
    """Write `entries` to `path`, sorted by first language, kind, name and folder, replacing the file at once."""
    ordered: Sequence[SourceEntry] = sorted(entries, key=lambda e: (e.languages[0], e.kind, e.name, e.folder))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    for entry in ordered:
        row = {name: getattr(entry, name) for name in _COLUMNS}
        writer.writerow(row | {"languages": ",".join(entry.languages)})
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(stream.getvalue(), "utf-8")
    partial.replace(path)
