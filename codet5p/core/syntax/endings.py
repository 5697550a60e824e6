"""How an unfinished line can go on: endings that make it whole, so that a parser can judge the line alone.

`for entry in entries:` is no error of the person who types it, although nothing can be read without the body below. A
line is sound if the text can be read with one of its endings behind it.
"""

import re
from collections.abc import Iterator

from codet5p.core.syntax.brackets import CLOSER_OF, open_brackets

__all__ = ["endings"]

_QUOTED = re.compile(r"""(?P<quote>\"""|'''|["'`])(?:\\.|(?!(?P=quote)).)*(?P<end>(?P=quote)|$)""", re.DOTALL)
_OPEN_TAG = re.compile(r"<([A-Za-z][\w.:-]*)?(?:\s[^<>]*)?>[^<>]*$")
_PYTHON = (
    ":\n{0}    pass",
    "\n{0}    pass",
    "\n{0}    pass\n{0}finally:\n{0}    pass",
    "\n{0}    case _:\n{0}        pass",
    " x:\n{0}    pass",
    "\n{0}def x(): pass",
    " import x",
    " else x",
    " x in x",
)
_RUBY = ("\nend", " x\nend", "\nwhen x\nend", "\nin x\nend", "|x|}", "|x|\nend")
_BRACES = (
    ";", " x;", "{}", " x;{}", " x{}", "x{}", "\nvoid x(){}", " void x(){}", "x:x", ":x", ";x){}", " = x;",
    "\nclass x{}", "while(x);", "\nx",
)  # fmt: skip
_SCRIPT = (" from 'x'", " 'x'", "finally{}", "=>x", " x(){}", ":x", " type x=x;")
_OF_LANGUAGE: dict[str, tuple[str, ...]] = {
    "c": ("\n#endif", "x(void){}", "\nint x;"),
    "cpp": ("\n#endif", " class x;", " x();"),
    "java": ("finally{}", " class x{}", "->x;", " x();"),
    "csharp": ("finally{}", " class x{}", "=>x;", " {get;}", "\n#endif", "\n#endregion"),
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "go": (" x", " struct{}", ":=x{}", ":=x", ' "x"'),
    "php": ("finally{}", "=>x", " class x{}", " $x;", "$x;", "$x){}", " function x(){}", "::x;", "\nfunction x(){}"),
}
_WITH_TAGS = frozenset({"javascript", "typescript", "tsx"})


def endings(language: str, line: str, rest: str) -> Iterator[str]:
    """Yield what may stand behind a line to make it whole, the plainest first.

    Args:
        language: A key of `LANGUAGES`, or `tsx`.
        line: The line up to its unfinished end.
        rest: What stands right of that end already, such as closing brackets.

    Yields:
        Texts; the first is empty.
    """
    yield ""
    closed = _closing(line, rest)
    if closed:
        yield closed
    yield f" x{closed}"
    indentation = line[: len(line) - len(line.lstrip())]
    if language == "python":
        yield from (closed + body.format(indentation) for body in _PYTHON)
        yield f" x{closed}{_PYTHON[0].format(indentation)}"
    elif language == "ruby":
        yield from (closed + end for end in _RUBY)
    else:
        yield from (closed + end for end in (*_BRACES, *_OF_LANGUAGE[language]))
        yield from (f" x{closed}{end}" for end in ("{}", ";"))
        if language in _WITH_TAGS and (tag := _OPEN_TAG.search(line)) is not None:
            yield f"</{tag[1] or ''}>{closed}"


def _closing(line: str, rest: str) -> str:
    """Return the quote and the brackets that `line` opened and `rest` does not close."""
    quote = ""
    for match in _QUOTED.finditer(line):
        quote = "" if match["end"] else match["quote"]
    if quote and quote in rest:
        quote = ""
    return quote + "".join(CLOSER_OF[bracket] for bracket in reversed(open_brackets(line + quote + rest)))
