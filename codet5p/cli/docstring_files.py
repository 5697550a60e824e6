"""Docstrings of whole files: what is wrong with them, and the text with every update made."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codet5p.core.errors import DataError
from codet5p.core.syntax import Function, extract_functions, language_of_path
from codet5p.lsp_server.features.docstring.comment import indentation_at, read_comment
from codet5p.lsp_server.features.docstring.coverage import undocumented
from codet5p.lsp_server.features.docstring.insert import can_insert, chosen_style, write_documentation
from codet5p.lsp_server.features.docstring.layout import Style
from codet5p.lsp_server.features.docstring.lookup import function_at
from codet5p.lsp_server.features.docstring.styles import STYLES, style_of_text
from codet5p.lsp_server.features.docstring.summary import Summary, subject_of, summary_by_name
from codet5p.lsp_server.features.docstring.update import Update, apply_updates, find_update, parses_as_well
from codet5p.lsp_server.features.docstring.writer import Subject
from codet5p.lsp_server.index.config import IndexConfig
from codet5p.lsp_server.index.walk import walk_workspace

__all__ = [
    "FileReport",
    "Finding",
    "Summarize",
    "documentation_at",
    "examine",
    "files_below",
    "read_source",
    "replace_file",
]

Summarize = Callable[[Subject, Sequence[Function]], Summary | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What is wrong with one function.

    Attributes:
        line: Its first line, counted from 1.
        name: Its name with its class.
        problem: One line.
    """

    line: int
    name: str
    problem: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FileReport:
    """What is wrong with the docstrings of one file.

    Attributes:
        path: The file.
        text: Its content.
        updated: Its content with every update made.
        findings: Top to bottom.
    """

    path: Path
    text: str
    updated: str
    findings: tuple[Finding, ...]


def files_below(path: Path) -> list[Path]:
    """Return a file, or the source files in a folder that git would not ignore, sorted.

    Args:
        path: A file or folder.

    Returns:
        Paths that begin with `path`.

    Raises:
        DataError: If there is nothing at `path`, or its language is not known.
    """
    if path.is_dir():
        files = (path / found.path for found in walk_workspace(path, IndexConfig()))
        return sorted(file for file in files if language_of_path(file.name) is not None)
    if not path.exists():
        raise DataError(f"cannot read {path}: no such file or folder")
    if language_of_path(path.name) is None:
        raise DataError(f"the language of {path} is not known; docstrings are found in ten languages")
    return [path]


def read_source(path: Path) -> str:
    """Return a file's text, line ends as they are.

    Args:
        path: The file.

    Returns:
        The text.

    Raises:
        DataError: If it cannot be read or is not UTF-8 text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text") from None


def examine(path: Path, text: str, style: str = "auto", summarize: Summarize | None = None) -> FileReport:
    """Return what is wrong with the docstrings in `text`.

    Args:
        path: The file, whose name tells the language.
        text: Its content.
        style: Name of the style that docstrings must have where their language knows it; any if `auto`.
        summarize: Says what a function does; missing docstrings are written with it. None leaves them missing.

    Returns:
        The report; an update that would break the file's syntax is left out of `updated`.
    """
    language = language_of_path(path.name)
    assert language is not None
    functions = extract_functions(text, language, path.name)
    findings = [
        Finding(line=function.lines[0] + 1, name=function.qualified_name, problem="there is no documentation")
        for function in undocumented(text, functions)
    ]
    updates: list[Update] = []
    for function in functions:
        if (other := _other_style(text, function, style)) is not None:
            problem = f"is in {other} style, not {style}"
            findings.append(Finding(line=function.lines[0] + 1, name=function.qualified_name, problem=problem))
        if (update := find_update(text, function, path.name)) is not None:
            updates.append(update)
            problem = "; ".join(update.reasons)
            findings.append(Finding(line=function.lines[0] + 1, name=function.qualified_name, problem=problem))
    if summarize is not None:
        chosen = chosen_style(text, functions, language, style)
        updates += _insertions(path, text, functions, chosen, summarize)
    updated = apply_updates(text, updates)
    if updates and not parses_as_well(text, updated, language, path.name):
        safe = (one for one in updates if parses_as_well(text, apply_updates(text, [one]), language, path.name))
        updated = apply_updates(text, list(safe))
    findings.sort(key=lambda finding: finding.line)
    return FileReport(path=path, text=text, updated=updated, findings=tuple(findings))


def _insertions(
    path: Path, text: str, functions: Sequence[Function], style: Style, summarize: Summarize
) -> Iterator[Update]:
    for function in undocumented(text, functions):
        if not can_insert(text, function):
            continue
        summary = summarize(subject_of(text, function, path.name), functions)
        if summary is not None:
            yield write_documentation(text, function, style, summary.text, path.name)


def documentation_at(path: Path, text: str, line: int) -> str | None:
    """Return the docstring of the innermost function at a line as it should stand, or None if there can be none.

    Args:
        path: The file, whose name tells the language.
        text: Its content.
        line: Counted from 1.

    Returns:
        Source text without the indentation that its lines share.
    """
    language = language_of_path(path.name)
    lines = text.split("\n")
    if language is None or not 1 <= line <= len(lines):
        return None
    row = lines[line - 1]
    offset = sum(len(one) + 1 for one in lines[: line - 1]) + len(row) - len(row.lstrip())
    functions = tuple(extract_functions(text, language, path.name))
    function = function_at(functions, offset)
    if function is None:
        return None
    comment = read_comment(text, function)
    if comment is None:
        return _new_documentation(path, text, functions, function)
    update = find_update(text, function, path.name)
    found = update.text if update is not None else text[comment.start : comment.end]
    indentation = indentation_at(text, comment.end if comment.opener == "" else comment.start)
    return _dedented(found, indentation)


def _new_documentation(path: Path, text: str, functions: Sequence[Function], function: Function) -> str | None:
    """Return what the name and the syntax of a function without documentation say, or None if it is nothing."""
    summary = summary_by_name(subject_of(text, function, path.name), functions)
    if summary is None or not can_insert(text, function):
        return None
    style = chosen_style(text, functions, function.language, "auto")
    new = write_documentation(text, function, style, summary.text, path.name).text
    return _dedented(new, indentation_at(new, len(new) - len(new.lstrip())))


def _dedented(found: str, indentation: str) -> str:
    return "\n".join(one.removeprefix(indentation) for one in found.splitlines())


def _other_style(text: str, function: Function, wanted: str) -> str | None:
    """Return the name of a docstring's style if it is not the one wanted, which its language knows."""
    comment = read_comment(text, function)
    if comment is None or wanted not in {style.name for style in STYLES[function.language]}:
        return None
    style = style_of_text(comment.contents, function.language)
    return style.name if style is not None and style.name != wanted else None


def replace_file(path: Path, old: str, new: str) -> None:
    """Replace a file's content at once: whoever reads it sees the old or the new text, never a part.

    Args:
        path: The file; what a link points to is replaced, not the link.
        old: What it should hold now.
        new: What it shall hold.

    Raises:
        DataError: If it was changed since it was read, or cannot be written.
    """
    target = path.resolve()
    if read_source(target) != old:
        raise DataError(f"{path} was changed meanwhile and is left as it is; run the command again")
    try:
        with _beside(target) as temporary:
            temporary.write_bytes(new.encode("utf-8"))
            temporary.chmod(target.stat().st_mode)
            temporary.replace(target)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from None


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a new file in the same folder, and remove it if it is still there afterwards."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
