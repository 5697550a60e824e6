from hypothesis import given
from hypothesis import strategies as st

from codet5p.lsp_server.index.query import parse_query


def test_filters_are_taken_out_of_the_words() -> None:
    query = parse_query("lang:py parse kind:Class header path:src/api")
    assert (query.text.split(), query.language, query.kind, query.path) == (
        ["parse", "header"],
        "python",
        "class",
        "src/api",
    )
    assert query.words == ("parse", "header")


def test_a_filter_given_apart_has_precedence_and_knows_the_editors_names() -> None:
    query = parse_query("lang:go x", language="typescriptreact", path="a\\b")
    assert (query.language, query.path) == ("typescript", "a/b")


def test_a_word_with_a_colon_is_no_filter_in_the_middle_of_another() -> None:
    assert parse_query("std::path:x").path is None


def test_one_word_is_a_name_and_in_prose_only_what_is_spelled_like_code() -> None:
    assert parse_query("field").symbols == ("field",)
    assert parse_query("How URLs reach ClientSession via field_validator").symbols == (
        "clientsession",
        "fieldvalidator",
    )


def test_tests_are_looked_for_by_name() -> None:
    assert parse_query("test for the parser").asks_for_tests
    assert not parse_query("latest parser").asks_for_tests


def test_a_very_long_query_is_cut_off() -> None:
    assert len(parse_query("ab " * 10_000).text) <= 10_000


@given(st.text(max_size=300))
def test_every_text_is_a_query(text: str) -> None:
    assert all(word.isalnum() for word in parse_query(text).words)
