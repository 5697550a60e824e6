"""Stands in for the filters in a worker process; it must be importable there."""

import os

from codet5p.training.corpus.filter_pool import FilterJob
from codet5p.training.corpus.package_store import PackageOutcome


def filter_or_die(job: FilterJob) -> PackageOutcome:
    """End the process without a word on the archive `deadly`, as a parser's crash would."""
    if job.entries[0].name == "deadly":
        os._exit(1)
    return PackageOutcome(fingerprint=job.fingerprint)
