"""The hits of a search as one page of HTML that loads nothing from anywhere."""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codet5p.lsp_server.features.search import Hit, SearchAnswer

__all__ = ["counted", "report_of", "sizes_of"]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1f2328;
       background: #fff; }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin: 1.5rem 0 .3rem; font-weight: 600; }
.place { color: #59636e; font-weight: 400; } pre { background: #f6f8fa; padding: .6rem; overflow-x: auto; margin: 0; }
mark { background: #fff8c5; color: inherit; display: inline-block; width: 100%; } .number { color: #8b949e; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3; } pre { background: #161b22; }
  mark { background: #3a2f00; } .place { color: #9198a1; } a { color: #4493f8; } }
"""


def report_of(question: str, answer: "SearchAnswer") -> str:
    """Return a page with the hits of a search; what was asked and found is text in it, never markup.

    Args:
        question: What was asked.
        answer: What was found.

    Returns:
        HTML; a policy in its head forbids scripts and everything from elsewhere.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(question)}</title><style>{_STYLE}</style>"
    )
    body = "\n".join(map(_section, answer.hits)) or "<p>Nothing found; try other words or fewer filters.</p>"
    top = f"<h1>{escape(question)}</h1><p>{sizes_of(answer)}</p>"
    return f"<!doctype html>\n<html lang=en><head>{head}</head>\n<body>{top}\n{body}\n</body></html>\n"


def sizes_of(answer: "SearchAnswer") -> str:
    """Return how many hits there are and how many files were searched: "1 hit, 3 files searched"."""
    return f"{counted(len(answer.hits), 'hit')}, {counted(answer.indexed, 'file')} searched"


def counted(number: int, what: str) -> str:
    """Return "1 hit", "2 hits"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _section(hit: "Hit") -> str:
    place = f"{hit.path}:{hit.first_line + 1}"
    link = f"{hit.file.as_uri()}#L{hit.first_line + 1}"
    heading = (
        f'{escape(hit.name)} <span class=place>{escape(hit.kind)}, <a href="{escape(link)}">{escape(place)}</a></span>'
    )
    return f"<h2>{heading}</h2>\n<pre>{chr(10).join(_lines(hit))}</pre>"


def _lines(hit: "Hit") -> Iterable[str]:
    for index, line in enumerate(hit.snippet.lines):
        number = hit.first_line + hit.snippet.first_line + index + 1
        text = f"<span class=number>{number:>5}</span> {escape(line)}"
        yield f"<mark>{text}</mark>" if index in hit.snippet.best else text
