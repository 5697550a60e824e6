"""Where our source lies, for tests of the house itself."""

import tomllib
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "module_name", "setuptools_table", "source_files", "source_folders"]

ROOT = Path(__file__).resolve().parent.parent


def setuptools_table() -> dict[str, Any]:
    """Return the table [tool.setuptools] of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    return table


def source_folders() -> dict[str, Path]:
    """Return the top-level folder of each mapped package."""
    return {name: ROOT / folder for name, folder in setuptools_table()["package-dir"].items()}


def source_files() -> list[Path]:
    """Return every Python file of the package, relative to the root; the examples are for show and none of ours."""
    folders = [folder for name, folder in source_folders().items() if name != "codet5p.examples"]
    return sorted(path.relative_to(ROOT) for folder in folders for path in folder.rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the import name of a source file."""
    top, *parts = path.with_suffix("").parts
    if parts and parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join([top] if top == "codet5p" else ["codet5p", top]) + "".join(f".{part}" for part in parts)
