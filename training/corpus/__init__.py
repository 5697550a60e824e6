"""The training corpus: from pinned packages to filtered, deduplicated, split and tokenised data with provenance.

The stages, each in its own module, in the order in which a build runs them:

    manifest -> sources (fetch) -> archive (read) -> filters, splitting, pairs (per package, in parallel)
             -> assembly (duplicates, contamination, caps, split) -> storage -> report
"""
