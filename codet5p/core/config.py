"""Strict configuration: TOML to frozen dataclasses, where a misspelt key is an error and not a silent default."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from codet5p.core.errors import ConfigError

__all__ = ["from_mapping", "load_toml"]

T = TypeVar("T")


def load_toml(path: Path, config_type: type[T]) -> T:
    """Return `config_type` read from the TOML file at `path`.

    Args:
        path: A TOML file whose tables mirror the fields of `config_type`.
        config_type: A dataclass, which may hold dataclasses.

    Returns:
        The checked configuration.

    Raises:
        ConfigError: If the file is missing or no TOML, or a key or value is wrong.
    """
    try:
        mapping = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    try:
        return from_mapping(mapping, config_type)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def from_mapping(mapping: Mapping[str, Any], config_type: type[T], where: str = "") -> T:
    """Return `config_type` built from `mapping`, checking every key and type.

    Args:
        mapping: Keys are field names; a nested mapping fills a nested dataclass.
        config_type: A dataclass.
        where: The dotted name of the enclosing key, for messages.

    Returns:
        The checked configuration.

    Raises:
        ConfigError: If a key is unknown or missing, or a value is of the wrong type or refused by the dataclass.
    """
    if not isinstance(mapping, Mapping):
        raise ConfigError(f"{where or 'the content'} must be a table, got {mapping!r}")
    fields = {field.name: field for field in dataclasses.fields(config_type)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(config_type)
    if unknown := sorted(set(mapping) - set(fields)):
        raise ConfigError(f"unknown key {_join(where, unknown[0])}; known are {', '.join(sorted(fields))}")
    values = {key: _convert(value, hints[key], _join(where, key)) for key, value in mapping.items()}
    missing = [
        name
        for name, field in fields.items()
        if name not in values and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(f"missing key {_join(where, missing[0])}")
    try:
        return config_type(**values)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}" if where else str(error)) from None


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _convert(value: Any, hint: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_mapping(value, hint, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} must be a list, got {value!r}")
        return tuple(_convert(item, arguments[0], f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} must be a table, got {value!r}")
        return {str(key): _convert(item, arguments[1], _join(where, str(key))) for key, item in value.items()}
    if origin in (types.UnionType, typing.Union):
        return _convert_union(value, arguments, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise ConfigError(f"{where} must be one of {', '.join(map(repr, arguments))}, got {value!r}")
        return value
    return _convert_scalar(value, hint, where)


def _convert_union(value: Any, arguments: tuple[Any, ...], where: str) -> Any:
    if value is None and type(None) in arguments:
        return None
    options = [option for option in arguments if option is not type(None)]
    for option in options[:-1]:
        try:
            return _convert(value, option, where)
        except ConfigError:
            continue
    return _convert(value, options[-1], where)


def _convert_scalar(value: Any, hint: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint is Path and isinstance(value, str | Path):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{where} must be of type {hint.__name__}, got {value!r}")
    return value
