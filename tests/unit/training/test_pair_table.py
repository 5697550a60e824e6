from dataclasses import replace

import numpy as np
import pytest

from codet5p.core.errors import DataError
from codet5p.training.config import ExampleRecipe, PairRecipe
from codet5p.training.example_table import ExampleTable
from codet5p.training.objectives.cross_entropy import IGNORED_LABEL
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_table import PairTable, TokenRows, content_id, padded_width

TOKENS = TaskTokens(clm=200, cls=201, match=202, tdec=203, cdec=204, eos=205, sentinels=(206,))
WIDTHS = PairRecipe(rows=2, micro_rows=2, max_text_tokens=4, max_code_tokens=6, queue=0)


class _Letters:
    """One token per character, its code point."""

    def encode_batch(self, texts: list[str]) -> list[list[int]]:
        return [[ord(letter) for letter in text] for text in texts]


def ids(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def table(*pairs: tuple[str, str]) -> PairTable:
    return PairTable.from_pairs(pairs, _Letters(), max_text_tokens=4, max_code_tokens=6)  # type: ignore[arg-type]


def test_rows_open_with_cls_and_are_filled_up() -> None:
    batch = table(("ab", "xyz"), ("c", "w")).batch(np.array([0, 1]), TOKENS, WIDTHS)
    assert batch.text_ids_BS.tolist() == [[201, *ids("ab"), 205], [201, *ids("c"), 205, 205]]
    assert batch.text_mask_BS.sum(1).tolist() == [3, 2]
    assert batch.code_ids_BT[0].tolist() == [201, *ids("xyz"), 205, 205]


def test_long_sides_are_cut_at_their_width() -> None:
    batch = table(("abcdefgh", "uvwxyzabc")).batch(np.array([0]), TOKENS, WIDTHS)
    assert batch.text_ids_BS.tolist() == [[201, *ids("abc")]]
    assert batch.code_ids_BT.tolist() == [[201, *ids("uvwxy")]]


def test_copies_have_the_same_content_id_whatever_their_layout() -> None:
    assert content_id("return  a\n") == content_id(" return a")
    assert content_id("return a") != content_id("return b")


def test_joined_tables_keep_the_order_of_their_rows() -> None:
    joined = PairTable.joined([table(("a", "x")), table(("b", "y"), ("c", "z"))])
    assert [joined.texts.row(row) for row in range(3)] == [ids("a"), ids("b"), ids("c")]
    assert joined.codes.lengths(np.array([0, 2])).tolist() == [1, 1]


def test_an_empty_row_is_cls_alone() -> None:
    rows = TokenRows.from_texts(["", "a"], _Letters(), 5)  # type: ignore[arg-type]
    padded, mask = rows.padded(np.array([0, 1]), opening=201, filling=205, max_tokens=3)
    assert padded.tolist() == [[201, 205, 205], [201, ord("a"), 205]]
    assert mask.tolist() == [[True, False, False], [True, True, False]]


def test_widths_come_in_few_sizes() -> None:
    assert [padded_width(longest, 420) for longest in (1, 64, 65, 400, 420)] == [64, 64, 128, 420, 420]


def test_named_widths_are_the_only_ones() -> None:
    assert [padded_width(longest, 420, (96, 420)) for longest in (1, 96, 97, 420)] == [96, 96, 420, 420]
    config = replace(WIDTHS, text_widths=(3, 4), code_widths=(6,))
    shapes = set()
    for pair in (("a", "x"), ("ab", "xyz"), ("abc", "uvwxy")):
        batch = table(pair).batch(np.array([0]), TOKENS, config)
        shapes.add((batch.text_ids_BS.size(1), batch.code_ids_BT.size(1)))
        assert batch.code_mask_BT.sum() == len(pair[1]) + 1
    assert shapes == {(3, 6), (4, 6)}


def test_one_in_four_pairs_is_a_view_of_the_middle_of_each_four() -> None:
    batch = table(*((letter, letter) for letter in "abcdefgh")).batch(np.arange(8), TOKENS, WIDTHS)
    thinned = batch.one_in(4)
    assert thinned.text_ids_BS[:, 1].tolist() == ids("cg")
    assert thinned.text_ids_BS.untyped_storage().data_ptr() == batch.text_ids_BS.untyped_storage().data_ptr()
    assert batch.one_in(1) is batch


def test_no_pairs_are_refused() -> None:
    with pytest.raises(DataError, match="a source of pairs is empty"):
        table()


def examples(**settings: object) -> tuple[ExampleTable, ExampleRecipe]:
    config = ExampleRecipe(rows=2, micro_rows=2, max_source_tokens=8, max_target_tokens=4, **settings)  # type: ignore[arg-type]
    return ExampleTable.from_examples([("ab", "x"), ("c", "yz")], _Letters(), config), config  # type: ignore[arg-type]


def test_examples_predict_the_target_and_its_end() -> None:
    made, config = examples()
    batch = made.batch(np.array([0, 1]), TOKENS, config)
    assert batch.target_ids_BT.tolist() == [[205, 204, ord("x"), 205], [205, 204, *ids("yz")]]
    assert batch.labels_BT[0].tolist() == [IGNORED_LABEL, ord("x"), 205, IGNORED_LABEL]
    assert batch.labels_BT[1].tolist() == [IGNORED_LABEL, *ids("yz"), 205]


def test_a_repeated_source_is_read_but_not_predicted() -> None:
    made, config = examples(repeat_source_in_decoder=True)
    batch = made.batch(np.array([0]), TOKENS, config)
    assert batch.target_ids_BT.tolist() == [[205, 204, *ids("ab"), ord("x")]]
    assert batch.labels_BT.tolist() == [[IGNORED_LABEL, IGNORED_LABEL, IGNORED_LABEL, ord("x"), 205]]


def test_examples_come_in_the_widths_that_are_named() -> None:
    made, config = examples(source_widths=(4, 8), target_widths=(5,))
    batch = made.batch(np.array([0, 1]), TOKENS, config)
    assert (batch.source_ids_BS.size(1), batch.target_ids_BT.size(1)) == (4, 5)
    assert batch.num_labels == 2 + 3
