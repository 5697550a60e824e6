"""One source file through all filters that look at nothing but the file: documents out, or a reason.

A pure function of its input, so the same chain runs in a process pool here and in a Ray or Spark job elsewhere.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codet5p.core.syntax import extract_functions, language_of_path
from codet5p.core.syntax.languages import grammar_of_path
from codet5p.training.corpus.config import CorpusConfig, FilterConfig
from codet5p.training.corpus.contamination import EvaluationIndex
from codet5p.training.corpus.hashing import token_hashes
from codet5p.training.corpus.licences import header_is_copyleft
from codet5p.training.corpus.near_duplicates import minhash_signature
from codet5p.training.corpus.pairs import Pair, pairs_of_functions
from codet5p.training.corpus.privacy import contains_secret, redact_header_addresses
from codet5p.training.corpus.splitting import split_at_definitions
from codet5p.training.corpus.text_rules import decode, lexical_tokens, text_drop_reason, token_starts

__all__ = ["Document", "FileOutcome", "file_language", "filter_file"]

_CPP_MARKS = ("namespace ", "template<", "template <", "std::", "public:", "private:", "protected:", "constexpr ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A file, or a piece of a long one, that passed the filters."""

    path: str
    part: int
    """Number of the piece, from 0."""
    language: str
    text: str
    tokens: int
    """Lexical tokens."""
    functions: int
    pairs: tuple[Pair, ...]
    shared_ngrams: NDArray[np.uint64]
    """Word n-grams shared with the evaluation data; whether they are boilerplate is known only over all packages."""
    signature: NDArray[np.uint32]
    """MinHash signature."""


@dataclass(slots=True)
class FileOutcome:
    """What became of a file."""

    documents: list[Document] = field(default_factory=list)
    drops: Counter[str] = field(default_factory=Counter)
    """Reasons and how many files, pieces or pairs each took."""
    addresses: int = 0
    """E-mail addresses replaced."""


def file_language(path: str, text: str, allowed: tuple[str, ...]) -> str | None:
    """Return the language of a file, or None if it is none of `allowed`; a `.h` file with C++ in it is C++."""
    language = language_of_path(path)
    if language == "c" and path.endswith(".h") and "cpp" in allowed and any(mark in text for mark in _CPP_MARKS):
        language = "cpp"
    return language if language in allowed else None


def filter_file(
    path: str, content: bytes, languages: tuple[str, ...], config: CorpusConfig, evaluation: EvaluationIndex
) -> FileOutcome:
    """Return the documents of a file, or why there are none.

    Args:
        path: Relative to the project's root.
        content: The file's bytes.
        languages: Languages that may be taken.
        config: Thresholds.
        evaluation: What must not enter.

    Returns:
        Documents and counts.
    """
    outcome = FileOutcome()
    text = decode(content)
    reason = "not text" if text is None else _file_reason(text, config.filters)
    language = file_language(path, text or "", languages)
    if text is None or reason is not None or language is None:
        outcome.drops[reason or "other language"] += 1
        return outcome
    text, outcome.addresses = redact_header_addresses(text, config.filters.header_characters)
    count = token_starts(text.encode("utf-8", "replace")).size
    if count < config.filters.min_tokens:
        outcome.drops["near empty"] += 1
        return outcome
    source = _Source(path, text, language, is_long=count > config.filters.max_tokens)
    outcome.documents.extend(source.documents(config, evaluation, outcome.drops))
    return outcome


def _file_reason(text: str, config: FilterConfig) -> str | None:
    if len(text) < config.min_bytes:
        return "near empty"
    if (reason := text_drop_reason(text, config)) is not None:
        return reason
    if header_is_copyleft(text[: config.header_characters]):
        return "licence header"
    return "secret" if contains_secret(text) else None


class _Source:
    """A file that passed as a whole, to be cut into documents."""

    def __init__(self, path: str, text: str, language: str, *, is_long: bool) -> None:
        self._path = path
        self._text = text
        self._language = language
        self._is_long = is_long

    def documents(self, config: CorpusConfig, evaluation: EvaluationIndex, drops: Counter[str]) -> Iterator[Document]:
        """Yield the pieces that have a fitting length, and count those that have not."""
        functions = extract_functions(self._text, self._language, self._path)
        position = 0
        for part, piece in enumerate(self._pieces(config.filters.max_tokens)):
            start, position = position, position + len(piece)
            hashes = token_hashes(lexical_tokens(piece))
            if not config.filters.min_tokens <= hashes.size <= config.filters.max_tokens:
                drops["piece too short" if hashes.size < config.filters.min_tokens else "piece too long"] += 1
                continue
            inside = [function for function in functions if start <= function.span.start < position]
            pairs = pairs_of_functions(self._text, inside)
            clean = tuple(pair for pair in pairs if not evaluation.has_code(pair.code))
            drops["pair in evaluation data"] += len(pairs) - len(clean)
            yield Document(
                path=self._path,
                part=part,
                language=self._language,
                text=piece,
                tokens=hashes.size,
                functions=len(inside),
                pairs=clean,
                shared_ngrams=evaluation.shared_ngrams(hashes),
                signature=minhash_signature(hashes, config.deduplication),
            )

    def _pieces(self, max_tokens: int) -> list[str]:
        if not self._is_long:
            return [self._text]
        return split_at_definitions(self._text, grammar_of_path(self._language, self._path), max_tokens)
