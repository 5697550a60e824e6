"""Decisions over all packages: duplicates, contamination, caps and the split into training and validation.

Everything here is deterministic: packages come in the manifest's order, documents in their archive's order, and
samples are drawn by hashes of the seed and the document.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from codet5p.training.corpus.config import CorpusConfig, StorageConfig
from codet5p.training.corpus.hashing import seeded_rank
from codet5p.training.corpus.near_duplicates import NearDuplicateIndex
from codet5p.training.corpus.package_store import PackageColumns, load_columns

__all__ = ["Selection", "Split", "cap_packages", "select_documents", "split_packages"]

Split = Literal["train", "validation"]
PackageKey = tuple[str, str]
"""Language and package."""


@dataclass(slots=True)
class Selection:
    """Which documents stay."""

    keep: list[NDArray[np.bool_]] = field(default_factory=list)
    """One mask for each archive, in the order given, with a row for each document."""
    drops: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Language, then reason, then documents."""
    bytes: Counter[PackageKey] = field(default_factory=Counter)
    """Bytes kept of each package in each language."""


def select_documents(folders: Sequence[Path], config: CorpusConfig) -> Selection:
    """Return which documents of the finished archives in `folders` stay.

    In this order: exact duplicates, overlap with evaluation data, near duplicates, then the cap on large packages.

    Args:
        folders: Folders of `package_store`, in the manifest's order; of two equal documents the first stays.
        config: The build's configuration.

    Returns:
        Masks and counts.
    """
    boilerplate = _common_ngrams(folders, config.filters.common_ngram_packages)
    selection = Selection()
    seen: set[tuple[str, bytes]] = set()
    indexes: dict[str, NearDuplicateIndex] = defaultdict(lambda: NearDuplicateIndex(config.deduplication))
    for folder in folders:
        columns = load_columns(folder)
        mask = np.zeros(columns.bytes.size, np.bool_)
        for row, language in enumerate(map(str, columns.language)):
            reason = _drop_reason(columns, row, language, seen, boilerplate, indexes[language])
            if reason is None:
                mask[row] = True
                selection.bytes[language, str(columns.package[row])] += int(columns.bytes[row])
            else:
                selection.drops[language][reason] += 1
        selection.keep.append(mask)
    _apply_caps(folders, selection, config)
    return selection


def _common_ngrams(folders: Iterable[Path], limit: int) -> frozenset[int]:
    """Return the n-grams of evaluation data that more than `limit` packages have: licences, imports, idioms."""
    counts: Counter[int] = Counter()
    for folder in folders:
        columns = load_columns(folder)
        grams = {
            (str(columns.package[row]), int(gram))
            for row in np.flatnonzero(np.diff(columns.ends, prepend=0))
            for gram in columns.row_grams(int(row))
        }
        counts.update(gram for _, gram in grams)
    return frozenset(gram for gram, count in counts.items() if count > limit)


def _drop_reason(
    columns: PackageColumns,
    row: int,
    language: str,
    seen: set[tuple[str, bytes]],
    boilerplate: frozenset[int],
    index: NearDuplicateIndex,
) -> str | None:
    key = (language, columns.digest[row].tobytes())
    if key in seen:
        return "exact duplicate"
    seen.add(key)
    if any(int(gram) not in boilerplate for gram in columns.row_grams(row)):
        return "evaluation overlap"
    if index.add_unless_duplicate(columns.signature[row]) is not None:
        return "near duplicate"
    return None


def cap_packages(sizes: Mapping[str, int], share: float) -> float:
    """Return the size to which packages are cut so that none has more than `share` of what remains.

    Args:
        sizes: Bytes of each package of one language.
        share: Between 0 and 1.

    Returns:
        The cap in bytes; infinity if no package is over it, or if there are too few packages for any cap to hold.
    """
    if len(sizes) * share < 1 or max(sizes.values()) <= share * sum(sizes.values()):
        return math.inf
    ordered = sorted(sizes.values(), reverse=True)
    remaining = sum(ordered)
    for count, size in enumerate(ordered, start=1):
        remaining -= size
        # With the `count` largest cut to the cap c, the total is remaining + count * c, and c is its share.
        if share * count >= 1:
            return math.inf
        cap = share * remaining / (1 - share * count)
        following = ordered[count] if count < len(ordered) else 0
        if cap >= following:
            return cap
    return math.inf


def _apply_caps(folders: Sequence[Path], selection: Selection, config: CorpusConfig) -> None:
    """Clear the masks of documents beyond their package's cap, chosen by the seed."""
    caps = _caps(selection.bytes, config.storage.max_package_share)
    for folder, mask in zip(folders, selection.keep, strict=True):
        columns = load_columns(folder)
        keys = list(zip(map(str, columns.language), map(str, columns.package), strict=True))
        over = {key for key in set(keys) if selection.bytes[key] > caps.get(key[0], math.inf)}
        for key in sorted(over):
            rows = [row for row in np.flatnonzero(mask) if keys[row] == key]
            rows.sort(key=lambda row: seeded_rank(config.seed, columns.digest[row].tobytes()))
            total = np.cumsum(columns.bytes[rows])
            dropped = [row for row, size in zip(rows, total, strict=True) if size > caps[key[0]]]
            mask[dropped] = False
            selection.bytes[key] -= int(columns.bytes[dropped].sum())
            selection.drops[key[0]]["package cap"] += len(dropped)


def _caps(sizes: Mapping[PackageKey, int], share: float) -> dict[str, float]:
    languages: dict[str, dict[str, int]] = defaultdict(dict)
    for (language, package), size in sizes.items():
        languages[language][package] = size
    return {language: cap_packages(packages, share) for language, packages in languages.items()}


def split_packages(
    sizes: Mapping[PackageKey, int], groups: Mapping[str, str], config: StorageConfig, seed: int
) -> dict[str, Split]:
    """Return the side of each package; projects of one archive stay together.

    Of every language, groups are held out in an order drawn by the seed until they make up `validation_share` of its
    packages; a group with more than twice that share of the language's bytes is never held out.

    Args:
        sizes: Bytes of each package in each language.
        groups: The archive of each package.
        config: The share.
        seed: The build's seed.

    Returns:
        `train` or `validation` for every package.
    """
    held_out: set[str] = set()
    for language in sorted({language for language, _ in sizes}):
        members: dict[str, list[str]] = defaultdict(list)
        volume: Counter[str] = Counter()
        for (owner, package), size in sizes.items():
            if owner == language:
                members[groups[package]].append(package)
                volume[groups[package]] += size
        wanted = config.validation_share * sum(map(len, members.values()))
        limit = 2 * config.validation_share * volume.total()
        taken = sum(len(members[group]) for group in members if group in held_out)
        for group in sorted(members, key=lambda name: seeded_rank(seed, name.encode())):
            if taken >= wanted:
                break
            if group not in held_out and volume[group] <= limit:
                held_out.add(group)
                taken += len(members[group])
    return {package: "validation" if groups[package] in held_out else "train" for _, package in sizes}
