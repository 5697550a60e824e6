import pytest
from fakes import small_tokenizer

from codet5p.core.encoder_inputs import filled_in, infilling_source, opened_source
from codet5p.core.special_tokens import CLS, sentinel

TOKENIZER = small_tokenizer()
CLS_ID, HOLE = TOKENIZER.token_id(CLS), TOKENIZER.token_id(sentinel(0))


def test_a_text_opens_with_cls_and_loses_its_end() -> None:
    ids = TOKENIZER.encode("abcdef")
    assert opened_source(TOKENIZER, "abcdef", 100) == [CLS_ID, *ids]
    assert opened_source(TOKENIZER, "abcdef", 4) == [CLS_ID, *ids[:3]]
    assert opened_source(TOKENIZER, "", 4) == [CLS_ID]


def test_text_that_looks_like_a_special_token_is_only_text() -> None:
    assert opened_source(TOKENIZER, "[CLS]", 100).count(CLS_ID) == 1


@pytest.mark.parametrize(
    ("prefix", "suffix", "kept"),
    [
        ("ABC", "XYZ", "ABC|XYZ"),
        ("ABCDEFGHIJ", "QRSTUVWXYZ", "GHIJ|QRST"),
        ("AB", "QRSTUVWXYZ", "AB|QRSTUV"),
        ("ABCDEFGHIJ", "Q", "DEFGHIJ|Q"),
        ("", "", "|"),
    ],
)
def test_what_is_near_the_hole_is_kept_and_a_short_side_leaves_its_room(prefix: str, suffix: str, kept: str) -> None:
    before, behind = kept.split("|")
    expected = [*TOKENIZER.encode(before), HOLE, *TOKENIZER.encode(behind)]
    assert infilling_source(TOKENIZER, prefix, suffix, 9) == expected


def test_white_space_before_the_hole_is_left_to_the_model() -> None:
    assert infilling_source(TOKENIZER, "AB\n    ", "\nC", 9) == infilling_source(TOKENIZER, "AB", "\nC", 9)


@pytest.mark.parametrize(
    ("prefix", "written", "filled"),
    [
        ("if a:\n    ", "\n    return b", "return b"),
        ("if a:\n", "\n    return b", "    return b"),
        ("x = ", " 1", "1"),
        ("x =", " 1", " 1"),
        ("if a:\n\n        ", "\n    return b", "return b"),
        ("x = ", "", ""),
    ],
)
def test_what_was_filled_in_goes_on_where_the_prefix_ends(prefix: str, written: str, filled: str) -> None:
    assert filled_in(prefix, written) == filled
