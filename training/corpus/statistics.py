"""The figures of a corpus, gathered while it is written."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CorpusStatistics", "length_bin"]


def length_bin(tokens: int) -> int:
    """Return the lower edge of the bin of a length: powers of two."""
    return 1 << max(0, tokens.bit_length() - 1)


@dataclass(slots=True)
class CorpusStatistics:
    """Counts by language; `as_mapping` is what the report reads."""

    documents: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    lexical_tokens: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)
    duplicate_pairs: Counter[str] = field(default_factory=Counter)
    validation_bytes: Counter[str] = field(default_factory=Counter)
    package_bytes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    archive_bytes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    licence_bytes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    document_lengths: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    summary_lengths: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, record: Mapping[str, Any], size: int, archive: str, licence: str, split: str) -> None:
        """Count a document that was written.

        Args:
            record: As `package_store` holds it.
            size: Bytes of its text.
            archive: The download that it came from.
            licence: Of that download.
            split: `train` or `validation`.
        """
        language = record["language"]
        self.documents[language] += 1
        self.bytes[language] += size
        self.lexical_tokens[language] += record["tokens"]
        self.functions[language] += record["functions"]
        self.package_bytes[language][record["package"]] += size
        self.archive_bytes[language][archive] += size
        self.licence_bytes[language][licence] += size
        self.document_lengths[language][length_bin(record["tokens"])] += 1
        if split == "validation":
            self.validation_bytes[language] += size

    def add_pair(self, language: str, summary: str, *, is_duplicate: bool) -> None:
        """Count a pair that was written, or left out because its code was there already."""
        if is_duplicate:
            self.duplicate_pairs[language] += 1
        else:
            self.pairs[language] += 1
            self.summary_lengths[language][length_bin(len(summary.split()))] += 1

    def as_mapping(self, drops: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, Any]]:
        """Return the figures of each language.

        Args:
            drops: Language, then reason, then count.

        Returns:
            JSON-ready figures; `mb` are millions of bytes.
        """
        return {language: self._language(language, drops.get(language, {})) for language in sorted(self.documents)}

    def _language(self, language: str, drops: Mapping[str, int]) -> dict[str, Any]:
        packages, archives = self.package_bytes[language], self.archive_bytes[language]
        size = self.bytes[language]
        return {
            "mb": round(size / 1e6, 3),
            "documents": self.documents[language],
            "packages": len(packages),
            "archives": len(archives),
            "pairs": self.pairs[language],
            "functions": self.functions[language],
            "lexical_tokens": self.lexical_tokens[language],
            "validation_mb": round(self.validation_bytes[language] / 1e6, 3),
            "largest_packages": {name: round(count / size, 4) for name, count in packages.most_common(5)},
            "largest_archives": {name: round(count / size, 4) for name, count in archives.most_common(3)},
            "duplicate_pairs": self.duplicate_pairs[language],
            "licences_mb": {name: round(count / 1e6, 3) for name, count in self.licence_bytes[language].most_common()},
            "document_lengths": {str(edge): count for edge, count in sorted(self.document_lengths[language].items())},
            "summary_lengths": {str(edge): count for edge, count in sorted(self.summary_lengths[language].items())},
            "drops": dict(sorted(drops.items(), key=lambda item: -item[1])),
        }
