"""Keeping the evaluation data out: word n-grams, exact code, and packages that must not be trained on."""

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codet5p.core.errors import DataError
from codet5p.training.corpus.hashing import only_words, run_hashes, text_digest, token_hashes
from codet5p.training.corpus.text_rules import lexical_tokens

__all__ = [
    "BlockList",
    "EvaluationIndex",
    "load_block_list",
    "load_evaluation_index",
    "word_ngram_hashes",
]

_LITERAL_WITH_TEXT = re.compile(r"<(?:STR|NUM|CHAR)_LIT:(.*?)>")
_PLACEHOLDER = re.compile(r"<(?:STR_LIT|NUM_LIT|CHAR_LIT|EOL|s|/s|UNK)>")


def word_ngram_hashes(text: str, length: int) -> NDArray[np.uint64]:
    """Return the hash of every run of `length` words of `text`, in order.

    Words are runs of letters, digits and underscores; case and punctuation do not count.

    Args:
        text: Any text.
        length: Words in a run.

    Returns:
        One hash for each starting word, uint64; empty if there are fewer words than `length`.
    """
    return run_hashes(only_words(token_hashes(lexical_tokens(text))), length)


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationIndex:
    """What the evaluation data look like, for finding them elsewhere."""

    ngrams: NDArray[np.uint64]
    """Sorted hashes of their word n-grams."""
    codes: frozenset[bytes]
    """Digests of their functions."""
    length: int
    """Words in an n-gram."""

    def shared_ngrams(self, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the distinct n-grams that a document shares with the evaluation data, given its `token_hashes`."""
        if not self.ngrams.size:
            return self.ngrams
        hashes = run_hashes(only_words(hashes), self.length)
        positions = np.searchsorted(self.ngrams, hashes)
        positions[positions == self.ngrams.size] = 0
        return np.unique(hashes[self.ngrams[positions] == hashes])

    def has_code(self, code: str) -> bool:
        """Tell whether a function equals one of the evaluation data, white space aside."""
        return text_digest(code) in self.codes


def load_evaluation_index(folder: Path | None, length: int) -> EvaluationIndex:
    """Return the index of every `*.jsonl.gz` in `folder`; an empty index if there is no folder.

    Args:
        folder: Evaluation data, one JSON object a line.
        length: Words in an n-gram.

    Returns:
        The index over every text field of every row.

    Raises:
        DataError: If the folder is missing or a file cannot be read.
    """
    hashes: list[NDArray[np.uint64]] = []
    codes: set[bytes] = set()
    for row in _rows(folder) if folder is not None else ():
        hashes.extend(word_ngram_hashes(text, length) for text in _texts(row))
        codes.update(text_digest(code) for code in _codes(row))
    ngrams = np.unique(np.concatenate(hashes)) if hashes else np.empty(0, np.uint64)
    return EvaluationIndex(ngrams=ngrams, codes=frozenset(codes), length=length)


def _rows(folder: Path) -> Iterator[Mapping[str, Any]]:
    files = sorted(folder.glob("*.jsonl.gz")) if folder.is_dir() else []
    if not files:
        raise DataError(f"{folder} holds no *.jsonl.gz; set `evaluation` in the recipe, or leave it out")
    for path in files:
        try:
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    yield json.loads(line)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"cannot read evaluation data {path}: {error}") from None


def _texts(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the row's texts; a line completion's context is joined with its answer, placeholders cut the text."""
    fields = {key: value for key, value in row.items() if isinstance(value, str)}
    if "input" in fields and "gt" in fields:
        fields["input"] += " " + fields.pop("gt")
    if "prompt" in fields and "suffix" in fields:
        solution = fields.pop("canonical_solution", "")
        fields["prompt"] += "\n" + solution + "\n" + fields.pop("suffix")
    for value in fields.values():
        yield from _PLACEHOLDER.split(_LITERAL_WITH_TEXT.sub(r" \1 ", value))


def _codes(row: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(row.get("code"), str):
        yield row["code"]
    if "prompt" in row and "suffix" in row:
        yield row["prompt"] + row.get("canonical_solution", "") + row["suffix"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockList:
    """Packages and repositories that must not be trained on, in any packaging."""

    packages: frozenset[str]
    """Normalised names, whatever the registry."""
    repositories: frozenset[str]
    """`owner/name` in lower case."""

    def blocks(self, name: str, repository: str = "") -> bool:
        """Tell whether a package is blocked by its name, its upstream's name in a Debian name, or its repository."""
        if repository and repository in self.repositories:
            return True
        normalised = _normalise(name)
        project = normalised.removeprefix("golang-github-").removesuffix("-dev")
        if project != normalised and project in {_normalise(entry.replace("/", "-")) for entry in self.repositories}:
            return True
        return not self.packages.isdisjoint(_upstream_names(normalised))


def _normalise(name: str) -> str:
    return re.sub(r"[_.]", "-", name.lower())


def _upstream_names(name: str) -> Iterable[str]:
    """Yield a Debian or plain package name and what it may be called by its own registry."""
    yield name
    for prefix in ("ruby-", "php-", "python3-", "python-", "node-"):
        if name.startswith(prefix):
            yield name.removeprefix(prefix)
    if match := re.fullmatch(r"lib(.+)-java", name):
        yield match[1]


def load_block_list(folder: Path | None) -> BlockList:
    """Return the block list `blocked-packages.txt` in `folder`; an empty one if there is no folder.

    Args:
        folder: Evaluation data.

    Returns:
        The list.

    Raises:
        DataError: If the folder has no such file.
    """
    if folder is None:
        return BlockList(packages=frozenset(), repositories=frozenset())
    path = folder / "blocked-packages.txt"
    try:
        lines = path.read_text("utf-8").split()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; set `evaluation` in the recipe") from None
    entries = [line.partition(":") for line in lines if ":" in line]
    return BlockList(
        packages=frozenset(_normalise(name) for kind, _, name in entries if kind != "github"),
        repositories=frozenset(name.lower() for kind, _, name in entries if kind == "github"),
    )
