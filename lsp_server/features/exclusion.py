"""Which files get no completion, and never serve as context: those that look like secrets, and those of the setting."""

from functools import lru_cache
from urllib.parse import unquote, urlsplit

from pathspec import GitIgnoreSpec

from codet5p.lsp_server.index.ignoring import is_secret, is_secret_folder

__all__ = ["is_excluded"]


def is_excluded(uri: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a file is to be left alone.

    Args:
        uri: The document.
        patterns: As in a `.gitignore`, against the whole path and without regard to case; one with a slash inside may
            begin in any folder. The last one that fits decides, and `!` in front of it allows the file.

    Returns:
        What the patterns say; where they say nothing, whether its name or a folder above it promises keys or passwords.
    """
    path = unquote(urlsplit(uri).path).lstrip("/").lower()
    if patterns and (verdict := _spec(patterns).check_file(path).include) is not None:
        return verdict
    *folders, name = path.split("/")
    return is_secret(name) or any(is_secret_folder(folder) for folder in folders)


@lru_cache(maxsize=4)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines([_anywhere(pattern.lower()) for pattern in patterns])


def _anywhere(pattern: str) -> str:
    """Return `pattern` so that it fits in any folder, where a slash inside would bind it to the root."""
    mark, pattern = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    return f"{mark}{pattern}" if pattern.startswith(("/", "**/")) else f"{mark}**/{pattern}"
