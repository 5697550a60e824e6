"""What a corpus build reads, keeps and writes; every default of the corpus lives here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from codet5p.training.recipe_file import read_recipe

__all__ = [
    "CorpusConfig",
    "DebianConfig",
    "DeduplicationConfig",
    "FetchConfig",
    "FilterConfig",
    "StorageConfig",
    "load_recipe",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class DebianConfig:
    """Where Debian packages come from."""

    suites: tuple[str, ...] = ("bookworm", "trixie", "bullseye")
    """Releases whose package lists are read; a pinned version may be in any of them."""
    mirror: str | None = None
    """Address of the archive; None takes the one that the system's own package manager uses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchConfig:
    """How sources are fetched and how much an archive may contain."""

    workers: int = 2
    """Downloads under way at once."""
    timeout_seconds: float = 600.0
    """Limit of one download; a package that takes longer is recorded as failed and the build goes on."""
    attempts: int = 2
    """Tries for each package before it is recorded as failed."""
    max_archive_bytes: int = 8_000_000_000
    """Unpacked size above which an archive is refused."""
    max_compression_ratio: float = 200.0
    """Unpacked size over packed size above which an archive is refused as a zip bomb, once over 100 MB."""
    max_members: int = 400_000
    """Number of archive members above which an archive is refused."""
    debian: DebianConfig = field(default_factory=DebianConfig)

    def __post_init__(self) -> None:
        if self.workers < 1 or self.attempts < 1:
            raise ValueError("workers and attempts must be at least 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterConfig:
    """What a source file must be like; tokens here are lexical: a word or a punctuation character."""

    min_tokens: int = 50
    """Shorter files and pieces are dropped. Source: CodeT5+ section 4.1."""
    max_tokens: int = 2000
    """Longer files are split at definitions; a piece that stays longer is dropped. Source: CodeT5+ section 4.1."""
    min_bytes: int = 100
    max_bytes: int = 1_500_000
    """Larger files are data or generated; they are dropped unread."""
    max_line_characters: int = 1000
    """One longer line marks a file as minified."""
    max_mean_line_characters: float = 120.0
    min_alphanumeric_share: float = 0.25
    header_characters: int = 1500
    """Where licence, "generated" marks and authors' addresses are looked for."""
    contamination_ngram: int = 13
    """Words in a row that a document must not share with the evaluation data."""
    common_ngram_packages: int = 10
    """An n-gram found in more packages than this is boilerplate, not contamination. Source: GPT-3 (arXiv
    2005.14165) appendix C, which ignores n-grams that occur more than ten times."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeduplicationConfig:
    """Near duplicates by MinHash over shingles of lexical tokens."""

    shingle_tokens: int = 5
    permutations: int = 128
    bands: int = 16
    """Documents that agree in all rows of one band are compared; with 8 rows a band, the knee is at 0.71."""
    threshold: float = 0.85
    """Estimated Jaccard similarity from which the later document is dropped."""

    def __post_init__(self) -> None:
        if self.permutations % self.bands:
            raise ValueError("bands must divide permutations")


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageConfig:
    """How the result is cut and stored."""

    validation_share: float = 0.05
    """Share of each language's packages held out, by package so that no project is on both sides."""
    max_package_share: float = 0.10
    """Largest share of one package in its language's bytes; above it, documents are sampled."""
    max_shard_bytes: int = 60_000_000
    """Largest transport shard, compressed."""
    compression_level: int = 10
    token_shard_tokens: int = 100_000_000
    """Tokens in one memory-mapped shard."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusConfig:
    """A corpus build; paths in a recipe are relative to the recipe."""

    manifest: Path
    """Table of the sources with versions, licences and hashes."""
    cache: Path
    """Where downloads are kept; shared by builds."""
    evaluation: Path | None = None
    """Folder of evaluation data (`*.jsonl.gz`) that must not enter, with its `blocked-packages.txt`."""
    seed: int = 0
    workers: int = 2
    """Processes that filter and parse; 0 does it in the process of the build."""
    fetch: FetchConfig = field(default_factory=FetchConfig)
    filters: FilterConfig = field(default_factory=FilterConfig)
    deduplication: DeduplicationConfig = field(default_factory=DeduplicationConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError("workers must not be negative")


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> CorpusConfig:
    """Return the recipe in `path` with `overrides` applied and its paths made absolute.

    Args:
        path: A TOML file.
        overrides: `dotted.key=value`, the value in TOML syntax or else taken as text; a path given here is relative to
            the working directory.

    Returns:
        The checked recipe.

    Raises:
        ConfigError: If the file or an override is wrong.
    """
    return read_recipe(path, CorpusConfig, overrides)
