"""Which documented functions become pairs."""

import pytest

from codet5p.core.syntax import extract_functions
from codet5p.training.corpus.pairs import Pair, pairs_of_functions

BODY = "    first = 1\n    return first\n"


def pairs(docstring: str, name: str = "compute", body: str = BODY) -> list[Pair]:
    text = f'def {name}(a):\n    """{docstring}"""\n{body}'
    return pairs_of_functions(text, extract_functions(text, "python"))


def test_a_documented_function_is_a_pair_without_its_docstring() -> None:
    assert pairs("Return the first number. Always one.\n\n    Args:\n        a: Ignored.\n    ") == [
        Pair(
            name="compute",
            signature="def compute(a)",
            summary="Return the first number.",
            description="Return the first number. Always one.",
            code="def compute(a):\n    first = 1\n    return first",
        )
    ]


@pytest.mark.parametrize(
    "docstring",
    [
        "Too short.",
        "TODO describe what it does.",
        "Copyright 2020 by somebody important.",
        "pylint: disable=too-many-branches for now.",
        "Возвращает первое число из списка.",
        "0x00 0x01 0x02 0x03 0x04 0x05",
        "{@inheritDoc} and nothing more here.",
        "https://example.org/a/very/long/address.html",
    ],
)
def test_texts_that_describe_nothing_make_no_pair(docstring: str) -> None:
    assert pairs(docstring) == []


def test_tests_and_tiny_and_huge_functions_make_no_pair() -> None:
    good = "Return the first number."
    assert pairs(good)
    assert pairs(good, name="test_compute") == []
    assert pairs(good, body="    return 1\n") == []
    assert pairs(good, body="    a = 1\n" * 1000) == []
