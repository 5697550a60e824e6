"""A smaller vocabulary for a corpus: which tokens of a tokenizer it uses, and the tokenizer with the most used alone.

Every token of the vocabulary is a row of the output head, which is read for every token that is written. A vocabulary
made for the whole web has many rows that code never needs.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as BpeTokenizer

from codet5p.core.errors import ConfigError, DataError
from codet5p.core.tokenizer import Tokenizer
from codet5p.training.corpus.encoding import Encoder
from codet5p.training.corpus.storage import read_index, read_pairs, read_shard

__all__ = ["TEXT", "TokenUse", "count_tokens", "sources_of", "token_shares", "trim_tokenizer"]

TEXT = "text"
"""The source that is no language: what the documentation of functions says."""

_HASH_DIGITS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenUse:
    """How often one source of one split uses each token."""

    counts: NDArray[np.int64]
    """By token id."""
    text_bytes: int

    @property
    def tokens_per_byte(self) -> float:
        """Tokens a byte of text, all in all."""
        return float(self.counts.sum()) / max(1, self.text_bytes)


def sources_of(corpus: Path, split: str) -> list[str]:
    """Return the sources of a split: its languages, and `TEXT` for its pairs."""
    names = [Path(name).name for name in read_index(corpus)["files"] if name.startswith("code/")]
    languages = {name.partition(f"-{split}-")[0] for name in names if f"-{split}-" in name}
    return [*sorted(languages), TEXT]


def count_tokens(
    corpus: Path,
    tokenizer_path: Path,
    split: str,
    *,
    share: float = 1.0,
    workers: int,
    advance: Callable[[int, int], None],
) -> dict[str, TokenUse]:
    """Return how often each language of a corpus, and the text of its pairs, uses each token.

    Args:
        corpus: A corpus.
        tokenizer_path: A `tokenizer.json`.
        split: `train` or `validation`.
        share: Share of the documents that is counted, chosen by their hash.
        workers: Processes that encode, 0 for this one alone.
        advance: Called with bytes of text and sources that were done since the last call.

    Returns:
        The use of every token by source.
    """
    size = Tokenizer.from_file(tokenizer_path).vocab_size
    use: dict[str, TokenUse] = {}
    with Encoder(tokenizer_path, "<u4", workers) as encoder:
        for source in sources_of(corpus, split):
            counts, text_bytes = np.zeros(size, np.int64), 0
            for batch in encoder.encode(_texts(corpus, source, split, share)):
                counts += np.bincount(batch.ids, minlength=size)
                text_bytes += batch.text_bytes
                advance(batch.text_bytes, 0)
            use[source] = TokenUse(counts=counts, text_bytes=text_bytes)
            advance(0, 1)
    return use


def _texts(corpus: Path, source: str, split: str, share: float) -> Iterator[str]:
    limit = int(share * 16**_HASH_DIGITS)
    if source == TEXT:
        for pair in read_pairs(corpus, split):
            if int(pair["document"][:_HASH_DIGITS], 16) < limit:
                yield pair["description"] or pair["summary"]
        return
    for path in sorted((corpus / "code").glob(f"{source}-{split}-*")):
        for record in read_shard(path):
            if int(record["id"][:_HASH_DIGITS], 16) < limit:
                yield record["text"]


def token_shares(use: Mapping[str, TokenUse]) -> NDArray[np.float64]:
    """Return each token's share of a source, as the mean over all sources: none counts more for being larger."""
    shares = [one.counts / max(1, one.counts.sum()) for _, one in sorted(use.items())]
    mean: NDArray[np.float64] = np.mean(shares, axis=0)
    return mean


def trim_tokenizer(tokenizer_json: str, shares: Sequence[float] | NDArray[np.float64], size: int) -> str:
    """Return a tokenizer with `size` tokens of a byte-level BPE tokenizer; it still encodes every text without loss.

    Kept are all special tokens, all single bytes, and then the most used tokens, each with those that it is merged
    from. Ids are given anew, in the old order; merges stay in their order, so a text of kept tokens alone is encoded as
    before, and of others the parts that they are merged from are used.

    Args:
        tokenizer_json: Contents of a `tokenizer.json`.
        shares: Use of every token by id.
        size: Tokens to keep, special ones included.

    Returns:
        Contents of the smaller `tokenizer.json`.

    Raises:
        DataError: If the tokenizer is no byte-level BPE tokenizer.
        ConfigError: If `size` has no room for bytes and special tokens, or there are not as many tokens.
    """
    content = json.loads(BpeTokenizer.from_str(tokenizer_json).to_str())  # merges as pairs, whatever the file's age
    model = content["model"]
    if model.get("type") != "BPE" or "ByteLevel" not in json.dumps(content["pre_tokenizer"]):
        raise DataError("only a byte-level BPE tokenizer can be trimmed; SmolLM2's is one")
    vocabulary: dict[str, int] = model["vocab"]
    special = {token["content"]: int(token["id"]) for token in content["added_tokens"]}
    all_tokens = vocabulary | special
    kept = set(special) | {token for token in vocabulary if len(token) == 1}
    if not len(kept) <= size <= len(all_tokens):
        raise ConfigError(f"a vocabulary of {size} is not possible here; choose from {len(kept)} to {len(all_tokens)}")
    _fill(kept, sorted(vocabulary, key=lambda token: (-shares[vocabulary[token]], vocabulary[token])), model, size)
    new_ids = {token: number for number, token in enumerate(sorted(kept, key=all_tokens.__getitem__))}
    model["vocab"] = {token: new_ids[token] for token in sorted(set(vocabulary) & kept, key=vocabulary.__getitem__)}
    model["merges"] = [[left, right] for left, right in model["merges"] if {left, right, left + right} <= kept]
    content["added_tokens"] = [token | {"id": new_ids[token["content"]]} for token in content["added_tokens"]]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _fill(kept: set[str], by_use: Sequence[str], model: Mapping[str, Any], size: int) -> None:
    """Add tokens to `kept`, the most used first and each with its parts, until there are `size`."""
    parts: dict[str, set[str]] = {}
    for left, right in model["merges"]:
        parts.setdefault(left + right, set()).update((left, right))
    for token in by_use:
        needed, unseen = set[str](), [token]
        while unseen:
            part = unseen.pop()
            if part not in kept and part not in needed:
                needed.add(part)
                unseen.extend(parts.get(part, ()))
        if len(kept) + len(needed) <= size:
            kept |= needed
        if len(kept) == size:
            return
