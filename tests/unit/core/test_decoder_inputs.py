from codet5p.core.decoder_inputs import OPENING_TOKENS, decoder_opening, judged_ids, opening_ids
from codet5p.core.special_tokens import EOS, TDEC
from codet5p.core.tokenizer import Tokenizer


def test_the_task_is_never_the_first_token(tokenizer: Tokenizer) -> None:
    assert decoder_opening(TDEC) == (EOS, TDEC)
    assert opening_ids(tokenizer, TDEC) == [tokenizer.token_id(EOS), tokenizer.token_id(TDEC)]
    assert len(decoder_opening(TDEC)) == OPENING_TOKENS


def test_a_judged_code_stands_between_two_eos(tokenizer: Tokenizer) -> None:
    names = [tokenizer.tokens[token] for token in judged_ids(tokenizer, [7, 8])]
    assert names == ["[EOS]", "[Match]", tokenizer.tokens[7], tokenizer.tokens[8], "[EOS]"]
