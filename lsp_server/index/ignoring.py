"""Which paths are left out: ignore files of every level, folders of tools, and files that hold secrets."""

import re
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

__all__ = ["IGNORE_FILES", "IgnoreRules", "is_secret", "is_secret_folder", "is_tool_folder", "rules_above"]

IGNORE_FILES = (".gitignore", ".codet5pignore")
"""In one folder the later file has the last word."""

_TOOL_FOLDERS = frozenset({
    ".git", ".hg", ".svn", ".bzr", ".jj", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".nox",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".idea", ".vs", ".gradle", ".terraform", ".next",
    ".nuxt", ".cache", ".eggs", ".direnv",
})  # fmt: skip
_SECRET_FOLDERS = frozenset({".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker", ".password-store"})
_SECRET = re.compile(
    r"\.env(?:\..*)?|.*\.env|.*\.(?:pem|key|p8|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg|pgp|tfstate|tfvars|ovpn)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519).*|\.(?:netrc|pgpass|npmrc|pypirc|htpasswd|git-credentials|s3cfg|boto|my\.cnf)"
    r"|(?:credentials|secrets?)(?:\.(?:json|ya?ml|toml|ini|xml|properties|txt|env|sh|ps1|sql))?|\.bash_history",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The patterns that hold in one folder: its own, then those of the folders around it."""

    folder: str
    """Relative to the workspace, with a slash at its end; empty for the workspace itself and for folders above it."""
    spec: GitIgnoreSpec
    outer: "IgnoreRules | None" = None
    above: str = ""
    """The way down to the workspace from a folder above it, with a slash at its end."""

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether a path below the folder is left out; the innermost folder with an opinion decides.

        Args:
            path: As `folder`, without a slash at its end.
            is_folder: Whether it is a folder, which patterns with a slash at their end ask for.

        Returns:
            True where the last pattern that fits excludes it.
        """
        rules: IgnoreRules | None = self
        while rules is not None:
            relative = rules.above + path.removeprefix(rules.folder)
            verdict = rules.spec.check_file(f"{relative}/" if is_folder else relative).include
            if verdict is not None:
                return verdict
            rules = rules.outer
        return False

    def entering(self, folder: Path, path: str) -> "IgnoreRules":
        """Return the rules inside a folder: these, and those of its own ignore files if it has any."""
        lines = _read_patterns(folder)
        return IgnoreRules(f"{path}/", GitIgnoreSpec.from_lines(lines), self) if lines else self


def rules_above(root: Path) -> IgnoreRules:
    """Return the rules at the root of a workspace: its own and, where it lies inside a repository, those above it."""
    own = _read_patterns(root)
    if (root / ".git").exists():
        return IgnoreRules("", GitIgnoreSpec.from_lines(_excluded_by_git(root) + own))
    rules: IgnoreRules | None = None
    repository = next((parent for parent in root.parents if (parent / ".git").exists()), None)
    if repository is not None:
        below = root.relative_to(repository)
        folders = [repository, *(repository.joinpath(*below.parts[:depth]) for depth in range(1, len(below.parts)))]
        for folder in folders:
            if lines := _read_patterns(folder):
                above = f"{root.relative_to(folder).as_posix()}/"
                spec = GitIgnoreSpec.from_lines(lines)
                if not spec.match_file(above):  # whoever opens an ignored folder wants to see it
                    rules = IgnoreRules("", spec, rules, above)
    return IgnoreRules("", GitIgnoreSpec.from_lines(own), rules)


def is_secret(name: str) -> bool:
    """Tell whether a file is known by its name to hold keys or passwords."""
    return _SECRET.fullmatch(name) is not None


def is_secret_folder(name: str) -> bool:
    """Tell whether a folder is one in which programs keep keys and passwords."""
    return name in _SECRET_FOLDERS


def is_tool_folder(name: str) -> bool:
    """Tell whether a folder belongs to a tool: version control, packages, caches, credentials."""
    return name in _TOOL_FOLDERS or is_secret_folder(name)


def _read_patterns(folder: Path) -> list[str]:
    lines: list[str] = []
    for name in IGNORE_FILES:
        try:
            lines += (folder / name).read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
    return lines


def _excluded_by_git(root: Path) -> list[str]:
    try:
        return (root / ".git" / "info" / "exclude").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []  # also where .git is a file, as in a submodule
