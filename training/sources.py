"""Reading data sources: token shards, Parquet, JSON Lines, and plain folders of source code."""

import ast
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codet5p.core.errors import DataError
from codet5p.core.tokenizer import Tokenizer
from codet5p.training.token_stream import TokenStream

__all__ = ["SHARD_INDEX", "code_texts", "open_code", "python_pairs", "read_examples", "read_pairs", "read_records"]

SHARD_INDEX = "index.json"
SOURCE_SUFFIXES = frozenset(
    (".py", ".java", ".js", ".jsx", ".ts", ".tsx", ".go", ".rb", ".php", ".c", ".h", ".cc", ".cpp", ".hpp", ".cs")
)
_INSTRUCTION = (
    "Below is an instruction that describes a task{}. Write a response.\n\n### Instruction:\n{}\n\n{}### Response:\n"
)


def open_code(path: Path, tokenizer: Tokenizer, eos: int) -> TokenStream:
    """Return the code at `path` as a stream of tokens.

    Args:
        path: A folder of token shards with its index, or of source files, which are tokenised now.
        tokenizer: The run's tokenizer.
        eos: `[EOS]`, which closes each file.

    Returns:
        The stream.

    Raises:
        DataError: If there is nothing to read, or the shards were made with another tokenizer.
    """
    if (path / SHARD_INDEX).is_file():
        return TokenStream(_open_shards(path, tokenizer, eos))
    texts = list(code_texts(path))
    if not texts:
        raise DataError(f"{path} holds neither token shards ({SHARD_INDEX}) nor source files; check data.code")
    ids = [np.asarray([*row, eos], np.uint32) for row in tokenizer.encode_batch(texts)]
    return TokenStream([np.concatenate(ids)])


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


def _open_shards(folder: Path, tokenizer: Tokenizer, eos: int) -> list[NDArray[np.integer]]:
    try:
        index = json.loads((folder / SHARD_INDEX).read_text("utf-8"))
        dtype, files, vocab_size = np.dtype(index["dtype"]), index["shards"], int(index["vocab_size"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder / SHARD_INDEX} is no index of token shards ({error}); prepare the corpus again"
        ) from None
    if vocab_size != tokenizer.vocab_size or int(index.get("eos", eos)) != eos:
        raise DataError(
            f"{folder} was tokenised with another tokenizer ({vocab_size} tokens, the run's has "
            f"{tokenizer.vocab_size}); prepare the corpus again with this one"
        )
    arrays: list[NDArray[np.integer]] = []
    for entry in files:
        file = folder / entry["file"]
        if not file.is_file() or file.stat().st_size != entry["tokens"] * dtype.itemsize:
            raise DataError(f"the token shard {file} is missing or truncated; copy or prepare it again")
        if entry["tokens"]:
            arrays.append(np.memmap(file, dtype, mode="r"))
    return arrays


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


def read_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Yield text-code pairs.

    Args:
        path: Parquet or JSON Lines with `text` and `code`, or a folder of Python files, whose documented functions
            are the pairs.

    Yields:
        Text, and code.

    Raises:
        DataError: If a record lacks a side.
    """
    if path.is_dir() and not any(path.rglob("*.parquet")):
        for text in code_texts(path):
            yield from python_pairs(text)
        return
    for number, record in enumerate(read_records(path)):
        try:
            yield str(record["text"]), str(record["code"])
        except KeyError as error:
            raise DataError(f"record {number} of {path} has no {error}; pairs need text and code") from None


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
