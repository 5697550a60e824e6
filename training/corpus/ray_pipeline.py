"""The same filters as a Ray Data pipeline, for corpora that one machine cannot hold.

Rows go in as they come from a crawl (`path`, `content`) and documents come out; nothing but the scheduling differs from
`build`, which calls the same `filter_file`. How duplicates and the split are decided at that size is described in
docs/corpus-at-scale.md.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from codet5p.training.corpus.config import CorpusConfig
from codet5p.training.corpus.documents import Document, filter_file
from codet5p.training.corpus.filter_pool import load_rules

if TYPE_CHECKING:
    import ray.data

__all__ = ["document_row", "filter_with_ray"]

_BATCH_FILES = 256


def document_row(document: Document) -> dict[str, Any]:
    """Return a document as a row of plain values: pairs as JSON, n-grams and signature as arrays."""
    return {
        "path": document.path,
        "part": document.part,
        "language": document.language,
        "text": document.text,
        "tokens": document.tokens,
        "pairs": json.dumps([asdict(pair) for pair in document.pairs]),
        "shared_ngrams": document.shared_ngrams.tobytes(),
        "signature": document.signature.tobytes(),
    }


def filter_with_ray(
    files: "ray.data.Dataset", config: CorpusConfig, languages: tuple[str, ...], workers: int
) -> "ray.data.Dataset":
    """Return the documents of `files`, filtered by `workers` actors; lazy, like every Ray data set.

    Args:
        files: Rows with `path` (text) and `content` (bytes).
        config: The recipe; its evaluation folder must be readable by every worker.
        languages: Languages that may be taken.
        workers: Actors, each on one core with the evaluation data loaded once.

    Returns:
        Rows as `document_row` makes them.
    """
    import ray.data  # noqa: PLC0415 - slow to import, and only this function needs it

    return files.map_batches(
        _FileFilter,
        fn_constructor_args=(config, languages),
        batch_size=_BATCH_FILES,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(size=workers),
    )


class _FileFilter:
    """An actor that holds the rules and filters batches of files."""

    def __init__(self, config: CorpusConfig, languages: tuple[str, ...]) -> None:
        self._rules = load_rules(config)
        self._languages = languages

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        rows = [
            document_row(document)
            for path, content in zip(batch["path"], batch["content"], strict=True)
            for document in filter_file(
                str(path), bytes(content), self._languages, self._rules.config, self._rules.evaluation
            ).documents
        ]
        names = ("path", "part", "language", "text", "tokens", "pairs", "shared_ngrams", "signature")
        return {name: np.array([row[name] for row in rows], dtype=object) for name in names}
