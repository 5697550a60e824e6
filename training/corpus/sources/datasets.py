"""Hugging Face data sets, streamed row by row; a local folder of data files takes the same way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from codet5p.training.corpus.manifest import SourceEntry
from codet5p.training.corpus.sources.receipt import FetchError

__all__ = ["DatasetRow", "iterate_dataset"]

_CODE_COLUMNS = ("code", "content", "whole_func_string", "func_code_string")
_REPOSITORY_COLUMNS = ("repo_name", "repository_name", "repo", "max_stars_repo_name")
_PATH_COLUMNS = ("path", "func_path_in_repository", "max_stars_repo_path")
_LICENCE_COLUMNS = ("license", "licence", "max_stars_repo_licenses")


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetRow:
    """One file or function of a data set."""

    repository: str
    path: str
    text: str
    licence: str
    """Empty if the data set does not say."""


def iterate_dataset(entry: SourceEntry) -> Iterator[DatasetRow]:
    """Yield the training rows of a data set without storing it.

    Knows the columns of `codeparrot/github-code`, `code_search_net` and The Stack.

    Args:
        entry: `location` is a folder of data files, or empty to stream `name` at the revision `version` from the hub.

    Yields:
        Rows that have code.

    Raises:
        FetchError: If the library is missing, the data set cannot be opened or has no known code column.
    """
    try:
        import datasets  # noqa: PLC0415 - slow to import, and only this kind of source needs it
    except ImportError:
        raise FetchError("the library `datasets` is not installed; pip install 'codet5p[corpus]'") from None
    revision = None if entry.location else (entry.version or None)
    try:
        rows = datasets.load_dataset(entry.location or entry.name, revision=revision, split="train", streaming=True)
        for row in rows:
            if text := _first(row, _CODE_COLUMNS):
                yield DatasetRow(
                    repository=_first(row, _REPOSITORY_COLUMNS),
                    path=_first(row, _PATH_COLUMNS),
                    text=text,
                    licence=_first(row, _LICENCE_COLUMNS),
                )
            elif not any(column in row for column in _CODE_COLUMNS):
                raise FetchError(f"{entry.name} has no column of code; known are {', '.join(_CODE_COLUMNS)}")
    except (OSError, ValueError, RuntimeError) as error:
        raise FetchError(f"cannot stream {entry.name}: {str(error).splitlines()[0][:200]}") from None


def _first(row: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    for column in columns:
        value = row.get(column)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and value:
            return " OR ".join(map(str, value))
    return ""
