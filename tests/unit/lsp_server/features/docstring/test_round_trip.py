"""Whatever the text: code around a docstring is not touched, and what people wrote is not lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from codet5p.core.syntax import LANGUAGES, extract_functions
from codet5p.lsp_server.features.docstring.comment import read_comment
from codet5p.lsp_server.features.docstring.update import apply_updates, find_update, parses_as_well

NAMES = st.sampled_from(["a", "b", "count", "größe", "\U0001d465", "items"])
TYPES = st.sampled_from(["", "int", "list[str]", "'Späth'", "Callable[[int], str] | None"])
DEFAULTS = st.sampled_from(["", "3", "'x\\n'", 'r"\\d"', "None", '"""'])
PROSE = st.text("ab:,- .()[]{}@<>*🎉é\\\t`", max_size=20)
ENDINGS = st.sampled_from(["\n", "\r\n"])
INDENTS = st.sampled_from(["    ", "\t", "  "])


@st.composite
def python_functions(draw: st.DrawFn) -> str:
    """Draw a function with a docstring that lists other parameters than it has, in one of three styles."""
    ending, indent = draw(ENDINGS), draw(INDENTS)
    parts = []
    for name in draw(st.lists(NAMES, unique=True, max_size=4)):
        annotation, default = draw(TYPES), draw(DEFAULTS)
        parts.append(name + (f": {annotation}" if annotation else "") + (f"={default}" if default else ""))
    names = draw(st.lists(NAMES, unique=True, max_size=4))
    form = draw(
        st.sampled_from([("Args:", "    {}: {}"), ("Parameters\n----------", "{} : {}"), ("", ":param {}: {}")])
    )
    lines = [
        "Do it.",
        "",
        *form[0].split("\n"),
        *(form[1].format(name, draw(PROSE)) for name in names),
        "",
        draw(PROSE),
    ]
    quotes = draw(st.sampled_from(['"""', "'''", 'r"""']))
    body = ending.join([quotes + lines[0], *(indent + line for line in lines[1:]), indent + quotes.lstrip("r")])
    return ending.join(["x = 1", f"def f({', '.join(parts)}):", indent + body, f"{indent}return 1", ""])


@settings(max_examples=150, deadline=None)
@given(python_functions())
def test_only_the_docstring_changes_and_it_stays_right(text: str) -> None:
    for function in extract_functions(text, "python"):
        update = find_update(text, function)
        if update is None:
            continue
        new = apply_updates(text, [update])
        start, end = function.documentation_span or (0, 0)
        assert (update.start, update.end) == (start, end)
        assert new[:start] + new[start + len(update.text) :] == text[:start] + text[end:]
        assert parses_as_well(text, new, "python")
        again = extract_functions(new, "python")[0]
        assert again.documentation_span == (start, start + len(update.text))
        assert find_update(new, again) is None


@settings(max_examples=100, deadline=None)
@given(python_functions())
def test_each_line_of_an_update_was_there_or_states_a_fact(text: str) -> None:
    for function in extract_functions(text, "python"):
        update = find_update(text, function)
        old = text[update.start : update.end].splitlines() if update is not None else []
        for line in update.text.splitlines() if update is not None else ():
            assert line in old or any(parameter.name in line for parameter in function.parameters)


@settings(max_examples=200, deadline=None)
@given(st.text("/*#\"' \t\r\n@param{}()ab:=-é🎉", max_size=80), st.sampled_from(sorted(LANGUAGES)), st.booleans())
def test_any_text_is_read_without_an_error_and_given_back_whole(noise: str, language: str, is_above: bool) -> None:
    code = "def f(a):\n" if language in {"python", "ruby"} else "int f(int a) { return a; }\n"
    text = noise + code if is_above else code + "    " + noise
    for function in extract_functions(text, language):
        comment = read_comment(text, function)
        if comment is not None:
            assert comment.text_with(comment.lines) == text[comment.start : comment.end]
        update = find_update(text, function)
        assert update is None or comment is not None
