"""A documentation text as Markdown, for a hover."""

import re
from collections.abc import Iterator, Sequence

from codet5p.core.syntax import Function
from codet5p.lsp_server.features.docstring.comment import read_comment
from codet5p.lsp_server.features.docstring.layout import Entry, Layout
from codet5p.lsp_server.features.docstring.styles import style_of_text

__all__ = ["documentation_markdown"]

_TITLES = {"parameter": "Parameters", "returns": "Returns", "yields": "Yields", "raises": "Raises"}


def documentation_markdown(text: str, function: Function) -> str:
    """Return the signature of `function` and what its documentation says, as Markdown; empty if it has none.

    Args:
        text: The text that `function` was extracted from.
        function: One of its functions.

    Returns:
        The description as written, and a list under a heading for each kind of fact.
    """
    comment = read_comment(text, function)
    if comment is None or function.documentation is None:
        return ""
    lines = comment.contents
    style = style_of_text(lines, function.language)
    layout = style.parse(lines) if style is not None else Layout()
    if function.documentation.style == "xml":
        prose = [function.documentation.text]
    else:
        taken = {index for entry in layout.entries if entry.kind != "other" for index in range(entry.first, entry.end)}
        taken |= {index for section in layout.sections for index in range(section.first, section.end)}
        prose = [line.rstrip() for index, line in enumerate(lines) if index not in taken]
        prose += list(_fact_lists(layout, lines))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(prose)).strip()
    return "\n".join([f"```{function.language}", function.signature, "```", text])


def _fact_lists(layout: Layout, lines: Sequence[str]) -> Iterator[str]:
    for kind, title in _TITLES.items():
        entries = [entry for entry in layout.entries if entry.kind == kind]
        if entries:
            yield from ("", f"**{title}**", "")
            yield from (_item(entry, layout, lines) for entry in entries)


def _item(entry: Entry, layout: Layout, lines: Sequence[str]) -> str:
    """Return one list item: the names and type as code, then the description on one line."""
    body = next((section.body for section in layout.sections if section.first == entry.first), entry.first)
    fields = [*entry.names_fields, *([entry.annotation_field] if entry.annotation_field else [])]
    texts = []
    for index in range(body, entry.end):
        behind = max((field.end for field in fields if field.line == index), default=0)
        if behind == 0 and index == body == entry.first:
            texts.append(lines[index].partition(" ")[2])  # a tag without a name
        else:
            texts.append(lines[index][behind:])
    description = " ".join(" ".join(texts).split()).lstrip(")]}>:,-. ")
    names = ", ".join(f"`{name}`" for name in entry.names)
    annotation = f"`{entry.annotation}`" if entry.annotation else ""
    head = f"{names} ({annotation})" if names and annotation else names or annotation
    return f"- {head}{': ' if head and description else ''}{description}"
