"""One archive through the filters: its files are read in place and its documents stored."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codet5p.core.syntax import language_of_path
from codet5p.training.corpus.archive import ArchiveError, iterate_archive
from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.contamination import BlockList, EvaluationIndex
from codet5p.training.corpus.documents import filter_file
from codet5p.training.corpus.licences import debian_licences, is_permissive, npm_licence, repository_in, wheel_licence
from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.package_store import PackageOutcome, PackageWriter
from codet5p.training.corpus.path_rules import path_drop_reason
from codet5p.training.corpus.sources.datasets import iterate_dataset
from codet5p.training.corpus.sources.local import iterate_folder
from codet5p.training.corpus.sources.receipt import FetchError, Receipt, cache_folder

__all__ = ["RawFile", "Rules", "iterate_files", "process_archive", "stated_licence"]

_MAX_METADATA_BYTES = 400_000
_MIN_SOURCE_FILES = 4
_STRIPPED_ROOT = frozenset({"npm", "deb-source"})


@dataclass(frozen=True, kw_only=True, slots=True)
class RawFile:
    """A file of an archive, not read yet."""

    path: str
    """Relative to the project's root."""
    size: int
    read: Callable[[], bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What decides about a file, loaded once in each worker process."""

    config: CorpusConfig
    evaluation: EvaluationIndex
    blocked: BlockList


def process_archive(
    entries: Sequence[SourceEntry], receipt: Receipt | None, folder: Path, rules: Rules, fingerprint: str
) -> PackageOutcome:
    """Filter the files of one archive and store the documents in `folder`.

    Args:
        entries: The manifest's entries that share the archive.
        receipt: What was fetched; None for a source that is read in place.
        folder: Where the documents go; replaced if it exists.
        rules: Configuration, evaluation data and block list.
        fingerprint: Stored with the outcome.

    Returns:
        The outcome. A bad archive, licence or package is a reason in it and never an exception.
    """
    outcome = PackageOutcome(fingerprint=fingerprint)
    if receipt is not None:
        outcome.version, outcome.sha256 = receipt.version, receipt.sha256
    writer = PackageWriter(folder)
    if rules.blocked.blocks(entries[0].name):
        outcome.failure = "blocked package"
    else:
        run = _Run(entries, receipt, rules, writer, outcome)
        try:
            run.filter_dataset() if entries[0].kind == "dataset" else run.filter_files()
        except (ArchiveError, FetchError) as error:
            outcome.failure = str(error)
        run.finish()
    outcome.documents = 0 if outcome.failure else writer.count
    writer.close(outcome)
    return outcome


class _Run:
    """The files of one archive on their way to its writer."""

    def __init__(
        self,
        entries: Sequence[SourceEntry],
        receipt: Receipt | None,
        rules: Rules,
        writer: PackageWriter,
        outcome: PackageOutcome,
    ) -> None:
        self._entries = sorted(entries, key=lambda entry: -len(entry.folder))
        self._first = entries[0]
        self._receipt = receipt
        self._rules = rules
        self._writer = writer
        self._outcome = outcome
        self._drops: dict[str, Counter[str]] = {}
        self._metadata: dict[str, str] = {}

    def filter_files(self) -> None:
        """Send every file of the archive through the filters."""
        source_only = self._first.kind == "npm" and self._has_source_folder()
        for file in iterate_files(self._first, self._receipt, self._rules.config):
            if _is_metadata(self._first.kind, file):
                self._metadata[file.path] = file.read().decode("utf-8", "replace")
            language = language_of_path(file.path)
            if language is None:
                continue
            entry, path = self._owner(file.path)
            reason = self._name_reason(path, file.size, source_only=source_only)
            if entry is None or reason is not None:
                self._count(language, reason or "outside the listed folders")
            else:
                self._filter(entry, entry.package, path, file.read())

    def filter_dataset(self) -> None:
        """Send every row of a data set through the filters; each repository counts as a package."""
        for row in iterate_dataset(self._first):
            language = language_of_path(row.path) or self._first.languages[0]
            if self._rules.blocked.blocks(row.repository.rpartition("/")[2], row.repository.lower()):
                self._count(language, "blocked repository")
            elif row.licence and not is_permissive(row.licence):
                self._count(language, "licence")
            elif (reason := self._name_reason(row.path, len(row.text), source_only=False)) is not None:
                self._count(language, reason)
            else:
                package = f"dataset:{row.repository or self._first.name}"
                self._filter(self._first, package, row.path, row.text.encode("utf-8", "replace"))

    def finish(self) -> None:
        """Judge the archive as a whole: its licence and its repository."""
        outcome, first = self._outcome, self._first
        outcome.drops = {language: dict(counts) for language, counts in sorted(self._drops.items())}
        outcome.stated_licence = _stated_licence(first.kind, self._metadata)
        outcome.licence = first.licence or outcome.stated_licence
        if outcome.failure:
            return
        if not is_permissive(outcome.licence):
            outcome.failure = f"licence not on the allow-list: {outcome.licence or 'none stated'}"
        elif self._rules.blocked.blocks(first.name, repository_in(self._metadata.values())):
            outcome.failure = "blocked repository"

    def _filter(self, entry: SourceEntry, package: str, path: str, content: bytes) -> None:
        result = filter_file(path, content, entry.languages, self._rules.config, self._rules.evaluation)
        counts = self._counter(language_of_path(path) or entry.languages[0])
        counts["files"] += 1
        counts.update({reason: count for reason, count in result.drops.items() if count})
        self._outcome.addresses += result.addresses
        for document in result.documents:
            self._writer.add(package, document)

    def _counter(self, language: str) -> Counter[str]:
        return self._drops.setdefault(language, Counter())

    def _count(self, language: str, reason: str) -> None:
        self._counter(language).update({"files": 1, reason: 1})

    def _owner(self, path: str) -> tuple[SourceEntry | None, str]:
        """Return the entry with the deepest folder that holds `path`, and the path below that folder."""
        for entry in self._entries:
            if not entry.folder or path.startswith(entry.folder + "/"):
                return entry, path[len(entry.folder) :].lstrip("/")
        return None, path

    def _name_reason(self, path: str, size: int, *, source_only: bool) -> str | None:
        if size < self._rules.config.filters.min_bytes:
            return "near empty"
        if size > self._rules.config.filters.max_bytes:
            return "too large"
        if source_only and not path.startswith("src/") and "/src/" not in path:
            return "generated"
        return path_drop_reason(path, self._rules.blocked.packages)

    def _has_source_folder(self) -> bool:
        """Tell whether an npm package ships its sources, so that everything beside `src/` is built from them."""
        names = (file.path for file in iterate_files(self._first, self._receipt, self._rules.config))
        sources = [name for name in names if name.startswith("src/") and language_of_path(name)]
        return len(sources) >= _MIN_SOURCE_FILES


def iterate_files(entry: SourceEntry, receipt: Receipt | None, config: CorpusConfig) -> Iterator[RawFile]:
    """Yield the files of an archive or folder, with paths relative to the project.

    Args:
        entry: The source; of a Debian source package the packaging part comes first.
        receipt: What was fetched; None for a folder.
        config: The cache and the archive limits.

    Yields:
        Files; read each before taking the next.

    Raises:
        ArchiveError: If the archive is corrupt, escapes or blows up.
        FetchError: If a folder does not exist.
    """
    if receipt is None:
        for path, place in iterate_folder(Path(entry.location)):
            yield RawFile(path=path, size=place.stat().st_size, read=place.read_bytes)
        return
    folder = cache_folder(config.cache, entry)
    for name in sorted(receipt.files, key=lambda name: (".debian.tar" not in name, name)):
        is_packaging = ".debian.tar" in name
        for member in iterate_archive(folder / name, config.fetch):
            head, _, rest = member.path.partition("/")
            stripped = (
                rest if entry.kind in _STRIPPED_ROOT and not is_packaging and rest else f"{head}/{rest}".rstrip("/")
            )
            yield RawFile(path=stripped, size=member.size, read=member.read)


def stated_licence(entry: SourceEntry, receipt: Receipt, config: CorpusConfig) -> str:
    """Return the licence that a fetched package states, or an empty string; a corrupt archive states none.

    Args:
        entry: The source.
        receipt: What was fetched.
        config: The cache and the archive limits.

    Returns:
        The licence in the package's own words.
    """
    metadata: dict[str, str] = {}
    try:
        for file in iterate_files(entry, receipt, config):
            if _is_metadata(entry.kind, file):
                metadata[file.path] = file.read().decode("utf-8", "replace")
    except ArchiveError:
        return ""
    return _stated_licence(entry.kind, metadata)


def _is_metadata(kind: str, file: RawFile) -> bool:
    if file.size > _MAX_METADATA_BYTES:
        return False
    if kind == "pypi":
        return file.path.endswith(".dist-info/METADATA") and file.path.count("/") == 1
    if kind == "npm":
        return file.path == "package.json"
    if kind == "deb":
        return file.path.startswith("usr/share/doc/") and file.path.endswith("/copyright")
    return file.path == "debian/copyright"


def _stated_licence(kind: str, metadata: dict[str, str]) -> str:
    read = {"pypi": wheel_licence, "npm": npm_licence}.get(kind, debian_licences)
    return next((licence for text in metadata.values() if (licence := read(text))), "")
