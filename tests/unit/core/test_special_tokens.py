import pytest

from codet5p.core.special_tokens import CDEC, CLM, CLS, EOS, MATCH, SPECIAL_TOKENS, TDEC, sentinel


def test_the_order_that_exported_models_depend_on() -> None:
    assert SPECIAL_TOKENS[:6] == (CLM, CLS, MATCH, TDEC, CDEC, EOS)
    assert SPECIAL_TOKENS[6:8] == ("[MASK0]", "[MASK1]")
    assert SPECIAL_TOKENS[-1] == "[MASK99]"
    assert len(set(SPECIAL_TOKENS)) == len(SPECIAL_TOKENS) == 106


@pytest.mark.parametrize("index", [-1, 100])
def test_there_is_no_sentinel_beyond_the_last(index: int) -> None:
    with pytest.raises(ValueError, match="sentinels run from 0 to 99, got"):
        sentinel(index)
