import numpy as np
import pytest
from fakes import small_tokenizer
from hypothesis import given
from hypothesis import strategies as st

from codet5p.lsp_server.engine.healing import HealingTable

TOKENIZER = small_tokenizer()


@given(prefix=st.one_of(st.binary(min_size=1, max_size=4), st.sampled_from([b"re", b" ", b"\n   ", b"retur", b"\xff"])))
def test_exactly_the_tokens_that_start_with_the_prefix_are_allowed(prefix: bytes) -> None:
    expected = {i for i, stands_for in enumerate(TOKENIZER.token_bytes) if stands_for.startswith(prefix)}
    allowed = HealingTable(TOKENIZER).allowed_ids(prefix)
    assert set(allowed.tolist()) == expected
    assert len(allowed) == len(expected)
    assert allowed.dtype == np.int64


@pytest.mark.parametrize("prefix", [b"re", b"no such token"])
def test_a_prefix_asked_for_again_has_the_same_answer(prefix: bytes) -> None:
    table = HealingTable(TOKENIZER)
    assert table.allowed_ids(prefix) is table.allowed_ids(prefix)


def test_special_tokens_are_never_allowed() -> None:
    table = HealingTable(TOKENIZER)
    allowed = {int(i) for byte in range(256) for i in table.allowed_ids(bytes([byte]))}
    assert allowed.isdisjoint(TOKENIZER.special_ids)
    assert allowed | TOKENIZER.special_ids == set(range(TOKENIZER.vocab_size))


def test_only_the_latest_prefixes_are_remembered() -> None:
    table = HealingTable(TOKENIZER)
    first = table.allowed_ids(b"a")
    for number in range(255):
        table.allowed_ids(number.to_bytes(2, "big"))
    assert table.allowed_ids(b"a") is first
    for number in range(256):
        table.allowed_ids(number.to_bytes(3, "big"))
    assert table.allowed_ids(b"a") is not first
