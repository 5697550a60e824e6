"""Wherever a documentation text is put in: the code around it is not touched, it parses, and it is found again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from codet5p.core.syntax import extract_functions
from codet5p.lsp_server.features.docstring.comment import read_comment
from codet5p.lsp_server.features.docstring.insert import can_insert, write_documentation
from codet5p.lsp_server.features.docstring.styles import STYLES
from codet5p.lsp_server.features.docstring.update import apply_updates, find_update, parses_as_well

PIECES = {
    "python": (
        "def f(a, *b: int, c='x', **d) -> int:\n    return 1\n",
        "def one(a=1): return a\n",
        "@cache\n@other(1,\n       2)\ndef decorated(a: 'A' = None):\n    raise KeyError(a)\n",
        "async def later(a):\n    async with a:\n        yield a\n",
        "def outer(a):\n    def inner(b=3): return b\n    def other(c):\n        return c\n    return inner\n",
        "class A:\n    @property\n    def p(self): return 1\n    @p.setter\n    def p(self, v):\n        self.q = v\n",
        "@overload\ndef o(a: int) -> int: ...\n@overload\ndef o(a: str) -> str:\n    ...\ndef o(a):\n    return a\n",
        "if x:\n    def g(a: int = 1,\n          ): # why\n        # first\n        return a\n",
    ),
    "javascript": (
        "export default function (a, b = 1) { return a }\n",
        "const arrow = async (a) => a\nfunction* gen(a) { yield a }\n",
        "class A {\n  static async go(a) { throw new TypeError(a) }\n  get x() { return 1 }\n  set x(v) { }\n}\n",
        "class B {\n  #p = () => 1\n  constructor(a = {}) { super() }\n}\n",
        "module.exports = {\n  run(a) { },\n  stop: function (b) { }, other: () => 1,\n}\n",
    ),
    "typescript": (
        "export function f(a: number): number;\nexport function f(a: any, ...b: string[]): any { return a }\n",
        "export class A {\n  @Input()\n  private go<T>(a?: T): Promise<void> { return x }\n}\n",
        "export const f = (a: number = 1): void => { }\n",
    ),
    "java": (
        "class A {\n  @Override public <T> int f(T a, int... b) throws E { return 1; }\n  A() { }\n}\n",
        "interface I { default int f(int a) { return a; } }\nrecord R(int a) {\n  R { }\n}\n",
    ),
    "c": (
        "static int *f(int a, char **b)\n{\n  return 0;\n}\n",
        "int main(void) { return 0; }\n#define X\nvoid g() { }\n",
    ),
    "cpp": (
        "template <class T>\nauto f(T a = 1) -> int { throw E(); }\n",
        "struct S {\n  S(int a) : a(a) { }\n  ~S() { }\n  bool operator==(const S& b) const { return true; }\n};\n",
    ),
    "go": ("package p\n\nfunc (r *T[K]) Find(a, b int) (int, error) { return 1, nil }\n\nfunc f() { }\n",),
    "ruby": (
        "def f(a, b = 1, *c, d:, e: 2, **g, &h)\n  raise E, 'x'\nend\n",
        "class A\n  def self.x; 1; end\n  private def y(a) = a\n  attr_reader :q\nend\n",
    ),
    "php": (
        "<?php\nfunction f(int|string $a, &$b, ...$c): ?int { throw new E(); }\n",
        "<?php\nclass A {\n    #[X]\n    public static function f(array $a = []): self { return 1; }\n}\n",
    ),
    "csharp": (
        "class A {\n    [X]\n    public async Task<int> F<T>(T a, int b = 1) { throw new E(); }\n    A() { }\n}\n",
        "struct B {\n    public static B operator +(B a, B b) { return a; }\n    int G(int a) => a;\n}\n",
    ),
}
SENTENCES = st.text("aB .,:;'\"*/\\\\<>&@{}[]()#-=é🎉", min_size=1, max_size=30).filter(
    lambda text: text.strip(' ."') != ""
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a language and a file of several pieces, with line ends, indentation and noise around them."""
    language = draw(st.sampled_from(sorted(PIECES)))
    pieces = draw(st.lists(st.sampled_from(PIECES[language]), min_size=1, max_size=3))
    if language in {"go", "php"}:
        pieces = pieces[:1]
    text = draw(st.sampled_from(["", "\n"])).join(pieces)
    if draw(st.booleans()):
        text = text.replace("    ", "\t")
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    return language, text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@settings(max_examples=150, deadline=None)
@given(documents(), SENTENCES, st.data())
def test_the_code_stays_and_the_text_is_found_again(
    document: tuple[str, str], sentence: str, data: st.DataObject
) -> None:
    language, text = document
    functions = [one for one in extract_functions(text, language) if can_insert(text, one)]
    if not functions:
        return
    function = data.draw(st.sampled_from(functions))
    style = data.draw(st.sampled_from(STYLES[language]))
    update = write_documentation(text, function, style, sentence)
    new = apply_updates(text, [update])
    assert new[: update.start] + new[update.start + len(update.text) :] == text
    assert parses_as_well(text, new, language)
    again = extract_functions(new, language)[extract_functions(text, language).index(function)]
    comment = read_comment(new, again)
    assert comment is not None
    assert new[comment.start : comment.end].strip() == update.text.strip()
    assert find_update(new, again) is None
