"""Functions of ten languages: names, spans, signatures, parameters, documentation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codet5p.core.syntax import LANGUAGES, Function, code_without_documentation, extract_functions, language_of_path

PYTHON = '''\
@cache
async def fetch(url: str, *, retries: int = 3) -> bytes:
    """Return the page at `url`. Follows redirects.

    Args:
        url: Where.
    """
    return await get(url)
'''
JAVA = """\
class Store<T> {
  /**
   * Returns the {@link Item} with the key. May be null.
   * @param key which
   */
  @Override
  public <K> Item find(final K key, String... tags) throws IOException {
    return null;
  }
}
"""
RUBY = """\
module Shop
  class Cart
    # Adds an item. Twice is fine.
    #
    # @param item [Item]
    def add(item, count = 1, *rest, price:, **options, &block)
      @items << item
    end
  end
end
"""
JAVASCRIPT = """\
/** Adds two numbers. Quickly. */
export const add = (a, { b }, c = 1, ...rest) => {
  return a + b;
};
"""
TYPESCRIPT = """\
class View {
  /** Shows the panel. Once. */
  @Input()
  show(this: View, panel: Panel, wide?: boolean, depth = 3): void {
    draw(panel);
  }
}
"""
GO = """\
package store

// Find returns the item with the key. It may be nil.
func (s *Store[K]) Find(a, b int, rest ...string) (*Item, error) {
	return nil, nil
}
"""
PHP = """\
<?php
class Cart {
  /**
   * Adds an item. Twice is fine.
   */
  public function add(Item $item, &$count = 1, ...$rest): int {
    return 1;
  }
}
"""
C = """\
/* Opens the device. Blocks. */
static int
open_device(const char *path, int (*done)(int), unsigned flags)
{
    return 0;
}
"""
CPP = """\
/// \\brief Pushes a value. Grows the stack.
template <class T>
void Stack<T>::push(const T& value, int count = 1) const {
  data.push_back(value);
}
"""
CSHARP = """\
class Store {
    /// <summary>
    /// Gets the <see cref="T:Item"/> with the key. Or null.
    /// </summary>
    /// <param name="key">which</param>
    public Item Find<T>(T key, int depth = 2) => items[key];
}
"""
EXPECTED = {
    "python": (PYTHON, "fetch", "Return the page at `url`.", ["url", "retries"]),
    "java": (JAVA, "Store.find", "Returns the Item with the key.", ["key", "tags"]),
    "ruby": (RUBY, "Shop.Cart.add", "Adds an item.", ["item", "count", "rest", "price", "options", "block"]),
    "javascript": (JAVASCRIPT, "add", "Adds two numbers.", ["a", "{ b }", "c", "rest"]),
    "typescript": (TYPESCRIPT, "View.show", "Shows the panel.", ["panel", "wide", "depth"]),
    "go": (GO, "Store.Find", "Find returns the item with the key.", ["a", "b", "rest"]),
    "php": (PHP, "Cart.add", "Adds an item.", ["$item", "$count", "$rest"]),
    "c": (C, "open_device", "Opens the device.", ["path", "done", "flags"]),
    "cpp": (CPP, "push", "Pushes a value.", ["value", "count"]),
    "csharp": (CSHARP, "Store.Find", "Gets the Item with the key.", ["key", "depth"]),
}


def only(text: str, language: str) -> Function:
    functions = extract_functions(text, language)
    assert len(functions) == 1
    return functions[0]


@pytest.mark.parametrize("language", EXPECTED)
def test_every_language_gives_name_first_sentence_and_parameters(language: str) -> None:
    text, name, summary, parameters = EXPECTED[language]
    function = only(text, language)
    assert function.qualified_name == name
    assert function.documentation is not None
    assert function.documentation.summary == summary
    assert [parameter.name for parameter in function.parameters] == parameters


@pytest.mark.parametrize("language", EXPECTED)
def test_code_without_documentation_has_none_of_it(language: str) -> None:
    text, _, summary, _ = EXPECTED[language]
    function = only(text, language)
    code = code_without_documentation(text, function)
    assert summary.split()[0] not in code.split()
    assert function.name in code


@pytest.mark.parametrize("language", EXPECTED)
def test_the_documentation_span_covers_the_comment_or_docstring(language: str) -> None:
    text = EXPECTED[language][0]
    span = only(text, language).documentation_span
    assert span is not None
    assert text[slice(*span)].startswith(('"""', "/", "#"))
    assert text[slice(*span)].endswith(('"""', "*/", "]", ".", "</param>"))


def test_signatures_are_one_line_without_the_opening_of_the_body() -> None:
    assert only(PYTHON, "python").signature == "async def fetch(url: str, *, retries: int = 3) -> bytes"
    assert only(GO, "go").signature == "func (s *Store[K]) Find(a, b int, rest ...string) (*Item, error)"
    assert only(JAVASCRIPT, "javascript").signature == "export const add = (a, { b }, c = 1, ...rest)"
    assert only(CSHARP, "csharp").signature == "public Item Find<T>(T key, int depth = 2)"


def test_types_and_defaults_of_parameters_are_kept() -> None:
    retries = only(PYTHON, "python").parameters[1]
    assert (retries.annotation, retries.default) == ("int", "3")
    wide = only(TYPESCRIPT, "typescript").parameters[1]
    assert (wide.annotation, wide.default) == ("boolean", "")


