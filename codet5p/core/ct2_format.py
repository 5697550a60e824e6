"""Writing a model in CTranslate2's binary format, from arrays that stay on disk until they are written.

CTranslate2 has a writer of its own (`ctranslate2.specs`), which imports torch where torch is installed, holds every
weight in memory and compares all pairs of them for equality. The server assembles its models on the user's machine, so
it needs none of that. A test holds the names written here against CTranslate2's specifications.

Source: CTranslate2 4.8, `python/ctranslate2/specs/model_spec.py`, binary version 6.
"""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["RuntimeModel", "write_model"]

_BINARY_VERSION = 6
_TYPE_IDS = {"float32": 0, "int8": 1, "int16": 2, "int32": 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class RuntimeModel:
    """One CTranslate2 model, ready to be written.

    Attributes:
        spec_name: Name of the specification, which selects the C++ class.
        spec_revision: Revision of that specification.
        variables: For each variable's name, a function that reads its value: a float32, int8 or int32 array, or a
            scalar of such a type.
        aliases: For each further name of a variable, the name that holds the value.
        config: Content of the model's config.json.
        vocabulary: All tokens, in order of their ids.
        vocabulary_name: File that holds them, without its suffix.
    """

    spec_name: str
    spec_revision: int
    variables: Mapping[str, Callable[[], NDArray[Any] | np.generic]]
    config: Mapping[str, Any]
    vocabulary: list[str]
    vocabulary_name: str = "vocabulary"
    aliases: Mapping[str, str] = field(default_factory=dict)


def write_model(folder: Path, model: RuntimeModel, advance: Callable[[int], None] = lambda _: None) -> None:
    """Write `model` into `folder`, which must exist.

    Args:
        folder: Where model.bin, config.json and the vocabulary go.
        model: What to write.
        advance: Called with the number of bytes written since the last call, for progress.

    Raises:
        OSError: If the disk is full or the folder cannot be written.
    """
    with (folder / "model.bin").open("wb") as file:
        file.write(struct.pack("I", _BINARY_VERSION))
        _write_string(file, model.spec_name)
        file.write(struct.pack("II", model.spec_revision, len(model.variables)))
        for name in sorted(model.variables):
            advance(_write_variable(file, name, np.asarray(model.variables[name]())))
        file.write(struct.pack("I", len(model.aliases)))
        for name in sorted(model.aliases):
            _write_string(file, name)
            _write_string(file, model.aliases[name])
    (folder / "config.json").write_text(json.dumps(dict(model.config), indent=2) + "\n", "utf-8")
    vocabulary = json.dumps(model.vocabulary, indent=0, ensure_ascii=False)
    (folder / f"{model.vocabulary_name}.json").write_text(vocabulary, "utf-8")


def _write_string(file: BinaryIO, text: str) -> None:
    encoded = text.encode("utf-8") + b"\0"
    file.write(struct.pack("H", len(encoded)) + encoded)


def _write_variable(file: BinaryIO, name: str, value: NDArray[Any]) -> int:
    _write_string(file, name)
    file.write(struct.pack(f"=B{value.ndim}I", value.ndim, *value.shape))
    file.write(struct.pack("=BI", _TYPE_IDS[value.dtype.name], value.nbytes))
    file.write(np.ascontiguousarray(value).data)
    return value.nbytes
