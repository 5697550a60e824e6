import pytest

from codet5p.core.syntax import extract_functions
from codet5p.lsp_server.features.docstring.insert import can_insert, write_documentation
from codet5p.lsp_server.features.docstring.styles import STYLES, style_of_file
from codet5p.lsp_server.features.docstring.update import apply_updates, find_update, parses_as_well


def inserted(text: str, language: str, style_name: str = "auto", sentence: str = "Adds things.") -> str:
    function = extract_functions(text, language)[0]
    assert can_insert(text, function)
    style = style_of_file([], language, style_name)
    update = write_documentation(text, function, style, sentence)
    new = apply_updates(text, [update])
    assert parses_as_well(text, new, language)
    again = extract_functions(new, language)[0]
    assert again.documentation is not None
    assert find_update(new, again) is None
    return new


PYTHON = """\
class A:
    def add(self, a: int, *b: str, c: int = 3) -> int:
        if not a:
            raise KeyError
        return 1
"""
GOOGLE = """\
        \"\"\"Adds things.

        Args:
            a (int):
            *b (str):
            c (int): Defaults to 3.

        Returns:
            int:

        Raises:
            KeyError:
        \"\"\"
"""
NUMPY = """\
        Parameters
        ----------
        a : int
        *b : str
        c : int, default 3
"""
SPHINX = """\
        :param c: Defaults to 3.
        :type c: int
        :rtype: int
        :raises KeyError:
"""


def test_google() -> None:
    head, body = PYTHON.split("        if")
    assert inserted(PYTHON, "python") == f"{head}{GOOGLE}        if{body}"


@pytest.mark.parametrize(("style", "expected"), [("numpy", NUMPY), ("sphinx", SPHINX)])
def test_a_wanted_style(style: str, expected: str) -> None:
    assert expected in inserted(PYTHON, "python", style)


def test_a_function_without_facts_gets_one_line() -> None:
    assert inserted("def f(a):\r\n\treturn a\r\n", "python") == 'def f(a):\r\n\t"""Adds things."""\r\n\treturn a\r\n'


GO = "package p\n\nfunc Find(a int) int { return a }\n"
CPP = "int f(int a = 1) { return a; }\n"
RUBY = "def f(a, b = 1)\n  raise E\nend\n"
JAVA = "class A {\n  int f(int a) throws E { return a; }\n}\n"
SCRIPT = "export function f(a, b = 1) { }\n"
PHP = "<?php\nfunction f(int $a): int { return 1; }\n"
CSHARP = "class A {\n    int F(int a) { return a; }\n}\n"


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("go", GO, ["// Find adds things."]),
        ("ruby", RUBY, ["# Adds things.", "#", "# @param a", "# @param b Defaults to 1.", "# @raise [E]"]),
        ("java", JAVA, ["  /**", "   * Adds things.", "   *", "   * @throws E", "   */"]),
        ("javascript", SCRIPT, ["/**", " * Adds things.", " *", " * @param a", " * @param b - Defaults to 1.", " */"]),
        ("php", PHP, ["/**", " * Adds things.", " *", " * @param int $a", " * @return int", " */"]),
        ("cpp", CPP, ["/**", " * Adds things.", " *", " * @param a Defaults to 1.", " */"]),
        ("csharp", CSHARP, ["    /// <summary>", "    /// Adds things.", "    /// </summary>"]),
    ],
)
def test_other_languages(language: str, text: str, expected: str) -> None:
    assert "\n".join([*expected, ""]) in inserted(text, language)


def test_the_words_cannot_end_the_string() -> None:
    text = "    \ndef f(a):\n    return a\n"
    update = write_documentation(text, extract_functions(text, "python")[0], STYLES["python"][0], 'Ends """ here \\')
    assert update.text == '    """Ends \' here /"""\n'


def test_nothing_is_inserted_where_there_is_no_line() -> None:
    for text in ("def f(): return 1\n", "def f():\n    '''Do.'''\n"):
        assert not can_insert(text, extract_functions(text, "python")[0])


def test_the_style_of_a_file_is_that_of_most_of_its_texts() -> None:
    google, numpy = ["Do.", "", "Args:", "    a: A."], ["Do.", "", "Parameters", "----------", "a : int"]
    assert style_of_file([google, numpy, numpy], "python").name == "numpy"
    assert style_of_file([google, numpy, numpy], "python", "google").name == "google"
    assert style_of_file([google], "python", "javadoc").name == "google"
    assert style_of_file([], "python").name == "google"
    assert style_of_file([google], "java", "numpy").name == "javadoc"
