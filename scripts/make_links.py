"""Build `.links/codet5p/`: the package as one folder, for mypy and import-linter.

The source folders lie at the top level and are mapped to `codet5p.*` in pyproject.toml, a mapping that only setuptools
understands. Tools that read source trees get this folder of links instead. Git ignores it; it is made anew each time.
"""

import os
import shutil
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINKS = ROOT / ".links"


def mapped_folders() -> dict[str, Path]:
    """Return the subpackage name and folder of each mapped top-level folder, read from pyproject.toml."""
    mapping = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-dir"]
    return {name.removeprefix("codet5p."): ROOT / folder for name, folder in mapping.items() if name != "codet5p"}


def link(target: Path, place: Path) -> None:
    """Link `place` to `target`, or copy it where the system permits no links."""
    try:
        place.symlink_to(os.path.relpath(target, place.parent), target_is_directory=target.is_dir())
    except OSError:
        if target.is_dir():
            shutil.copytree(target, place)
        else:
            shutil.copy2(target, place)


def main() -> None:
    """Make the folder anew."""
    shutil.rmtree(LINKS, ignore_errors=True)
    package = LINKS / "codet5p"
    package.mkdir(parents=True)
    for entry in sorted((ROOT / "codet5p").iterdir()):
        if entry.name != "__pycache__":
            link(entry, package / entry.name)
    for name, folder in mapped_folders().items():
        link(folder, package / name)


if __name__ == "__main__":
    main()
