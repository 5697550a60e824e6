"""The tokenizer, with what completion needs to know about single tokens: their bytes.

Byte-level BPE, from which text comes back as it was; or the WordPiece of an embedding model, which knows neither case
nor white space. How a text is prepared before it is cut into tokens is part of the tokenizer's file (its normalizer),
so that training, evaluation, export and server cannot differ in it.
"""

from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from pathlib import Path

from tokenizers import Tokenizer as _Tokenizer
from tokenizers import models

from codet5p.core.errors import ArtifactError

__all__ = ["CASE_CHANGE", "Tokenizer"]

CASE_CHANGE = "(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
"""Where an identifier's words meet: parse|Http|Header, HTTP|Server. An embedding model's tokenizer splits here."""

_CONTINUING = "##"  # BERT's mark of a piece within a word


@cache
def _byte_alphabet() -> dict[str, int]:
    """Return the byte that each character of a byte-level token stands for.

    Source: GPT-2's `bytes_to_unicode`: printable bytes stand for themselves, the others are shifted behind 255.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    alphabet = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in set(printable))
    return alphabet | {chr(256 + i): byte for i, byte in enumerate(others)}


def _byte_level_bytes(token: str) -> bytes:
    alphabet = _byte_alphabet()
    return bytes(alphabet[character] for character in token)


def _word_piece_bytes(token: str) -> bytes:
    """Return the bytes of a token that opens a word, behind a blank, or continues one (`##ing`)."""
    return (token.removeprefix(_CONTINUING) if token.startswith(_CONTINUING) else f" {token}").encode()


class Tokenizer:
    """Text to token ids and back.

    Text is never read as a special token: source code that contains `[CLS]` or `<|endoftext|>` is only text. Special
    tokens enter a sequence by id, through `token_id`.
    """

    def __init__(self, tokenizer: _Tokenizer) -> None:
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer

    @classmethod
    def from_file(cls, path: Path) -> "Tokenizer":
        """Return the tokenizer stored in a `tokenizer.json` file.

        Args:
            path: A file in the format of the `tokenizers` library.

        Returns:
            The tokenizer.

        Raises:
            ArtifactError: If the file is missing or not a tokenizer.
        """
        try:
            return cls(_Tokenizer.from_str(path.read_text("utf-8")))
        except OSError as error:
            raise ArtifactError(f"cannot read the tokenizer {path}: {error.strerror}; see codet5p doctor") from None
        except Exception as error:  # noqa: BLE001 - the library raises bare Exception for a malformed file
            raise ArtifactError(f"{path} is not a tokenizer: {error}; see codet5p doctor") from None

    @property
    def vocab_size(self) -> int:
        """The number of tokens, special tokens included."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def token_id(self, token: str) -> int:
        """Return the id of `token`, special or ordinary.

        Args:
            token: The token as the vocabulary spells it.

        Returns:
            Its id.

        Raises:
            ValueError: If the vocabulary has no such token.
        """
        token_id = self._tokenizer.token_to_id(token)
        if token_id is None:
            raise ValueError(f"the vocabulary has no token {token!r}")
        return int(token_id)

    def encode(self, text: str) -> list[int]:
        """Return the token ids of `text`, without any special token."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, encoded in parallel."""
        return [list(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`; a sequence cut inside a character ends in U+FFFD.

        Of WordPiece a blank comes back before each word, whatever stood there.
        """
        return b"".join(self.token_bytes[token_id] for token_id in ids).decode("utf-8", errors="replace")

    @cached_property
    def tokens(self) -> list[str]:
        """The vocabulary's spelling of every token, indexed by id."""
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        tokens = [""] * len(vocabulary)
        for token, token_id in vocabulary.items():
            tokens[token_id] = token
        return tokens

    @cached_property
    def token_bytes(self) -> list[bytes]:
        """The bytes that every token stands for, indexed by id; empty for special tokens."""
        is_word_piece = isinstance(self._tokenizer.model, models.WordPiece)
        stands_for = _word_piece_bytes if is_word_piece else _byte_level_bytes
        special = self.special_ids
        return [b"" if token_id in special else stands_for(token) for token_id, token in enumerate(self.tokens)]

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """The ids of all special tokens."""
        return frozenset(
            token_id for token_id, added in self._tokenizer.get_added_tokens_decoder().items() if added.special
        )

    def to_json(self) -> str:
        """Return the contents of the tokenizer's `tokenizer.json` file."""
        return str(self._tokenizer.to_str())

    def save(self, path: Path) -> None:
        """Write the tokenizer to `path` as a `tokenizer.json` file."""
        path.write_text(self.to_json(), "utf-8")
