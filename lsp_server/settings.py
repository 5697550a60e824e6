"""The user's settings: every one has a default, and a bad value is reported and replaced by it."""

import dataclasses
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from codet5p.core.config import from_mapping
from codet5p.core.errors import ConfigError
from codet5p.lsp_server.features.completion import Blocks
from codet5p.lsp_server.features.docstring.styles import STYLE_NAMES

__all__ = ["CompletionSettings", "DocstringSettings", "SearchSettings", "Settings", "read_settings"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletionSettings:
    """Settings under `codet5p.completion`.

    Attributes:
        enable: Whether to complete at all.
        disabled_languages: Language identifiers without completions.
        excluded_files: Patterns as in a `.gitignore` for files without completions, besides those that look like
            secrets; `!` in front of one allows a file again.
        in_comments: Whether to complete inside comments while typing.
        in_strings: Whether to complete inside strings while typing.
        delay_milliseconds: Shortest pause in typing to wait for before asking the model; an explicit request never
            waits.
        adaptive_delay: Whether to wait longer, as long as this person takes from key to key.
        min_confidence: Mean probability of a suggestion's tokens below which typing gets silence, 0 to 1.
        blocks: When more than a line may be suggested: `never`, `onRequest` by the user, or `auto`, also while typing
            where a block was just opened.
        max_block_lines: Lines of a block, at most.
        max_candidates: Suggestions to choose from, at most, where the user asks.
        max_new_tokens: Length of a suggested line, at most, in tokens.
        time_limit_milliseconds: Time after which the model is stopped and what is there is shown.
    """

    enable: bool = True
    disabled_languages: tuple[str, ...] = ()
    excluded_files: tuple[str, ...] = ()
    in_comments: bool = True
    in_strings: bool = True
    delay_milliseconds: int = 50
    adaptive_delay: bool = True
    min_confidence: float = 0.0
    blocks: Blocks = "onRequest"
    max_block_lines: int = 8
    max_candidates: int = 3
    max_new_tokens: int = 24
    time_limit_milliseconds: int = 1000

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name, lowest, highest in (
            ("delay_milliseconds", 0, 10_000),
            ("min_confidence", 0, 1),
            ("max_block_lines", 2, 40),
            ("max_candidates", 1, 8),
            ("max_new_tokens", 1, 256),
            ("time_limit_milliseconds", 10, 60_000),
        ):
            if not lowest <= getattr(self, name) <= highest:
                raise ValueError(f"must be from {lowest} to {highest}, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class DocstringSettings:
    """Settings under `codet5p.docstring`.

    Attributes:
        style: Style of new docstrings; `auto` follows the file's other docstrings. It concerns the languages that have
            it, for the others it is as `auto`.
        generate: Whether the model writes the first sentence, where the artifact has one that can; otherwise it says
            what the function's name does.
        prepare_while_idle: Whether sentences for the functions around the cursor are written ahead, while nothing else
            is asked.
    """

    style: str = "auto"
    generate: bool = True
    prepare_while_idle: bool = True

    def __post_init__(self) -> None:
        """Refuse a style that no language has."""
        known = ("auto", *STYLE_NAMES)
        if self.style not in known:
            raise ValueError(f"must be one of {', '.join(known)}, got {self.style!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchSettings:
    """Settings under `codet5p.search`.

    Attributes:
        rerank: Whether the matching head of a model that has one judges the best hits.
        rerank_milliseconds: Time for that; what does not fit keeps its place.
    """

    rerank: bool = False
    rerank_milliseconds: int = 200

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        if not 0 <= self.rerank_milliseconds <= 10_000:
            raise ValueError(f"must be from 0 to 10000, got {self.rerank_milliseconds}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Settings under `codet5p`.

    Attributes:
        completion: Inline completion.
        docstring: Docstrings.
        search: Find code by description.
    """

    completion: CompletionSettings = field(default_factory=CompletionSettings)
    docstring: DocstringSettings = field(default_factory=DocstringSettings)
    search: SearchSettings = field(default_factory=SearchSettings)


def read_settings(given: object) -> tuple[Settings, list[str]]:
    """Return the settings that the editor sent, and what was wrong with them.

    Args:
        given: Decoded JSON, keys in camelCase, with or without the outer `codet5p`; anything else counts as nothing.

    Returns:
        Complete settings, defaults in the place of missing and bad values, and one line for each bad value.
    """
    if isinstance(given, Mapping) and "codet5p" in given:
        given = given["codet5p"]
    if given is None:
        return Settings(), []
    if not isinstance(given, Mapping):
        return Settings(), [f"codet5p must be an object, got {given!r}; the defaults are used"]
    problems: list[str] = []
    values = _read_group(given, Settings, "codet5p", problems)
    return Settings(**values), problems


def _read_group(given: Mapping[str, Any], group: type, where: str, problems: list[str]) -> dict[str, Any]:
    """Return the good values of `given` for the fields of the dataclass `group`; add a line for each bad one."""
    hints = typing.get_type_hints(group)
    names = {_camel_case(field.name): field.name for field in dataclasses.fields(group)}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if (name := names.get(key)) is None:
            continue  # the editor's own settings, such as the server's path, arrive here too
        if dataclasses.is_dataclass(hints[name]):
            if isinstance(value, Mapping):
                values[name] = hints[name](**_read_group(value, hints[name], f"{where}.{key}", problems))
            elif value is not None:
                problems.append(f"{where}.{key} must be an object, got {value!r}; the defaults are used")
        elif value is not None:
            _read_value(name, value, group, f"{where}.{key}", values, problems)
    return values


def _read_value(name: str, value: Any, group: type, where: str, values: dict[str, Any], problems: list[str]) -> None:
    try:
        values[name] = getattr(from_mapping({name: value}, group), name)
    except ConfigError as error:
        reason = str(error)
        reason = reason.removeprefix(name) if reason.startswith(name) else f" {reason}"
        default = next(field.default for field in dataclasses.fields(group) if field.name == name)
        problems.append(f"{where}{reason}; the default {default!r} is used")


def _camel_case(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)
