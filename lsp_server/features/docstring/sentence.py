"""What may be shown of a model's text: its first sentence, or nothing.

A reader forgives silence; what is empty, cut off, repeated, copied code, talk in the first person or an address never
comes through.
"""

import re

from codet5p.core.syntax import sentence_end

__all__ = ["shown_sentence"]

_FEWEST_WORDS = 2
_MOST_WORDS = 40
_LONGEST_RUN = 3
_WORD = re.compile(r"[^\W\d_][\w'-]*")
_OPENING = re.compile(
    r"(?:summary|description|docstring|documentation|returns?:)\s*:?\s+(?=[A-Z])"
    r"|(?:this|the)\s+(?:function|method|class method|constructor)\s+(?=[a-z]+s\b)",
    re.IGNORECASE,
)
_MARKS = " \t\"'`*#/-"
_CODE = re.compile(r"[{};\[\]<>\\|=$@]|\w\(|->|::|\bdef\b|\bfunc\b|\bself\.")
_TALK = re.compile(r"\b(?:I|I'm|we|we'll|our|my|you|your|let's|please|sorry|hack|TODO|FIXME|XXX)\b", re.IGNORECASE)
_FOREIGN = re.compile(r"https?:|www\.|\S@\S|copyright|licen[cs]e|all rights|�", re.IGNORECASE)


def shown_sentence(written: str, source: str, *, is_finished: bool) -> str:
    """Return the first sentence of `written` as it may be shown; empty if it may not.

    Args:
        written: What a model wrote about a function.
        source: The function's code.
        is_finished: Whether the model came to an end by itself.

    Returns:
        One line that begins with a capital letter and ends with a full stop.
    """
    first_line = written.strip().partition("\n")[0]
    line = _OPENING.sub("", " ".join(first_line.split()), count=1).strip(_MARKS)
    end = sentence_end(line)
    if not is_finished and end == len(line) and not line.endswith((".", "!")):
        return ""
    sentence = line[:end].rstrip(" .:!").strip(_MARKS)
    if not _is_fit(sentence, source):
        return ""
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _is_fit(sentence: str, source: str) -> bool:
    words = _WORD.findall(sentence)
    if not _FEWEST_WORDS <= len(words) <= _MOST_WORDS or sentence.endswith("?"):
        return False
    if _CODE.search(sentence) or _TALK.search(sentence) or _FOREIGN.search(sentence):
        return False
    return not _repeats([word.lower() for word in words]) and not _is_copied(sentence, source)


def _repeats(words: list[str]) -> bool:
    """Tell whether a run of three words comes twice, or the same word three times in a row."""
    runs = [tuple(words[start : start + _LONGEST_RUN]) for start in range(len(words) - _LONGEST_RUN + 1)]
    return len(set(runs)) < len(runs) or any(len(set(run)) == 1 for run in runs)


def _is_copied(sentence: str, source: str) -> bool:
    """Tell whether the sentence is a line of the code, comments apart."""
    plain = re.sub(r"\W+", " ", sentence).strip().lower()
    lines = (line for line in source.splitlines() if not line.lstrip().startswith(("#", "//", "*", "/*")))
    return any(plain in re.sub(r"\W+", " ", line).lower() for line in lines)
