"""The files of a workspace that are worth indexing. Links are never followed, so nothing outside is ever read."""

import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from codet5p.lsp_server.index.chunker import indexed_language
from codet5p.lsp_server.index.config import IndexConfig
from codet5p.lsp_server.index.ignoring import IgnoreRules, is_secret, is_tool_folder, rules_above

__all__ = ["FileContent", "FoundFile", "find_file", "read_content", "walk_workspace"]

_PROBED_BYTES = 8192


class FoundFile(NamedTuple):
    """A file as the walk saw it."""

    path: str
    """Relative to the workspace, with forward slashes."""
    size: int
    modified_ns: int


class FileContent(NamedTuple):
    """What a file held when it was read."""

    text: str
    digest: bytes


def walk_workspace(root: Path, config: IndexConfig) -> Iterator[FoundFile]:
    """Yield the files to index: code, not ignored, not too large, not secret, reached without a link.

    Args:
        root: The workspace; submodules are folders of it like any other.
        config: The size limit.

    Yields:
        Files in no particular order; a folder that vanishes or cannot be read is passed over.
    """
    pending: list[tuple[Path, str, IgnoreRules]] = [(root, "", rules_above(root))]
    while pending:
        folder, prefix, rules = pending.pop()
        for entry in _entries(folder):
            path = prefix + entry.name
            if entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                if not is_tool_folder(entry.name) and not rules.ignores(path, is_folder=True):
                    inner = Path(entry.path)
                    pending.append((inner, f"{path}/", rules.entering(inner, path)))
            elif (found := _found(entry, path, rules, config)) is not None:
                yield found


def find_file(root: Path, path: str, config: IndexConfig) -> FoundFile | None:
    """Return the one file that the walk would yield for `path`, or None where it would not."""
    folder, prefix, rules = root, "", rules_above(root)
    *folders, name = path.split("/")
    for part in folders:
        folder, prefix = folder / part, prefix + part
        if part in ("", ".", "..") or is_tool_folder(part) or folder.is_symlink():
            return None
        if rules.ignores(prefix, is_folder=True):
            return None
        rules = rules.entering(folder, prefix)
        prefix += "/"
    entry = next((entry for entry in _entries(folder) if entry.name == name and not entry.is_symlink()), None)
    return _found(entry, path, rules, config) if entry is not None else None


def read_content(root: Path, path: str, config: IndexConfig) -> FileContent | None:
    """Return a file's text and digest, or None if it is gone, unreadable, not text or not written by hand.

    Args:
        root: The workspace.
        path: Relative to it.
        config: The limits on size and line length.

    Returns:
        Text with invalid UTF-8 replaced, and a 16-byte digest of the bytes.
    """
    try:
        descriptor = os.open(root / path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(config.max_file_bytes + 1)
    except OSError:
        return None
    if len(content) > config.max_file_bytes or b"\0" in content[:_PROBED_BYTES]:
        return None
    if len(content) > config.max_line_characters * (content.count(b"\n") + 1):
        return None
    return FileContent(content.decode("utf-8-sig", "replace"), blake2b(content, digest_size=16).digest())


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _found(entry: os.DirEntry[str], path: str, rules: IgnoreRules, config: IndexConfig) -> FoundFile | None:
    if indexed_language(path) is None or is_secret(entry.name) or rules.ignores(path, is_folder=False):
        return None
    try:
        path.encode("utf-8")
        state = entry.stat(follow_symlinks=False)
        is_file = entry.is_file(follow_symlinks=False)
    except (OSError, UnicodeEncodeError):
        return None  # it vanished, or its name is not text and no URI can name it
    return (
        FoundFile(path, state.st_size, state.st_mtime_ns)
        if is_file and state.st_size <= config.max_file_bytes
        else None
    )
