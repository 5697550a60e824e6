"""The ten conventions for documentation texts, and which of them a file follows."""

from collections import Counter
from collections.abc import Iterable, Sequence

from codet5p.lsp_server.features.docstring.layout import Style
from codet5p.lsp_server.features.docstring.styles.csharp_xml import CsharpXml
from codet5p.lsp_server.features.docstring.styles.doxygen import Doxygen
from codet5p.lsp_server.features.docstring.styles.godoc import Godoc
from codet5p.lsp_server.features.docstring.styles.google import Google
from codet5p.lsp_server.features.docstring.styles.javadoc import Javadoc
from codet5p.lsp_server.features.docstring.styles.jsdoc import Jsdoc
from codet5p.lsp_server.features.docstring.styles.numpydoc import Numpydoc
from codet5p.lsp_server.features.docstring.styles.phpdoc import Phpdoc
from codet5p.lsp_server.features.docstring.styles.sphinx import Sphinx
from codet5p.lsp_server.features.docstring.styles.yard import Yard

__all__ = ["STYLES", "STYLE_NAMES", "style_of_file", "style_of_text"]

STYLES: dict[str, tuple[Style, ...]] = {
    "python": (Google(), Numpydoc(), Sphinx()),
    "javascript": (Jsdoc(),),
    "typescript": (Jsdoc(),),
    "java": (Javadoc(),),
    "c": (Doxygen(),),
    "cpp": (Doxygen(),),
    "go": (Godoc(),),
    "ruby": (Yard(),),
    "php": (Phpdoc(),),
    "csharp": (CsharpXml(),),
}
"""The styles of each language; the first is used where neither the file nor the user says otherwise."""

STYLE_NAMES: tuple[str, ...] = tuple(dict.fromkeys(style.name for styles in STYLES.values() for style in styles))


def style_of_text(lines: Sequence[str], language: str) -> Style | None:
    """Return the style in which `lines` state the most facts, or None if they state none in any."""
    counted = [(len(style.parse(lines).entries), style) for style in STYLES[language]]
    most, style = max(counted, key=lambda pair: pair[0])
    return style if most else None


def style_of_file(texts: Iterable[Sequence[str]], language: str, wanted: str = "auto") -> Style:
    """Return the style for a new documentation text.

    Args:
        texts: The documentation texts that the file has already, each as lines.
        language: A key of `STYLES`.
        wanted: Name of a style, or `auto`; one that the language does not have is no wish.

    Returns:
        The style that is wanted, else that of most texts, else the language's first.
    """
    styles = STYLES[language]
    for style in styles:
        if style.name == wanted:
            return style
    found = (style_of_text(lines, language) for lines in texts)
    counted = Counter(style.name for style in found if style is not None)
    return max(styles, key=lambda style: counted[style.name])
