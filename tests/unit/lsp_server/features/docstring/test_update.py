"""Updates by example: a function with its documentation, and what the documentation becomes."""

import pytest

from codet5p.core.syntax import extract_functions
from codet5p.lsp_server.features.docstring.update import Update, apply_updates, find_update, parses_as_well


def update_of(text: str, language: str = "python", index: int = 0) -> Update | None:
    return find_update(text, extract_functions(text, language)[index])


def updated(text: str, language: str = "python", index: int = 0) -> str:
    update = update_of(text, language, index)
    assert update is not None
    new = apply_updates(text, [update])
    assert parses_as_well(text, new, language)
    assert find_update(new, extract_functions(new, language)[index]) is None, "an update leaves nothing to update"
    return new


def python(signature: str, *lines: str, body: str = "pass") -> str:
    doc = "\n".join(f"    {line}".rstrip() for line in lines)
    return f'{signature}\n    """{doc.lstrip()}\n    """\n    {body}\n'


GOOGLE = (
    "Copy a file.",
    "",
    "Args:",
    "    source (str): Where from,",
    "        and more.",
    "    target: Where to.",
    "",
)


def test_a_new_parameter_is_put_where_the_signature_has_it_with_type_and_default() -> None:
    old = python("def copy(source: str, retries: int = 3, target=None):", *GOOGLE)
    new = python(
        "def copy(source: str, retries: int = 3, target=None):",
        *GOOGLE[:5],
        "    retries (int): Defaults to 3.",
        *GOOGLE[5:],
    )
    assert updated(old) == new


def test_a_new_first_parameter_comes_first() -> None:
    old = python("def copy(mode, source: str, target):", *GOOGLE)
    assert updated(old) == python("def copy(mode, source: str, target):", *GOOGLE[:3], "    mode:", *GOOGLE[3:])


def test_types_are_left_to_the_signature_where_the_neighbours_leave_them_there() -> None:
    old = python("def copy(source, target, depth: int = 1):", *GOOGLE)
    new = python("def copy(source, target, depth: int = 1):", *GOOGLE[:6], "    depth: Defaults to 1.", "")
    assert updated(old) == new


def test_a_parameter_that_is_gone_leaves_with_all_its_lines() -> None:
    assert updated(python("def copy(target):", *GOOGLE)) == python("def copy(target):", *GOOGLE[:3], *GOOGLE[5:])


def test_a_section_leaves_with_its_last_entry() -> None:
    old = python("def stop():", *GOOGLE, "Note:", "    Slow.")
    assert updated(old) == python("def stop():", "Copy a file.", "", "Note:", "    Slow.")


def test_entries_follow_the_order_of_the_signature() -> None:
    old = python("def copy(target, source: str):", *GOOGLE)
    new = python("def copy(target, source: str):", *GOOGLE[:3], GOOGLE[5], *GOOGLE[3:5], "")
    assert updated(old) == new


def test_another_type_is_replaced_in_its_place() -> None:
    old = python("def copy(source: bytes, target):", *GOOGLE)
    assert updated(old) == old.replace("(str)", "(bytes)")


@pytest.mark.parametrize(
    ("signature", "old", "new"),
    [
        ("def copy(source_path, target):", "source", "source_path"),
        ("def copy(src, target):", "source", "src"),
        ("def copy(origin: str, target):", "source", "origin"),  # the only change, and of the same type
    ],
)
def test_a_parameter_renamed_in_its_place_keeps_its_description(signature: str, old: str, new: str) -> None:
    text = python(signature, *GOOGLE)
    assert updated(text) == text.replace(f"    {old} (str)", f"    {new} (str)")


def test_a_parameter_of_another_meaning_does_not_inherit_the_description() -> None:
    new = updated(python("def copy(stream: int, target):", *GOOGLE))
    assert new == python("def copy(stream: int, target):", *GOOGLE[:3], "    stream (int):", *GOOGLE[5:])


def test_two_names_that_trade_a_gap_are_not_taken_for_renamed() -> None:
    text = python("def f(alpha_x, beta_x):", "Do.", "", "Args:", "    alpha_y: A.", "    beta_y: B.")
    assert updated(text) == python("def f(alpha_x, beta_x):", "Do.", "", "Args:", "    alpha_x:", "    beta_x:")


