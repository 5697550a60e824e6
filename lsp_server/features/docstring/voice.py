"""In which voice a file's documentation begins: `Return the name`, as PEP 257 wants it, or `Returns the name`."""

from collections.abc import Iterable

from codet5p.core.syntax import Function
from codet5p.lsp_server.features.docstring.vocabulary import VERBS, base_form, third_person

__all__ = ["in_voice", "is_third_person"]

_IMPERATIVE_LANGUAGES = frozenset({"python"})


def is_third_person(functions: Iterable[Function], language: str) -> bool:
    """Tell whether documentation texts begin in the third person.

    Args:
        functions: Those of the file.
        language: A key of `LANGUAGES`; decides where the file says nothing or as much of both.

    Returns:
        True for `Returns the name.`, False for `Return the name.`
    """
    texts = (function.documentation.summary for function in functions if function.documentation is not None)
    firsts = [text.split(maxsplit=1)[0].lower() for text in texts if text]
    third = sum(base_form(word) in VERBS and word not in VERBS for word in firsts)
    imperative = sum(word in VERBS for word in firsts)
    return third > imperative if third != imperative else language not in _IMPERATIVE_LANGUAGES


def in_voice(sentence: str, *, third_person_wanted: bool) -> str:
    """Return the sentence with its first verb in the voice that is wanted; as it is if it begins with no known verb."""
    first, space, rest = sentence.partition(" ")
    word = first.lower()
    base = word if word in VERBS else base_form(word)
    if base not in VERBS:
        return sentence
    changed = third_person(base) if third_person_wanted else base
    return f"{changed[:1].upper()}{changed[1:]}{space}{rest}"
