import pytest

from codet5p.core.syntax import extract_functions
from codet5p.lsp_server.features.docstring.coverage import undocumented
from codet5p.lsp_server.features.docstring.facts import Facts, ParameterFact, read_facts


def facts(text: str, language: str) -> Facts:
    return read_facts(text, extract_functions(text, language)[0])


def test_python() -> None:
    found = facts(
        "async def f(self, a, /, b: int = 3, *c: str, d=None, **e) -> int | None:\n    raise E(a)\n", "python"
    )
    assert found.parameters == (
        ParameterFact(name="a"),
        ParameterFact(name="b", annotation="int", default="3"),
        ParameterFact(name="c", marker="*", annotation="str"),
        ParameterFact(name="d", default="None"),
        ParameterFact(name="e", marker="**"),
    )
    assert (found.returns, found.returns_value, found.raises) == ("int | None", True, ("E",))
    assert found.takes_unlisted_names


@pytest.mark.parametrize(
    ("body", "returns_value"),
    [
        ("return 1", True),
        ("yield 1", True),
        ("return", False),
        ("return None", False),
        ("def g(): return 1", False),
        ("x = lambda: (yield)", False),
        ("pass", None),
        ("...", None),
        ("raise NotImplementedError", None),
    ],
)
def test_whether_anything_is_returned(body: str, returns_value: bool | None) -> None:
    assert facts(f"def f(a):\n    {body}\n", "python").returns_value is returns_value


@pytest.mark.parametrize(
    ("body", "raises"),
    [
        ("raise errors.Wrong(1) from None", ("errors.Wrong",)),
        ("raise", ()),
        ("raise error", ()),
        ("try:\n        raise A\n    except (A, B):\n        pass", ()),
        ("try:\n        raise A\n    except Exception:\n        raise", ("A",)),
        ("try:\n        raise A\n    except A as e:\n        raise B from e", ("B",)),
        ("try:\n        raise A\n    except B:\n        pass", ("A",)),
        ("try:\n        raise A\n    except:\n        pass", ()),
        ("class C:\n        def g(self):\n            raise A", ()),
    ],
)
def test_exceptions_that_leave_the_function(body: str, raises: tuple[str, ...]) -> None:
    assert facts(f"def f(a):\n    {body}\n", "python").raises == raises


@pytest.mark.parametrize(
    ("language", "text", "returns", "returns_value", "raises"),
    [
        ("java", "class A { <T> T f(int a) throws E, x.Y { throw new Z(); } }", "T", True, ("E", "x.Y", "Z")),
        ("java", "class A { void f() { } }", "void", False, ()),
        ("csharp", "class A { Task f() { throw new E(); } }", "Task", None, ("E",)),
        ("csharp", "class A { int f() { throw E.Of(1); } int g() { throw Of(1); } }", "int", True, ("E",)),
        ("cpp", "struct A { A &f(int a) { return *this; } };", "A&", True, ()),
        ("php", "<?php function f(): ?int { throw new \\E(); }", "?int", True, ("\\E",)),
        ("typescript", "const f = (a: A): Promise<void> => { g(); };", "Promise<void>", False, ()),
        ("javascript", "const f = (a) => a;", "", True, ()),
        ("cpp", 'auto f() -> int { throw std::runtime_error("x"); }', "int", True, ("std::runtime_error",)),
        ("c", "char *f(void) { return 0; }", "char*", True, ()),
        ("ruby", "def f\n  raise E.new(1)\nend", "", None, ("E",)),
        ("go", "package p\nfunc f() (int, error) { return 1, nil }", "(int, error)", True, ()),
    ],
)
def test_other_languages(
    language: str, text: str, returns: str, returns_value: bool | None, raises: tuple[str, ...]
) -> None:
    found = facts(text, language)
    assert (found.returns, found.returns_value, found.raises) == (returns, returns_value, raises)


def test_broken_signatures_tell_nothing() -> None:
    assert all(
        not read_facts(text, function).is_certain
        for text in ("def f(a, b=:\n    pass\n", "def f(a b):\n    pass\n")
        for function in extract_functions(text, "python")
    )


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        ("python", "def f():\n    def g(): pass\n\ndef _h(): pass\nclass _A:\n    def i(self): pass\n", ["f"]),
        (
            "python",
            "@overload\ndef f(): ...\n@x.setter\ndef g(): ...\ndef test_h(): ...\ndef testify(): ...\n",
            ["testify"],
        ),
        ("go", "package p\nfunc F() {}\nfunc g() {}\n", ["F"]),
        ("java", "class A { public void f() {} void g() {} private void h() {} }", ["f"]),
        (
            "typescript",
            "export function f() {}\nfunction g() {}\nclass A { h() {} private i() {} #j() {} }",
            ["f", "h"],
        ),
        ("c", "int f(void) { return 0; }\nstatic int g(void) { return 0; }\n", ["f"]),
    ],
)
def test_public_functions_without_documentation(language: str, text: str, names: list[str]) -> None:
    assert [function.name for function in undocumented(text, extract_functions(text, language))] == names