@pytest.mark.parametrize(
    "text",
    [
        python("def f(a, b):", "Summary only."),
        python("def f(a, _unused):", "Do.", "", "Args:", "    a: A."),
        python("def f(self, a):", "Do.", "", "Args:", "    a: A."),
        python("def f(a, **options):", "Do.", "", "Args:", "    a: A.", "    colour: An option."),
        python("def f(a, *more, **options):", "Do.", "", "Args:", "    a: A."),
        python(
            "def f(a, /, *args, b=1, **kw):",
            "Do.",
            "",
            "Args:",
            "    a: A.",
            r"    \*args: B.",
            "    b: C.",
            "    **kw: D.",
        ),
        python("def f(a: 'list[str]'):", "Do.", "", "Args:", "    a (list of str): A."),
        python("def f(a: list[str]):", "Do.", "", "Args:", "    a (list, optional): A."),
        python("def f(a: int | None = None):", "Do.", "", "Args:", "    a (int): A."),
        python("def f(a: np.ndarray):", "Do.", "", "Args:", "    a (array_like): A."),
        python("def f(a: T):", "Do.", "", "Args:", "    a (str): A."),
        python("def f(a):", "Do.", "", "Args:", "    a: A.", "", "Raises:", "    OSError: From deeper down."),
        python("def f(a):", "Do.", "", "Returns:", "    None."),
        python("def f(a):", "Do.", "", "Returns:", "    A number.", body="raise NotImplementedError"),
        "def f(a, b): return 1\n",
        "f = lambda a: a\n",
        "def f(a, b):\n    'Do.\\n\\nArgs:\\n    a: A.'\n",
        "def f(a,:\n    '''Do.\n\n    Args:\n        b: B.\n    '''\n",
    ],
)
def test_what_is_no_mistake_stays_as_it_is(text: str) -> None:
    assert [find_update(text, function) for function in extract_functions(text, "python")] in ([], [None])


def test_an_exception_joins_those_that_are_documented() -> None:
    body = "if a:\n        raise KeyError(a)\n    def inner():\n        raise TypeError\n    raise"
    text = python("def f(a):", "Do.", "", "Raises:", "    ValueError: If so.", body=body)
    assert updated(text) == text.replace("If so.\n", "If so.\n        KeyError:\n")


def test_an_exception_that_is_caught_inside_or_documented_by_its_base_is_not_missing() -> None:
    body = "try:\n        raise KeyError(a)\n    except KeyError:\n        raise FileNotFoundError(a)"
    text = python("def f(a):", "Do.", "", "Raises:", "    OSError: If so.", body=body)
    assert update_of(text) is None


def test_a_result_is_added_where_parameters_have_types() -> None:
    text = python("def f(a: int) -> list[int]:", "Do.", "", "Args:", "    a (int): A.", body="return [a]")
    assert updated(text) == text.replace('A.\n    """', 'A.\n\n    Returns:\n        list[int]:\n    """')


def test_a_generator_yields_its_element_type() -> None:
    text = python(
        "def f(a: int) -> Iterator[tuple[int, str]]:", "Do.", "", "Args:", "    a (int): A.", body="yield a, ''"
    )
    assert updated(text) == text.replace('A.\n    """', 'A.\n\n    Yields:\n        tuple[int, str]:\n    """')


def test_a_result_that_is_no_longer_returned_leaves() -> None:
    text = python("def f(a) -> None:", "Do.", "", "Args:", "    a: A.", "", "Returns:", "    int: A number.")
    assert updated(text) == python("def f(a) -> None:", "Do.", "", "Args:", "    a: A.")


def test_sections_of_other_kinds_stay_untouched() -> None:
    other = ("Hint:", "    gone: Not a parameter.", "", "Example:", "    >>> f(1)", "")
    text = python("def f(a, b):", "Do.", "", *other, "Args:", "    a: A.", "", *other)
    assert updated(text) == text.replace("        a: A.\n", "        a: A.\n        b:\n")


