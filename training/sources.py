"""Reading data sources: token shards, Parquet, JSON Lines, and plain folders of source code."""

import ast
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codet5p.core.errors import DataError
from codet5p.core.special_tokens import EOS
from codet5p.core.tokenizer import Tokenizer
from codet5p.training.pair_views import PairRecord
from codet5p.training.token_stream import TokenStream

__all__ = [
    "SHARD_INDEX",
    "TokenizerIdentity",
    "code_texts",
    "open_code",
    "python_pairs",
    "read_examples",
    "read_pairs",
    "read_records",
]

SHARD_INDEX = "tokens.json"
SOURCE_SUFFIXES = frozenset(
    (".py", ".java", ".js", ".jsx", ".ts", ".tsx", ".go", ".rb", ".php", ".c", ".h", ".cc", ".cpp", ".hpp", ".cs")
)
_INSTRUCTION = (
    "Below is an instruction that describes a task{}. Write a response.\n\n### Instruction:\n{}\n\n{}### Response:\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenizerIdentity:
    """A tokenizer, and the SHA-256 digests of the files it may have been read from.

    Attributes:
        tokenizer: The run's.
        digests: Of its file as it was, and as we write it.
    """

    tokenizer: Tokenizer
    digests: frozenset[str]


def open_code(path: Path, language: str | None, split: str, vocabulary: TokenizerIdentity) -> TokenStream:
    """Return the code at `path` as a stream of tokens.

    Args:
        path: A folder of token shards from `codet5p corpus tokenize`, or of source files, which are tokenised now.
        language: Only the shards of this language; all where None.
        split: `train` or `validation`; source files have no split.
        vocabulary: The run's tokenizer.

    Returns:
        The stream.

    Raises:
        DataError: If there is nothing to read, or the shards were made with another tokenizer.
    """
    tokenizer, eos = vocabulary.tokenizer, vocabulary.tokenizer.token_id(EOS)
    if (path / SHARD_INDEX).is_file():
        return TokenStream(_open_shards(path, language, split, vocabulary), eos)
    texts = [text for text in code_texts(path) if text]
    if not texts:
        raise DataError(f"{path} holds neither token shards ({SHARD_INDEX}) nor source files; check data.code")
    ids = [np.asarray(row, np.uint32) for row in tokenizer.encode_batch(texts)]
    return TokenStream([(np.concatenate(ids), np.cumsum([len(row) for row in ids]))], eos)


def code_texts(path: Path) -> Iterator[str]:
    """Yield the source files under `path`, in order of their names.

    Args:
        path: A folder, or one file.

    Yields:
        The text of each file that is valid UTF-8.
    """
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.suffix in SOURCE_SUFFIXES and file.is_file():
            try:
                yield file.read_text("utf-8")
            except UnicodeDecodeError:
                continue  # not text, whatever its name says


def _open_shards(
    folder: Path, language: str | None, split: str, vocabulary: TokenizerIdentity
) -> list[tuple[NDArray[Any], NDArray[np.int64]]]:
    try:
        index = json.loads((folder / SHARD_INDEX).read_text("utf-8"))
        dtype, names = np.dtype(index["dtype"]), sorted(index["shards"])
        vocab_size, digest = int(index["vocab_size"]), str(index["tokenizer_sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder / SHARD_INDEX} is no index of token shards ({error}); tokenise it again") from None
    if vocab_size != vocabulary.tokenizer.vocab_size or digest not in vocabulary.digests:
        raise DataError(f"{folder} was tokenised with another tokenizer; tokenise the corpus again with the run's")
    wanted = [name for name in names if f"-{split}-" in name and (language is None or name.startswith(f"{language}-"))]
    if not wanted:
        raise DataError(f"{folder} has no shards of the split {split}{f' in {language}' if language else ''}")
    return [_open_shard(folder / name, dtype) for name in wanted]


def _open_shard(stem: Path, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    file = stem.with_name(f"{stem.name}.bin")
    try:
        ends = np.load(stem.with_name(f"{stem.name}.npy"))
        tokens = np.memmap(file, dtype, mode="r")
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the token shard {file}: {error}; copy or tokenise it again") from None
    if len(ends) == 0 or len(tokens) != ends[-1]:
        raise DataError(f"the token shard {file} is empty or truncated; copy or tokenise it again")
    return tokens, ends


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a JSON Lines file, plain or gzip, or of Parquet files.

    Args:
        path: A file, or a folder of `*.parquet`.

    Yields:
        One dictionary for each row.

    Raises:
        DataError: If the file is missing or a line is not JSON.
    """
    if path.is_dir() or path.suffix == ".parquet":
        yield from _read_parquet(path)
        return
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    try:
                        yield json.loads(line)
                    except json.JSONDecodeError:
                        raise DataError(f"{path}:{number} is not JSON; one object a line is expected") from None
    except (OSError, EOFError) as error:
        raise DataError(f"cannot read {path}: {error}") from None


def _read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    from pyarrow import ArrowException, parquet  # noqa: PLC0415 - slow to import, and only Parquet needs it

    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    for file in files:
        try:
            with parquet.ParquetFile(file) as table:
                for batch in table.iter_batches():
                    yield from batch.to_pylist()
        except (OSError, ArrowException) as error:
            raise DataError(f"cannot read {file}: {error}") from None


def read_pairs(path: Path, language: str | None, split: str) -> Iterator[PairRecord]:
    """Yield text-code pairs.

    Args:
        path: A corpus with its folder `pairs`; Parquet or JSON Lines with `text` (or `summary`) and `code`, and perhaps
            `description` and `language`; or a folder of Python files, whose documented functions are the pairs.
        language: Only records of this `language`; all where None.
        split: `train` or `validation`, for a corpus.

    Yields:
        A pair.

    Raises:
        DataError: If a record lacks a side.
    """
    files = sorted((path / "pairs").glob(f"{split}-*.parquet")) or [path]
    if path.is_dir() and files == [path] and not any(path.rglob("*.parquet")):
        for module in code_texts(path):
            yield from (PairRecord(text, code, language="python") for text, code in python_pairs(module))
        return
    for file in files:
        for number, record in enumerate(read_records(file)):
            text = record.get("text") or record.get("summary")
            if not text or not record.get("code"):
                raise DataError(f"record {number} of {file} lacks text or code; pairs need both")
            own = str(record.get("language") or "")
            if language is None or own == language:
                yield PairRecord(str(text), str(record["code"]), str(record.get("description") or ""), own)


def python_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the documented functions of a Python file: first paragraph of the docstring, and code without it.

    Args:
        text: Python source; nothing is yielded if it does not parse.

    Yields:
        Text, and code.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (docstring := ast.get_docstring(node)):
            node.body = node.body[1:] or [ast.Pass()]
            yield " ".join(docstring.split("\n\n")[0].split()), ast.unparse(node)


def read_examples(path: Path) -> Iterator[tuple[str, str]]:
    """Yield source-target examples.

    Args:
        path: JSON Lines or Parquet with `source` and `target`, or Alpaca's `instruction`, `input` and `output`.

    Yields:
        Source, and target.

    Raises:
        DataError: If a record has neither form.

    Source: the prompt of Stanford Alpaca, as in the released instruct_tune_codet5p.py.
    """
    for number, record in enumerate(read_records(path)):
        if "source" in record and "target" in record:
            yield str(record["source"]), str(record["target"])
        elif "instruction" in record and "output" in record:
            yield _prompt(str(record["instruction"]), str(record.get("input") or "")), str(record["output"])
        else:
            raise DataError(f"record {number} of {path} has neither source and target nor instruction and output")


def _prompt(instruction: str, context: str) -> str:
    if not context:
        return _INSTRUCTION.format("", instruction, "")
    return _INSTRUCTION.format(", paired with an input", instruction, f"### Input:\n{context}\n\n")
