"""What the styles with tags share: a tag begins a line, and its text goes on to the next tag."""

import re
from collections.abc import Iterator, Sequence

from codet5p.lsp_server.features.docstring.facts import Facts
from codet5p.lsp_server.features.docstring.layout import Entry, EntryKind, Field, Style, bare_name, blank_end, with_ends
from codet5p.lsp_server.features.docstring.presenting import defaults_to

__all__ = ["KINDS", "TAG", "field_of", "tag_blocks", "tag_entry", "tags_of"]

TAG = re.compile(r"[ \t]*[@\\](?P<tag>[A-Za-z-]+)\b")

KINDS: dict[str, EntryKind] = {
    **dict.fromkeys(("param", "arg", "argument"), "parameter"),
    **dict.fromkeys(("return", "returns", "result"), "returns"),
    **dict.fromkeys(("yield", "yields"), "yields"),
    **dict.fromkeys(("throw", "throws", "exception", "raise"), "raises"),
}
"""What the usual tags are about; all others stay as they are."""


def tag_blocks(lines: Sequence[str], *, stops_at_blank: bool = False) -> Iterator[tuple[str, int, int]]:
    """Yield name, first line and end of each tag with its text.

    Args:
        lines: The contents of a comment.
        stops_at_blank: Whether a blank line ends a tag's text; else it goes on to the next tag.

    Yields:
        Name without the mark, the tag's line, and the line behind its last that is not blank.
    """
    tags = {index: match["tag"] for index, line in enumerate(lines) if (match := TAG.match(line)) is not None}
    for first, following in with_ends(list(tags), len(lines)):
        end = following
        if stops_at_blank:
            end = next((index for index in range(first, following) if not lines[index].strip()), following)
        yield tags[first], first, blank_end(lines, first, end)


def tag_entry(kind: EntryKind, lines: Sequence[str], span: tuple[int, int], pattern: re.Pattern[str]) -> Entry:
    """Return the entry of one tag, read by a pattern with the groups `names`, `type` and `default`.

    Args:
        kind: What the tag is about.
        lines: The contents of the comment.
        span: First line of the tag and the line behind its last.
        pattern: Matched from the start of the first line; every group may be missing.

    Returns:
        The entry; of kind `other` if the line does not fit the pattern.
    """
    first, end = span
    match = pattern.match(lines[first])
    if match is None:
        return Entry(kind="other", first=first, end=end)
    groups = match.groupdict()
    names_field = field_of(match, "names", first)
    return Entry(
        kind=kind,
        first=first,
        end=end,
        names=tuple(bare_name(name) for name in groups["names"].split(",")) if names_field else (),
        names_fields=(names_field,) if names_field else (),
        annotation=groups.get("type") or "",
        annotation_field=field_of(match, "type", first),
        default=groups.get("default") or "",
        default_field=field_of(match, "default", first),
    )


def field_of(match: re.Match[str], group: str, line: int) -> Field | None:
    """Return where a group of `match` stands in `line`, or None if it is missing or empty."""
    return Field(line, *match.span(group)) if match.groupdict().get(group) else None


def tags_of(style: Style, facts: Facts) -> list[str]:
    """Return a blank line and the tags that state more than the signature shows; nothing if there are none.

    Args:
        style: How tags are written.
        facts: About the function.

    Returns:
        All parameters if a default can be told of one, and the exceptions.
    """
    tags: list[str] = []
    if any(defaults_to(fact) for fact in facts.parameters):
        tags += [line for fact in facts.parameters for line in style.parameter(fact, None, ())]
    tags += [line for error in facts.raises for line in style.raises(error, None, ())]
    return ["", *tags] if tags else []