def test_numpy_entries_keep_their_blank_lines_and_get_types_and_defaults() -> None:
    doc = ("Do.", "", "Parameters", "----------", "a : int, default 3", "    A.", "", "c, gone : float", "    C.", "")
    text = python("def f(a: int = 4, b: str = 'x', c: float = 0):", *doc)
    new = python(
        "def f(a: int = 4, b: str = 'x', c: float = 0):",
        *doc[:4], "a : int, default 4", "    A.", "", "b : str, default 'x'", "", "c : float", "    C.", "",
    )  # fmt: skip
    assert updated(text) == new


def test_numpy_sections_behind_the_parameters_stay_where_they_are() -> None:
    doc = ("Do.", "", "Parameters", "----------", "a : int", "    A.", "", "See Also", "--------", "g : Other.")
    text = python("def f(a: str, b: int) -> str:", *doc, body="return a")
    behind = ("b : int", "", "Returns", "-------", "str")
    assert updated(text) == python(
        "def f(a: str, b: int) -> str:", *doc[:4], "a : str", "    A.", *behind, *doc[6:], body="return a"
    )


def test_sphinx_fields_keep_their_types_beside_them() -> None:
    doc = ("Do.", "", ":param a: A.", ":type a: int", ":raises ValueError: never")
    text = python("def f(b: str, a: str):", *doc, body="raise OSError(a)")
    new = (*doc[:2], ":param b:", ":type b: str", ":param a: A.", ":type a: str", doc[4], ":raises OSError:")
    assert updated(text) == python("def f(b: str, a: str):", *new, body="raise OSError(a)")


def test_sphinx_types_inside_the_field() -> None:
    text = python("def f(a: bytes, b: int = 3):", "Do.", ":param str a: A", "    and more.")
    assert updated(text) == python(
        "def f(a: bytes, b: int = 3):", "Do.", ":param bytes a: A", "    and more.", ":param int b: Defaults to 3."
    )


def test_carriage_returns_tabs_and_emoji_survive() -> None:
    doc = '\t\t"""Dö 🎉.\r\n\r\n\t\tArgs:\r\n\t\t\ta: A 🎉.\r\n\t\t"""\r\n'
    text = f"class A:\r\n\tdef f(self, a, b):\r\n{doc}\t\treturn '🎉'\r\n"
    assert updated(text) == text.replace("A 🎉.\r\n", "A 🎉.\r\n\t\t\tb:\r\n")


def test_a_text_that_ends_on_the_line_of_its_last_entry_stays_closed() -> None:
    text = 'def f(a, b):\n    """Do.\n\n    Args:\n        a: A."""\n'
    assert updated(text) == text.replace('A."""', 'A.\n        b:"""')
    text = 'def f(a):\n    """Do.\n\n    Args:\n        a: A.\n        b: B."""\n'
    assert updated(text) == text.replace("\n        b: B.", "")


def test_raw_strings_keep_their_backslashes_and_no_default_breaks_a_string() -> None:
    text = 'def f(a, b="""\\x""", c=r"\\d"):\n    r"""Match \\d.\n\n    Args:\n        a: \\w\n    """\n'
    assert updated(text) == text.replace("\\w\n", "\\w\n        b:\n        c:\n")


def test_each_function_of_a_nest_is_its_own() -> None:
    text = (
        'def outer(a):\n    """Out.\n\n    Args:\n        a: A.\n        x: X.\n    """\n'
        '    @wraps(a)\n    def inner(x):\n        """In.\n\n        Args:\n            a: A.\n        """\n'
        "        return x\n"
    )
    assert "        x: X." not in updated(text, index=0)
    new = updated(text, index=1)
    assert new.startswith(text[: text.index("        a: A.\n        x")])
    assert "            x:\n" in new


JAVA = """\
class A {
  /**
   * Finds it.
   *
   * @param <T> kind
   * @param key which,
   *     and more
   * @return it
   */
"""


def test_javadoc_keeps_type_parameters_and_declared_exceptions_join() -> None:
    text = JAVA.replace("@return it", "@return it\n   * @throws IOException if so")
    text += "  <T> T find(int depth, String key) throws IOException, FooException { return null; }\n}\n"
    new = text.replace("   * @param key", "   * @param depth\n   * @param key")
    assert updated(text, "java") == new.replace("if so\n", "if so\n   * @throws FooException\n")


