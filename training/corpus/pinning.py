"""Filling in what a hand-written manifest lacks: served versions, hashes and stated licences."""

from dataclasses import replace

from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.fetching import fetch_all
from codet5p.training.corpus.manifest import SourceEntry, read_manifest, write_manifest
from codet5p.training.corpus.packages import stated_licence
from codet5p.training.corpus.progress import BuildProgress

__all__ = ["pin_manifest"]


def pin_manifest(config: CorpusConfig, progress: BuildProgress) -> int:
    """Rewrite the recipe's manifest with the hashes and licences of what its sources serve today.

    Entries that cannot be fetched stay as they are; a hash that is pinned already is never changed.

    Args:
        config: The recipe.
        progress: Shows the downloads.

    Returns:
        The number of entries that were given a hash.
    """
    entries = read_manifest(config.manifest)
    first = {entry.archive: entry for entry in reversed(entries)}
    receipts = fetch_all(list(first.values()), config, progress)
    pinned: list[SourceEntry] = []
    for entry in entries:
        receipt = receipts.get(first[entry.archive])
        if receipt is None or entry.sha256:
            pinned.append(entry)
            continue
        licence = entry.licence or stated_licence(entry, receipt, config)
        pinned.append(replace(entry, version=receipt.version, sha256=receipt.sha256, licence=licence))
    write_manifest(config.manifest, pinned)
    return sum(new.sha256 != old.sha256 for new, old in zip(pinned, entries, strict=True))
