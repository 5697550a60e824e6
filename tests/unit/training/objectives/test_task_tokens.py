from codet5p.core.special_tokens import SPECIAL_TOKENS
from codet5p.training.objectives.task_tokens import TaskTokens


class _Numbered:
    def token_id(self, token: str) -> int:
        return 1000 + SPECIAL_TOKENS.index(token)


def test_every_special_token_is_looked_up_once() -> None:
    tokens = TaskTokens.from_tokenizer(_Numbered())
    assert (tokens.clm, tokens.cls, tokens.match, tokens.tdec, tokens.cdec, tokens.eos) == tuple(range(1000, 1006))
    assert tokens.sentinels == tuple(range(1006, 1106))