def test_javadoc_of_a_method_that_returns_nothing() -> None:
    text = JAVA + "  <T> void find(String key) { }\n}\n"
    assert updated(text, "java") == text.replace("   * @return it\n", "")


JSDOC_OPTIONS = " * @param {Object} opts - how\n * @param {string} opts.name - name\n"
JSDOC_NUMBER = " * @param {number} [b=2] - second\n"


def test_jsdoc_properties_move_and_are_renamed_with_their_parameter() -> None:
    code = " */\nfunction add(b = 3, options) { }\n"
    new = JSDOC_NUMBER.replace("2", "3") + JSDOC_OPTIONS.replace("opts", "options")
    assert (
        updated("/**\n * Adds.\n" + JSDOC_OPTIONS + JSDOC_NUMBER + code, "javascript") == f"/**\n * Adds.\n{new}{code}"
    )


def test_a_destructured_parameter_keeps_whatever_name_it_has() -> None:
    text = "/**\n * Adds.\n * @param {Object} props - how\n */\nconst add = ({ a, b }) => a + b;\n"
    assert update_of(text, "javascript") is None


TYPESCRIPT = """\
/**
 * Shows.
 * @param panel - it
 */
function show(panel: Panel, depth = 3): void {}
"""
PHP = """\
<?php
/**
 * Adds.
 * @param int $a first
 */
function f(string $a, ?int $b = 3) { }
"""
C = """\
/// \\brief Opens.
/// \\param[in] path where
int f(const char *path, int mode) { return 0; }
"""
CPP = """\
/** Pushes. @details more
  * @param a,b two
  */
void f(int a) { }
"""
CSHARP = """\
class A {
    /// <summary>Gets.</summary>
    /// <param name="key">
    /// which
    /// </param>
    void Get(int depth, string key) { }
}
"""
RUBY = """\
# Adds.
#
# @param item [Item] it
# @param old [Item] gone
def add(item, count = 1, &block)
end
"""


@pytest.mark.parametrize(
    ("language", "text", "old", "new"),
    [
        ("typescript", TYPESCRIPT, "it\n", "it\n * @param depth - Defaults to 3.\n"),
        ("php", PHP, " int $a first\n", " string $a first\n * @param ?int $b Defaults to 3.\n"),
        ("c", C, "where\n", "where\n/// \\param mode\n"),
        ("cpp", CPP, "a,b two", "a two"),
        (
            "csharp",
            CSHARP,
            '    /// <param name="key',
            '    /// <param name="depth"></param>\n    /// <param name="key',
        ),
        ("ruby", RUBY, "# @param old [Item] gone\n", "# @param count Defaults to 1.\n"),
    ],
)
def test_other_languages(language: str, text: str, old: str, new: str) -> None:
    assert updated(text, language) == text.replace(old, new)


def test_php_tags_that_only_repeat_types_may_be_left_out() -> None:
    text = PHP.replace("string $a, ?int $b = 3)", "int $a, int $b, int $c): int")
    assert update_of(text, "php") is None
    text = PHP.replace("string $a, ?int $b = 3)", "int $a, $b, int $c)")
    assert updated(text, "php") == text.replace("first\n", "first\n * @param $b\n * @param int $c\n")


def test_a_reference_does_not_hide_the_parameters_behind_it() -> None:
    assert update_of("/** Sets.\n * @param a it\n */\nA &f(int a) { return x; }\n", "cpp") is None


def test_a_task_may_be_documented_as_a_result() -> None:
    text = (
        'class A {\n    /// <param name="a">it</param>\n    /// <returns>A task.</returns>\n    Task F(int a) { }\n}\n'
    )
    assert update_of(text, "csharp") is None


def test_go_comments_are_prose() -> None:
    assert update_of("package p\n\n// Find finds a.\nfunc Find(b int) int { return b }\n", "go") is None


def test_more_syntax_errors_or_other_functions_are_no_update() -> None:
    good = "def f():\n    '''Do.'''\n"
    assert not parses_as_well(good, "def f(:\n    '''Do.'''\n", "python")
    assert not parses_as_well(good, "def f():\n    '''Do.'''\ndef g(): pass\n", "python")
    assert parses_as_well("def f(:\n", "def f(:\n", "python")
