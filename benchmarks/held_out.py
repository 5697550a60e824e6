"""Files that no model was trained on, and cursors in them: what the measurements of completion run on."""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from codet5p.core.syntax import LANGUAGES, language_of_path

__all__ = ["Cursor", "HeldOutFile", "add_files_argument", "cursors", "read_held_out"]

_MIN_LINES = 40
_MAX_LINES = 1500


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOutFile:
    """One file.

    Attributes:
        name: Language and file name.
        language: A key of `LANGUAGES`.
        text: Its content, with line feeds.
    """

    name: str
    language: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """A place in a file at which the rest of the line was taken out.

    Attributes:
        file: Where it is.
        text: The file without the rest of that line.
        offset: The cursor in `text`.
        truth: What was taken out.
        kind: Behind the line's indentation, or in its middle at the end of a word.
    """

    file: HeldOutFile
    text: str
    offset: int
    truth: str
    kind: Literal["start", "middle"]


def add_files_argument(parser: argparse.ArgumentParser) -> None:
    """Let the user say where the files are."""
    parser.add_argument("--files", type=Path, required=True, help="folder of held-out files, one folder a language")


def read_held_out(folder: Path, per_language: int, languages: Sequence[str] = tuple(LANGUAGES)) -> list[HeldOutFile]:
    """Return the first files of each language, by name.

    Args:
        folder: Has one folder a language.
        per_language: How many files, at most.
        languages: Which languages, in this order.

    Returns:
        Files of 40 to 1,500 lines in UTF-8.
    """
    found: list[HeldOutFile] = []
    for language in languages:
        chosen = 0
        for path in sorted((folder / language).glob("*")):
            if chosen == per_language:
                break
            text = path.read_text("utf-8", "replace").replace("\r\n", "\n")
            if language_of_path(path.name) and _MIN_LINES <= text.count("\n") <= _MAX_LINES:
                found.append(HeldOutFile(name=f"{language}/{path.name}", language=language, text=text))
                chosen += 1
    return found


def cursors(file: HeldOutFile, count: int, seed: int = 0) -> Iterator[Cursor]:
    """Yield `count` cursors of a file at most, on lines with something to complete, half of them of each kind."""
    source = random.Random(f"{seed} {file.name}")
    lines = file.text.split("\n")
    numbers = [number for number, line in enumerate(lines) if number > 5 and len(line.strip()) > 3]
    for index, number in enumerate(source.sample(numbers, min(count, len(numbers)))):
        line = lines[number]
        column = len(line) - len(line.lstrip())
        kind: Literal["start", "middle"] = "start" if index % 2 == 0 else "middle"
        if kind == "middle":
            ends = [
                at for at in range(column + 1, len(line.rstrip()) - 1) if line[at - 1].isalnum() != line[at].isalnum()
            ]
            if not ends:
                continue
            column = source.choice(ends)
        before = "\n".join([*lines[:number], line[:column]])
        text = before + "".join("\n" + other for other in lines[number + 1 :])
        yield Cursor(file=file, text=text, offset=len(before), truth=line[column:].rstrip(), kind=kind)
