"""Reading a recipe: a TOML file, changes to it from the command line, and paths made absolute."""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from codet5p.core.config import from_mapping
from codet5p.core.errors import ConfigError

__all__ = ["read_recipe"]

T = TypeVar("T")


def read_recipe(path: Path, recipe_type: type[T], overrides: Sequence[str] = ()) -> T:
    """Return the recipe in `path` with `overrides` applied and its paths made absolute.

    Args:
        path: A TOML file; paths in it are relative to its folder.
        recipe_type: The dataclass whose fields its tables mirror.
        overrides: `dotted.key=value`, the value in TOML syntax or else taken as text; `stages.0.steps=5` names an entry
            of a list. Paths given here are relative to the working directory.

    Returns:
        The checked recipe.

    Raises:
        ConfigError: If the file or an override is wrong.
    """
    try:
        mapping = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the recipe {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    overridden = tuple(_apply(mapping, override) for override in overrides)
    try:
        recipe = from_mapping(mapping, recipe_type)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return cast("T", _Places(folder=path.resolve().parent, overridden=overridden).absolute(recipe, ""))


def _apply(mapping: dict[str, Any], override: str) -> str:
    """Change `mapping` as `override` says and return the key it names."""
    key, separator, text = override.partition("=")
    if not separator:
        raise ConfigError(f"an override reads key=value, got {override!r}")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        if text.startswith(("{", "[", '"', "'")):
            raise ConfigError(f"the value of {key} is not valid TOML: {error}") from None
        value = text
    *parents, last = key.split(".")
    here: Any = mapping
    try:
        for parent in parents:
            here = here[int(parent)] if isinstance(here, list) else here.setdefault(parent, {})
        here[int(last) if isinstance(here, list) else last] = value
    except (IndexError, ValueError, TypeError, AttributeError):
        raise ConfigError(f"the override {key} names no place in the recipe") from None
    return key


@dataclass(frozen=True, kw_only=True, slots=True)
class _Places:
    """What relative paths are relative to: the recipe's folder, or the working directory for overridden keys."""

    folder: Path
    overridden: tuple[str, ...]

    def absolute(self, value: Any, key: str) -> Any:
        """Return `value`, found under the dotted `key`, with every path in it made absolute."""
        if isinstance(value, Path):
            return self._base(key) / value.expanduser()
        if isinstance(value, tuple):
            return tuple(self.absolute(item, f"{key}.{i}") for i, item in enumerate(value))
        if isinstance(value, Mapping):
            return {name: self.absolute(item, f"{key}.{name}") for name, item in value.items()}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value)]
            changes = {name: self.absolute(getattr(value, name), f"{key}.{name}") for name in names}
            return dataclasses.replace(value, **changes)
        return value

    def _base(self, key: str) -> Path:
        is_overridden = any(f"{key}.".startswith(f".{name}.") for name in self.overridden)
        return Path.cwd() if is_overridden else self.folder
