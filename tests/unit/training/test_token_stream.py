import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codet5p.core.errors import DataError
from codet5p.training.token_stream import TokenStream, block_starts, continuation_tables, continues_word

EOS = 999


def stream_of(*shards: list[list[int]]) -> tuple[TokenStream, list[int]]:
    arrays = [
        (
            np.array([token for document in shard for token in document]),
            np.cumsum([len(document) for document in shard]),
        )
        for shard in shards
    ]
    expected = [token for shard in shards for document in shard for token in [*document, EOS]]
    return TokenStream(arrays, EOS), expected


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=5), min_size=1, max_size=4), min_size=1, max_size=3
    ),
    st.data(),
)
def test_any_slice_is_that_of_the_documents_with_their_separators(
    shards: list[list[list[int]]], data: st.DataObject
) -> None:
    stream, expected = stream_of(*shards)
    assert len(stream) == len(expected)
    start = data.draw(st.integers(0, len(expected) - 1))
    length = data.draw(st.integers(1, len(expected) - start))
    assert stream.read(np.array([start]), length)[0].tolist() == expected[start : start + length]


def test_an_empty_source_is_refused() -> None:
    with pytest.raises(DataError, match="holds no documents"):
        TokenStream([(np.empty(0, np.int64), np.empty(0, np.int64))], EOS)


def test_an_epoch_reads_every_block_once() -> None:
    blocks = 9
    starts = block_starts(blocks * 10 + 15, 10, range(blocks + 1), (0,))
    per_epoch = (blocks * 10 + 15 - 10) // 10
    assert len(set(starts[:per_epoch].tolist())) == per_epoch
    assert np.diff(np.sort(starts[:per_epoch])).tolist() == [10] * (per_epoch - 1)


def test_row_numbers_alone_say_where_a_block_begins() -> None:
    whole = block_starts(1000, 16, range(200), (3, 1))
    parts = np.concatenate([block_starts(1000, 16, range(start, start + 8), (3, 1)) for start in range(0, 200, 8)])
    assert whole.tolist() == parts.tolist()
    assert whole.max() + 16 <= 1000
    assert whole.tolist() != block_starts(1000, 16, range(200), (3, 2)).tolist()


def test_a_stream_shorter_than_a_row_is_refused() -> None:
    with pytest.raises(DataError, match="has 5 tokens and cannot fill a row of 10"):
        block_starts(5, 10, range(1), (0,))


def test_words_run_over_letters_digits_and_underscores() -> None:
    vocabulary = [b"foo", b"_bar", b"(", b" baz", b"1", b"\xc3", b""]
    tables = continuation_tables(vocabulary)
    ids = np.array([[0, 1, 2, 0, 3, 4, 5, 6, 0]])
    assert continues_word(ids, tables)[0].tolist() == [False, True, False, False, False, True, True, False, False]
