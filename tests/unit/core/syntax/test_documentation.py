"""Documentation comments reduced to what a person wrote."""

import pytest

from codet5p.core.syntax.documentation import documentation_of_comment, documentation_of_docstring


@pytest.mark.parametrize(
    ("literal", "description", "summary"),
    [
        ('"""Add. Then stop."""', "Add. Then stop.", "Add."),
        ('r"""Add\n    two lines.\n\n    Args:\n        x: y\n    """', "Add\ntwo lines.", "Add two lines."),
        ("'''Add.\n\n    :param x: y\n    '''", "Add.", "Add."),
        ('"""Add.\n\n    Parameters\n    ----------\n    x : int\n    """', "Add.", "Add."),
        ('"""Add.\n\n    >>> add(1)\n    """', "Add.", "Add."),
        ('"""Use e.g. this one. And that."""', "Use e.g. this one. And that.", "Use e.g. this one."),
    ],
)
def test_docstrings_end_before_their_sections(literal: str, description: str, summary: str) -> None:
    documentation = documentation_of_docstring(literal)
    assert documentation is not None
    assert documentation.style == "docstring"
    assert documentation.description == description
    assert documentation.summary == summary


@pytest.mark.parametrize("literal", ['""', '""""""', '"""   """', "'", '"'])
def test_an_empty_docstring_is_none(literal: str) -> None:
    assert documentation_of_docstring(literal) is None


@pytest.mark.parametrize(
    ("comment", "style", "description"),
    [
        ("/** Adds. */", "block", "Adds."),
        ("/**\n   * Adds <b>two</b> &amp; more.\n   *\n   * @param x y\n   */", "block", "Adds two & more."),
        ("/**\n * Adds {@code x}.\n * @return y */", "block", "Adds x."),
        ("/*! \\brief Adds.\n \\param x y */", "block", "Adds."),
        ("/* Adds. */", "block", "Adds."),
        ("// Adds.\n// Twice.", "line", "Adds.\nTwice."),
        ("/// Adds.\n/// @return x", "line", "Adds."),
        ("//! Adds.", "line", "Adds."),
        ("# Adds.\n#\n# @param x [Y]", "line", "Adds."),
        ("# Adds.\n# === Example\n#   add", "line", "Adds.\n=== Example\n  add"),
        ("=begin\nAdds.\n=end", "block", "Adds."),
        ('/// <summary>Gets <paramref name="x"/>.</summary>\n/// <returns>y</returns>', "xml", "Gets x."),
        ("/// <summary>\n/// Gets\n/// it.\n/// </summary>", "xml", "Gets\nit."),
    ],
)
def test_comment_marks_and_tags_go(comment: str, style: str, description: str) -> None:
    documentation = documentation_of_comment(comment)
    assert documentation is not None
    assert documentation.style == style
    assert documentation.description == description


@pytest.mark.parametrize("comment", ["/** */", "//", "#", "/**/", "/// <summary></summary>"])
def test_an_empty_comment_is_none(comment: str) -> None:
    assert documentation_of_comment(comment) is None


def test_xml_text_keeps_the_parameters() -> None:
    documentation = documentation_of_comment('/// <summary>Gets.</summary>\n/// <param name="x">Which.</param>')
    assert documentation is not None
    assert documentation.text == "Gets.\nWhich."
