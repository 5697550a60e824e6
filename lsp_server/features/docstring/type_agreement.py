"""Whether a type written in a documentation text still is the one in the signature.

Authors also describe types in words (`array_like`, `list of str`), narrow them or leave out that None is possible.
None of that is a mistake; only a type that code could have, and that is another one, disagrees.
"""

import re
from collections.abc import Collection

__all__ = ["disagrees"]

_WORD = re.compile(r"[A-Za-z_]\w*")
_EXPRESSION = re.compile(r"[\w.\[\]<>|,? \\]+$")
_BUILTIN: dict[str, frozenset[str]] = {
    "python": frozenset(
        {
            "None", "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "memoryview",
            "object", "range", "set", "slice", "str", "tuple", "type", "Any", "AsyncIterator", "Callable", "Dict",
            "FrozenSet", "Generator", "Iterable", "Iterator", "List", "Mapping", "Optional", "Path", "Sequence", "Set",
            "Tuple", "Type", "Union",
        }
    ),
    "typescript": frozenset(
        {
            "any", "bigint", "boolean", "never", "null", "number", "object", "string", "symbol", "undefined", "unknown",
            "void", "Array", "Date", "Map", "Promise", "Record", "Set",
        }
    ),
    "php": frozenset(
        {
            "bool", "boolean", "int", "integer", "float", "double", "string", "null", "void", "array", "iterable",
            "callable", "object",
        }
    ),
}  # fmt: skip
_SAME = {
    "Dict": "dict", "FrozenSet": "frozenset", "List": "list", "Set": "set", "Tuple": "tuple", "Type": "type",
    "boolean": "bool", "integer": "int", "double": "float",
}  # fmt: skip
_STAND_IN = re.compile(r"^_|^[A-Z]$|[a-z]T$|_co$|^Self$")
"""Names of type variables and private aliases, which stand for the types that people write."""
_ANYTHING = frozenset({"Any", "any", "mixed", "object", "unknown", "Literal"})


def disagrees(documented: str, actual: str, language: str, known_names: Collection[str]) -> bool:
    """Tell whether `documented` is a type of code and another one than `actual`.

    Args:
        documented: The type in the documentation text.
        actual: The annotation.
        language: A key of `LANGUAGES`.
        known_names: Names of types in the code of the file.

    Returns:
        False where either is missing, or one is a rougher or finer wording of the other.
    """
    if not documented or not actual or language not in _BUILTIN:
        return False
    builtin = _BUILTIN[language]
    written = _alternatives(documented, language)
    meant = _alternatives(actual, language)
    if not written or not meant or written == meant:
        return False
    names = set(_WORD.findall(" ".join(written)))
    is_code = all(_EXPRESSION.match(part) for part in written) and all(
        name in builtin or name in known_names or name in _SAME.values() for name in names
    )
    return is_code and not _is_wording_of(written, meant)


def _is_wording_of(written: frozenset[str], meant: frozenset[str]) -> bool:
    """Tell whether the types are the same but for their arguments, or one of them says nothing."""
    bases, meant_bases = ({_base(part) for part in parts} for parts in (written, meant))
    if (bases | meant_bases) & _ANYTHING or any(_STAND_IN.search(base) for base in meant_bases):
        return True
    bases, meant_bases = ({base.lower() for base in names} for names in (bases, meant_bases))
    is_rough = any(all(part == _base(part) for part in parts) for parts in (written, meant))
    return bases == meant_bases and is_rough


def _base(alternative: str) -> str:
    return "array" if alternative.endswith("[]") else re.split(r"[\[<]", alternative, maxsplit=1)[0]


def _alternatives(text: str, language: str) -> frozenset[str]:
    """Return the members of a union, spelled in one way and without None; empty for a wording that is no union."""
    text = text.strip().strip("`\"'")
    text = re.sub(r"(?:\b\w+\.)+(?=\w)", "", text)
    if language == "php":
        text = text.replace("\\", " ").split(" ")[-1] if "|" not in text else text
        text = re.sub(r"^\?", "", text)
    text = re.sub(r"\b\w+\b", lambda match: _SAME.get(match[0], match[0]), text)
    text = re.sub(r"\s+or\s+", "|", text)
    if (match := re.fullmatch(r"(?:Optional|Union)\[(.*)\]", text)) is not None:
        text = "|".join(_split(match[1], ",")) if text.startswith("Union") else match[1]
    parts = (re.sub(r"\s+", "", part) for union in _split(text, ",") for part in _split(union, "|"))
    return frozenset(part for part in parts if part not in {"None", "null", "undefined"}) - {""}


def _split(text: str, separator: str) -> list[str]:
    """Return the parts of `text` between separators outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[<({") - (character in "])}>")
        if character == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
