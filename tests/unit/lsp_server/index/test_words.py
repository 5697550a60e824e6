import pytest
from hypothesis import given
from hypothesis import strategies as st

from codet5p.lsp_server.index.words import query_words, split_identifier, stem, words_of


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("getHTTPResponse2", ["get", "http", "response", "2"]),
        ("parse_http_header", ["parse", "http", "header"]),
        ("HTMLParser", ["html", "parser"]),
        ("__init__", ["init"]),
        ("größeÄndern", ["gr", "öß", "e", "ä", "ndern"]),
        ("URL", ["url"]),
    ],
)
def test_identifiers_are_split_at_case_and_underscores(identifier: str, parts: list[str]) -> None:
    assert split_identifier(identifier) == parts


def test_spellings_of_one_name_share_all_their_words() -> None:
    assert set(words_of("parseHeader")) == set(words_of("parse_header")) == {"parse", "header", "parseheader"}


def test_data_is_not_taken_for_words() -> None:
    assert list(words_of("x = " + "deadbeef" * 20)) == ["x"]


def test_the_words_of_questions_are_left_out_unless_there_are_no_others() -> None:
    assert query_words("how does the parser work") == ["parser"]
    assert query_words("how does it work") == ["how", "does", "it", "work"]


def test_a_long_query_keeps_a_bounded_number_of_words() -> None:
    assert len(query_words(" ".join(f"alpha{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(300)))) == 48


def test_a_piece_of_code_may_have_more_words_than_a_question() -> None:
    text = " ".join(f"word{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(200))
    assert len(query_words(text, 96)) == 96


@given(st.text())
def test_words_hold_no_character_that_means_something_to_a_full_text_query(text: str) -> None:
    assert all(character.isalnum() for word in words_of(text) for character in word)


def test_forms_of_a_word_share_its_stem_and_short_words_are_left_alone() -> None:
    assert {stem(word) for word in ("parse", "parser", "parsers", "parsing", "parsed")} == {"pars"}
    assert stem("retries") == stem("retry")
    assert stem("use") == "use"
