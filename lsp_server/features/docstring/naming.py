"""A first sentence from what a function is called, where its name is a phrase: `read_config(path)` reads the config.

The sentence says what the name says and nothing else, so that it can be dull and cannot be made up. A name that is no
phrase gives no sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from codet5p.core.syntax import Function
from codet5p.lsp_server.features.docstring.facts import Facts
from codet5p.lsp_server.features.docstring.vocabulary import (
    ABBREVIATED_VERBS,
    ACRONYMS,
    BARE,
    CLAIMS,
    EXPANDED,
    KEYED,
    KEYS,
    MADE,
    MEANS,
    NOUNS,
    ON_ITSELF,
    PATHS,
    PLACES,
    PREPOSITIONS,
    SAID_BY_LANGUAGES,
    TAKE_PREPOSITION,
    TO_AND_FROM,
    VERBS,
    third_person,
)

__all__ = ["NamePhrase", "phrase_of_name"]

_WORD = re.compile(r"[A-Z]{2,}s?(?![a-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")
_CONSTRUCTORS = frozenset({"__init__", "__new__", "__construct", "initialize", "constructor"})
_UNKNOWN_VERB = re.compile(r"(?:ify|i[sz]e|[lrt]ate)$")
_ADJECTIVE = re.compile(r"(?:.{2,}(?:ed|able|ible|less|ful|ive)|(?:in)?valid|empty|ready)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class NamePhrase:
    """What a name says, as a verb and the rest.

    Attributes:
        verb: In its base form, such as `set up`; several are joined by `or` or `and`.
        rest: What follows it; may be empty.
    """

    verb: str
    rest: str

    def text(self, *, third_person_wanted: bool) -> str:
        """Return the phrase with a capital letter and no full stop: `Reads the config`, or `Read the config`."""
        verb = self.verb
        if third_person_wanted:
            verb = " ".join(part if part in {"or", "and"} else third_person(part) for part in _verbs_of(verb))
        return f"{verb[:1].upper()}{verb[1:]} {self.rest}".rstrip()


def phrase_of_name(function: Function, facts: Facts) -> NamePhrase | None:
    """Return what the name of `function` says about it, or None if it is no phrase.

    Args:
        function: A function.
        facts: About it.

    Returns:
        The phrase.
    """
    name = function.name
    if name in _CONSTRUCTORS or (function.container and name == _last(function.container)):
        rest = _with_article(_said(_words(_last(function.container))))
        return NamePhrase(verb="create", rest=rest) if function.container else None
    if (said := SAID_BY_LANGUAGES.get(name)) is not None:
        return NamePhrase(verb=said[0], rest=said[1])
    words = _words(name)
    if not words or words[0] in {"operator", "test"} or name.startswith("__") or not _is_readable(words):
        return None
    return _claim(function, facts, words) or _conversion(function, words) or _action(function, facts, words)


def _is_readable(words: Sequence[str]) -> bool:
    """Tell whether most of a name is words: `f`, `x2` and `sha1_h0` say nothing to a reader."""
    return sum(len(word) > 1 and not word.isdigit() for word in words) > len(words) / 2


def _claim(function: Function, facts: Facts, words: Sequence[str]) -> NamePhrase | None:
    """Return what a name such as `is_valid` or `valid?` asks."""
    asks = function.name.endswith("?")
    first, rest = words[0], _said(words[1:])
    if first in CLAIMS and rest:
        claim = f"{CLAIMS[first]} {rest}"
    elif asks and (first in VERBS or (first.endswith("s") and first[:-1] in VERBS)):
        acted_on = rest or _only_parameter(facts)
        if not acted_on:
            return None
        claim = f"{third_person(first) if first in VERBS else first} {acted_on}"
    elif not facts.parameters and (asks or (_is_boolean(facts) and _ADJECTIVE.match(words[-1]))):
        return _state(words)
    else:
        return None
    subject = "it"
    if not function.container and len(facts.parameters) == 1 and claim.startswith(("is ", "has ")):
        subject = _only_parameter(facts) or "it"
    elif claim.startswith(("are ", "have ")):
        subject = "they"
    return NamePhrase(verb="return", rest=f"whether {subject} {claim}")


def _state(words: Sequence[str]) -> NamePhrase:
    """Return what names such as `valid?` and `headersAccepted` ask, the last word being the state."""
    subject, state = _said(words[:-1]), words[-1]
    asked = f"the {subject} {'are' if subject.endswith('s') else 'is'}" if subject else "it is"
    return NamePhrase(verb="return", rest=f"whether {asked} {state}")


def _is_boolean(facts: Facts) -> bool:
    return facts.returns.lower() in {"bool", "boolean"}


def _conversion(function: Function, words: Sequence[str]) -> NamePhrase | None:
    """Return what names such as `to_json`, `fromDict` and `celsius_to_kelvin` say."""
    first, rest = words[0], words[1:]
    if first in {"to", "as"} and rest and not set(rest) & BARE:
        target = _said(rest)
        return NamePhrase(verb="convert", rest=f"to {_with_article(target) if rest[-1] in MADE else target}")
    if first == "from" and rest and function.container:
        return NamePhrase(
            verb="create", rest=f"{_with_article(_said(_words(_last(function.container))))} from {_said(rest)}"
        )
    at = words.index("to") if words.count("to") == 1 else 0
    if 0 < at < len(words) - 1 and not VERBS & set(words[:at]):
        return NamePhrase(verb="convert", rest=f"{_said(words[:at])} to {_said(words[at + 1 :])}")
    return None


def _action(function: Function, facts: Facts, words: list[str]) -> NamePhrase | None:
    """Return what a name says that begins with a verb, or is what the function gives back."""
    adverb = ""
    if len(words) > 1 and words[-1] == "async":
        words, adverb = words[:-1], " asynchronously"
    if words[0] == "try" and len(words) > 1 and words[1] in VERBS:
        return NamePhrase(
            verb="try", rest=f"to {_verb(words[1])} {_object(function, facts, words[1], words[2:])}".strip()
        )
    if words[0] == "on" and len(words) > 1:
        return NamePhrase(verb="handle", rest=f"the {_said(words[1:])}{adverb}")
    if words[0] not in VERBS and words[0] not in ABBREVIATED_VERBS:
        return _result(function, facts, words)
    if _is_noun(facts, words):
        return NamePhrase(verb="return", rest=f"the {_said(words)}{adverb}")
    verb, rest = _verb(words[0]), words[1:]
    if set(rest) & CLAIMS.keys():
        return None
    if len(rest) > 1 and rest[0] in {"or", "and"} and rest[1] in VERBS:
        verb, rest = f"{verb} {rest[0]} {_verb(rest[1])}", rest[2:]
    if verb == "get" and rest and facts.returns_value is not False:
        verb = "return"
    acted_on = _completed(_object(function, facts, verb, rest), facts)
    return NamePhrase(verb=verb, rest=f"{acted_on}{adverb}") if acted_on else None


def _is_noun(facts: Facts, words: Sequence[str]) -> bool:
    """Tell whether a word that may be a verb is what the function gives back, as in `count()` and `index()`."""
    return words[0] in NOUNS and not facts.parameters and facts.returns_value is not False


def _result(function: Function, facts: Facts, words: Sequence[str]) -> NamePhrase | None:
    """Return the phrase about a function that is called after its result."""
    if facts.returns_value is False or not _names_result(function, facts, words):
        return None
    if words[0] == "new" and len(words) > 1:
        return NamePhrase(verb="return", rest=f"a new {_said(words[1:])}")
    said = _completed(f"the {_said(words)}", facts)
    return NamePhrase(verb="yield" if facts.is_generator else "return", rest=said) if said else None


def _names_result(function: Function, facts: Facts, words: Sequence[str]) -> bool:
    """Tell whether a name that begins with no known verb is one of a thing, as far as its form shows it."""
    is_verb = _UNKNOWN_VERB.search(words[0]) or words[0] in BARE or set(words) & CLAIMS.keys()
    is_single_verb = len(words) == 1 and (facts.parameters or words[0].endswith(("ing", "ed", "ly")))
    is_unsure = facts.returns_value is None and (function.language != "ruby" or facts.parameters)
    is_component = function.language in {"javascript", "typescript"} and function.name[:1].isupper()
    return not (is_verb or is_single_verb or is_unsure or is_component or function.name.endswith("!"))


def _completed(said: str, facts: Facts) -> str:
    """Return words that end in a preposition with the parameter that belongs behind it; empty if none is known."""
    last = said.rsplit(" ", 1)[-1]
    if last not in PREPOSITIONS:
        return said
    parameter = _only_parameter(facts)
    if parameter.removeprefix("the ") in KEYS and last == "by":
        parameter = parameter.removeprefix("the ")
    return f"{said} {parameter}" if parameter else ""


def _object(function: Function, facts: Facts, verb: str, rest: Sequence[str]) -> str:
    """Return what a verb acts on: the rest of the name, else the only parameter, else what the method belongs to."""
    if not rest:
        parameter = _only_parameter(facts)
        bare = parameter.removeprefix("the ")
        if bare in KEYS:
            return f"by {bare}" if verb in KEYED else ""
        if bare in PATHS and verb in TO_AND_FROM:
            return f"{TO_AND_FROM[verb]} {parameter}"
        if not facts.parameters and function.container and verb.split(" ", maxsplit=1)[0] in ON_ITSELF:
            return f"the {_said(_words(_last(function.container)))}"
        return f"{_joint(verb)}{parameter}" if parameter else ""
    said = _said(rest)
    if rest[0] in BARE or verb in {"ensure", "assert", "expect"} or rest[0].endswith(("ly", "ing")):
        return said
    return f"{_joint(verb)}the {said}"


def _joint(verb: str) -> str:
    """Return the preposition that a verb takes before its object, with a space; empty for most."""
    return f"{TAKE_PREPOSITION[verb]} " if verb in TAKE_PREPOSITION else ""


def _only_parameter(facts: Facts) -> str:
    """Return the one parameter that must be given, with an article; empty if its name says nothing."""
    required = [fact for fact in facts.parameters if not fact.default and not fact.marker]
    if len(required) != 1 or required[0] is not facts.parameters[0]:
        return ""
    name = required[0].name.lstrip("$")
    words = _words(name)
    if name.startswith("_") or name in MEANS or not words or set(words) & PREPOSITIONS:
        return ""
    if any(len(word) < 3 and word != "id" for word in words):
        return ""
    return f"the {_said(words)}"


def _verbs_of(verb: str) -> list[str]:
    return re.split(r" (?=(?:or|and) )|(?<=\bor) |(?<=\band) ", verb)


def _verb(word: str) -> str:
    return ABBREVIATED_VERBS.get(word, word)


def _last(container: str) -> str:
    return re.split(r"[.:]+", container)[-1]


def _words(name: str) -> list[str]:
    """Return the words of an identifier in lower case, but acronyms as they are."""
    return [word if _is_acronym(word) else word.lower() for word in _WORD.findall(name)]


def _is_acronym(word: str) -> bool:
    return len(word) > 1 and word.rstrip("s").isupper() and word.rstrip("s").lower() in ACRONYMS


def _said(words: Sequence[str]) -> str:
    """Return words as people write them: abbreviations in full, and an article behind words of place."""
    said: list[str] = []
    for index, word in enumerate(words):
        written = word.upper() if word.lower() in ACRONYMS else EXPANDED.get(word, word)
        is_placed = index > 0 and words[index - 1] in PLACES and word not in BARE
        said.append(f"the {written}" if is_placed and not written.isupper() else written)
    return " ".join(said)


def _with_article(said: str) -> str:
    if said.endswith("s") and not said.endswith(("ss", "us", "is")):
        return f"the {said}"
    return f"{'an' if said[:1].lower() in 'aeio' else 'a'} {said}"
