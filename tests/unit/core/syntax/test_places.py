import pytest
import tree_sitter

from codet5p.core.syntax.languages import grammar
from codet5p.core.syntax.places import place_at


def place(language: str, text: str) -> str:
    """Return what stands around the mark ▮."""
    source = text.replace("▮", "").encode()
    tree = tree_sitter.Parser(grammar(language)).parse(source)
    return place_at(tree, source, len(text[: text.index("▮")].encode()), language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "# größe ▮\n"),
        ("python", "x = 1  # why ▮\n"),
        ("python", "x = (1,  # why ▮\n"),
        ("ruby", "# why ▮\n"),
        ("php", "<?php // why ▮\n"),
        ("php", "<?php # why ▮\n"),
        ("javascript", "// why ▮\n"),
        ("javascript", "/** why ▮\n"),
        ("javascript", "/* why ▮ */\n"),
        ("typescript", "const a = 1; // why ▮\n"),
        ("tsx", "// why ▮\n"),
        ("java", "/** why ▮\n * more */ class A {}"),
        ("go", "// why ▮\n"),
        ("c", "/* why ▮ */"),
        ("cpp", "// why ▮\n"),
        ("csharp", "/// <summary>why ▮\n"),
    ],
)
def test_comments_of_ten_languages_are_seen_closed_or_not(language: str, text: str) -> None:
    assert place(language, text) == "comment"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "x = '😀 ▮'\n"),
        ("python", "x = 'open ▮\ny = 2\n"),
        ("python", '"""Doc ▮'),
        ("python", 'def f():\n    """Doc ▮\n\n    More.\n    """\n'),
        ("python", 'def f():\n    """Doc.\n\n    More ▮\n    """\n'),
        ("python", "x = f'{a} ▮'\n"),
        ("ruby", 'x = "open ▮\ny = 2\n'),
        ("php", "<?php\n$x = 'open ▮\n$y = 2;\n"),
        ("javascript", "let x = `a ▮`;"),
        ("javascript", 'let x = "open ▮\nlet y = 2;\n'),
        ("typescript", "let x = 'a▮';"),
        ("java", 'class A { String x = "a ▮"; }'),
        ("go", "var x = `raw ▮`\n"),
        ("c", 'char *x = "a // no comment ▮";'),
        ("cpp", 'auto x = "a▮";'),
        ("csharp", 'class A { string x = "a ▮"; }'),
    ],
)
def test_strings_of_ten_languages_are_seen_closed_or_not(language: str, text: str) -> None:
    assert place(language, text) == "string"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "▮"),
        ("python", "x = 'a'▮\n"),
        ("python", "x = ▮'a'\n"),
        ("python", "x = f'{a▮}'\n"),
        ("python", "x = y // ▮\n"),
        ("python", "# why\n▮\n"),
        ("python", "x = '#' + (▮\n"),
        ("javascript", "let x = `${a▮}`;"),
        ("javascript", "/* why */ ▮"),
        ("javascript", "/* why */ f(▮"),
        ("javascript", 'x = /"/.▮test(y);'),
        ("php", "<?php\n#[Attribute] class ▮"),
        ("ruby", 'x = "a #{b▮}"\n'),
        ("c", "#include ▮"),
        ("c", "char x = '\"'; f(▮"),
        ("csharp", 'class A { string x = $"a {b▮}"; }'),
    ],
)
def test_code_is_everything_else(language: str, text: str) -> None:
    assert place(language, text) == "code"