def test_decorators_belong_to_the_span() -> None:
    function = only(PYTHON, "python")
    assert PYTHON[function.span.start :].startswith("@cache")
    assert function.lines == (0, 7)
    method = only(TYPESCRIPT, "typescript")
    assert TYPESCRIPT[method.span.start :].startswith("@Input()")
    assert method.lines == (2, 5)


def test_spans_count_characters_and_not_bytes() -> None:
    text = 'x = "café 🎉"\ndef größe():\n    "Gibt é."\n    return 1\n'
    function = only(text, "python")
    assert text[slice(*function.span)] == 'def größe():\n    "Gibt é."\n    return 1'
    assert text[slice(*function.body)] == '"Gibt é."\n    return 1'
    assert function.documentation_span is not None
    assert text[slice(*function.documentation_span)] == '"Gibt é."'


def test_a_function_of_nothing_but_a_docstring_keeps_a_body() -> None:
    text = 'class A:\n    def f(self):\n        """Does nothing yet."""\n'
    assert code_without_documentation(text, only(text, "python")) == "def f(self):\n    pass"


def test_methods_are_dedented_with_their_docstring_removed() -> None:
    text = 'class A:\n    def f(self):\n        """Adds."""\n        return 1\n'
    assert code_without_documentation(text, only(text, "python")) == "def f(self):\n    return 1"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("java", "class A {\n  // not a doc comment\n  int f() { return 1; }\n}\n"),
        ("c", "/* far away */\n\n\nint f(void) { return 1; }\n"),
        ("c", "int x; /* about x */\nint f(void) { return 1; }\n"),
        ("go", "package a // about a\nfunc F() {}\n"),
        ("csharp", "class A {\n  // plain\n  int F() { return 1; }\n}\n"),
        ("python", "def f():\n    return 'not a docstring'\n"),
    ],
)
def test_other_comments_are_no_documentation(language: str, text: str) -> None:
    assert only(text, language).documentation is None


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        (
            "javascript",
            "A.prototype.go = function (x) {};\nmodule.exports = { run() {}, stop: () => 1 };",
            "go run stop",
        ),
        ("javascript", "class A { #x() {} k = (y) => { return y; } static s() {} }", "#x k s"),
        ("typescript", "abstract class A { abstract q(): void; constructor(private x: number) {} }", "constructor"),
        ("java", "interface I { int q(); default int z() { return 1; } } record R(int a) { R { } }", "z R"),
        (
            "cpp",
            "struct S { ~S() {} int operator==(S o) { return 1; } int* p() { return 0; } operator int() {} };",
            None,
        ),
        ("csharp", "class A { A(int x) {} ~A() {} void L() { int inner(int q) { return q; } } }", "A A L inner"),
        ("ruby", "def self.build; 1; end\ndef ==(other); true; end", "build =="),
        ("c", "char **names(void) {}\nint old(a, b) int a; char b; { return 1; }", "names old"),
        ("c", "namespace n {\nstruct EXPORTED s {\nint f(int a) { return a; }\n}\n}", "f"),
        ("python", "def outer():\n    def inner(): pass\n", "outer inner"),
    ],
)
def test_unusual_forms_are_found(language: str, text: str, names: str | None) -> None:
    expected = names.split() if names is not None else ["~S", "operator==", "p", "operator int"]
    assert [function.name for function in extract_functions(text, language)] == expected


def test_tsx_is_parsed_as_tsx() -> None:
    text = "export function App(p: Props) { return <div onClick={() => p.go()}>hi</div>; }"
    assert [function.name for function in extract_functions(text, "typescript", "App.tsx")] == ["App"]


def test_broken_syntax_keeps_the_functions_that_can_be_read() -> None:
    text = "def first():\n    return 1\n\ndef broken(:\n\ndef last(a):\n    return a\n"
    names = [function.name for function in extract_functions(text, "python")]
    assert "first" in names
    assert "last" in names


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown language 'cobol'"):
        extract_functions("", "cobol")


def test_languages_are_told_by_the_file_name() -> None:
    assert language_of_path("src/App.TSX") == "typescript"
    assert language_of_path("a/b.h") == "c"
    assert language_of_path("Makefile") is None


FRAGMENTS = st.sampled_from([text for text, *_ in EXPECTED.values()])


@settings(max_examples=60, deadline=None)
@given(language=st.sampled_from(list(LANGUAGES)), text=st.text(max_size=300))
def test_any_text_is_read_without_an_exception(language: str, text: str) -> None:
    for function in extract_functions(text, language):
        assert text[slice(*function.span)]


@settings(max_examples=120, deadline=None)
@given(
    language=st.sampled_from(list(LANGUAGES)),
    text=FRAGMENTS,
    cut=st.integers(0, 400),
    length=st.integers(0, 60),
    noise=st.text(alphabet="{}()<>\"'/*#@\n\t é🎉\x00\ud800=:;", max_size=12),
)
def test_damaged_source_is_read_without_an_exception(
    language: str, text: str, cut: int, length: int, noise: str
) -> None:
    damaged = text[:cut] + noise + text[cut + length :]
    for function in extract_functions(damaged, language):
        start, end = function.span
        assert 0 <= start < end <= len(damaged)
        assert start <= function.body.start <= function.body.end <= end
        assert function.name
        assert code_without_documentation(damaged, function)
