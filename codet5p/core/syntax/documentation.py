"""Documentation comments and docstrings of ten languages, reduced to the text that a person wrote."""

import html
import inspect
import re
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Documentation",
    "DocumentationStyle",
    "documentation_of_comment",
    "documentation_of_docstring",
    "sentence_end",
]

DocumentationStyle = Literal["docstring", "block", "line", "xml"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Documentation:
    """What a function's documentation says."""

    style: DocumentationStyle
    text: str
    """All of it, without comment marks and common indentation; XML tags are replaced by their text."""
    description: str
    """The part before the first section or tag (`Args:`, `@param`, `:param`, a blank line and an underline, ...)."""
    summary: str
    """The first sentence of the description, on one line."""


_SECTION = re.compile(
    r"""^\s*(?:
        [@\\](?:param|return|returns|retval|throws?|exception|since|author|see|deprecated|version|type|example|private
            |public|protected|internal|api|deprecated|override|inheritdoc|option|yield\w*|raise|note|todo|template
            |memberof|function|method|class|name|extends|constructor|static|async|ingroup|brief_end|pre|post|sa)\b
        | :(?:param|parameter|arg|type|return|returns|rtype|raises?|class|meth|func)\b[^:\n]*:
        | \.\.\s+\w[\w-]*::
        | (?:Args|Arguments|Parameters|Params|Returns?|Raises|Yields|Examples?|Notes?|Attributes|Throws|Usage|References
            |See\ Also|Other\ Parameters|Keyword\ Args|Keyword\ Arguments|Warnings?|Todo)\s*:?\s*$
        | (?:Args|Arguments|Parameters|Returns|Raises|Yields|Example|Examples|Usage)\s*:
        | [-=~^]{3,}\s*$ | >>>\s | ```
    )""",
    re.VERBOSE,
)
_BRIEF = re.compile(r"^\s*[@\\](?:brief|short|details|desc|description|summary|internal)\b[ \t]*", re.MULTILINE)
_INLINE_TAG = re.compile(r"\{@\w+\s+([^{}]*)\}")
_XML_REFERENCE = re.compile(
    r"<(?:see|seealso|paramref|typeparamref)\b[^>]*?(?:cref|name|langword|href)=\"([^\"]*)\"[^>]*/?>"
)
_XML_SUMMARY = re.compile(r"<summary>(.*?)(?:</summary>|$)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]*>")
_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\betc\.)(?<!\bvs\.)[)\"'`]?\s+(?=[A-Z\"'`(\[<:]|$)"
)
_LINE_MARK = re.compile(r"^[ \t]*(?://[/!]?<?|#+)[ ]?", re.MULTILINE)
_STAR = re.compile(r"^[ \t]*\*+(?!/)[ ]?", re.MULTILINE)


def documentation_of_docstring(literal: str) -> Documentation | None:
    """Return what a Python docstring says, given its literal with prefix and quotes; None if it is empty."""
    body = literal.lstrip("rRuUbBfF")
    quote = body[:3] if body[:3] in {'"""', "'''"} else body[:1]
    text = inspect.cleandoc(body[len(quote) : len(body) - len(quote)]) if len(body) >= 2 * len(quote) else ""
    return _documentation("docstring", text)


def documentation_of_comment(comment: str) -> Documentation | None:
    """Return what a comment, or a run of line comments, says; None if nothing is left without the marks.

    Args:
        comment: Source text from the first comment mark to the end of the last.

    Returns:
        The documentation. C# comments with a `<summary>` have the style `xml`.
    """
    stripped = comment.strip()
    if stripped.startswith("/*"):
        style: DocumentationStyle = "block"
        text = _STAR.sub("", re.sub(r"\**/$", "", re.sub(r"^/\*+[!<]*", "", stripped)))
    elif stripped.startswith("=begin"):
        style = "block"
        text = re.sub(r"^=begin[^\n]*\n?|\n?=end[^\n]*$", "", stripped)
    else:
        style = "line"
        text = _LINE_MARK.sub("", stripped)
    text = inspect.cleandoc(text)
    if _XML_SUMMARY.search(text):
        return _xml_documentation(text)
    return _documentation(style, text)


def _xml_documentation(text: str) -> Documentation | None:
    text = _XML_REFERENCE.sub(lambda match: re.sub(r"^\w:", "", match[1]), text)
    summary = _XML_SUMMARY.search(text)
    description = _plain(summary[1]) if summary else ""
    if not description:
        return None
    return Documentation(style="xml", text=_plain(text), description=description, summary=_first_sentence(description))


def _plain(text: str) -> str:
    lines = (line.strip() for line in html.unescape(_TAG.sub("", text)).splitlines())
    return "\n".join(line for line in lines if line)


def _documentation(style: DocumentationStyle, text: str) -> Documentation | None:
    text = text.strip()
    if not text:
        return None
    readable = _INLINE_TAG.sub(lambda match: match[1].strip(), _BRIEF.sub("", text))
    if style == "block":
        readable = html.unescape(_TAG.sub("", readable))
    description = _description(readable)
    return Documentation(style=style, text=text, description=description, summary=_first_sentence(description))


def _description(text: str) -> str:
    """Return the lines before the first section, tag, or underlined heading."""
    lines: list[str] = []
    for line in text.splitlines():
        if _SECTION.match(line):
            underlines = re.match(r"^\s*[-=~^]{3,}\s*$", line)
            if underlines and lines and lines[-1].strip():
                lines.pop()
            break
        lines.append(line.rstrip())
    return "\n".join(lines).strip()


def _first_sentence(description: str) -> str:
    """Return the first sentence of the first paragraph, on one line."""
    paragraph = re.split(r"\n\s*\n", description, maxsplit=1)[0]
    line = " ".join(paragraph.split())
    return line[: sentence_end(line)].strip()


def sentence_end(line: str) -> int:
    """Return where the first sentence of a line ends, its full stop included; for the only one, the line's length."""
    match = _SENTENCE_END.search(line)
    return match.start() if match else len(line)
