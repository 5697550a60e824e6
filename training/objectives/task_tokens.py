"""The ids of the tokens with a meaning of their own, looked up once and passed to the objectives."""

from dataclasses import dataclass
from typing import Protocol, Self

from codet5p.core import special_tokens

__all__ = ["TaskTokens", "TokenLookup"]


class TokenLookup(Protocol):
    """What a tokenizer must offer for `TaskTokens.from_tokenizer`."""

    def token_id(self, token: str) -> int:
        """Return the id of `token`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskTokens:
    """Ids of the task tokens.

    Attributes:
        clm: `[CLM]`, opens the encoder input of both causal LM objectives.
        cls: `[CLS]`, opens an encoder input that is to be embedded or translated.
        match: `[Match]`, second in the decoder input of matching.
        tdec: `[TDec]`, second in the decoder input when text is written.
        cdec: `[CDec]`, second in the decoder input when code is written.
        eos: `[EOS]`, starts every decoder input but that of decoder-only causal LM, ends a sequence, and fills rows up.
        sentinels: `[MASK0]`, `[MASK1]`, ... in order of appearance.
    """

    clm: int
    cls: int
    match: int
    tdec: int
    cdec: int
    eos: int
    sentinels: tuple[int, ...]

    @classmethod
    def from_tokenizer(cls, tokenizer: TokenLookup) -> Self:
        """Return the ids that `tokenizer` gives to the task tokens.

        Args:
            tokenizer: Knows every token of `codet5p.core.special_tokens`.

        Returns:
            The ids.
        """
        return cls(
            clm=tokenizer.token_id(special_tokens.CLM),
            cls=tokenizer.token_id(special_tokens.CLS),
            match=tokenizer.token_id(special_tokens.MATCH),
            tdec=tokenizer.token_id(special_tokens.TDEC),
            cdec=tokenizer.token_id(special_tokens.CDEC),
            eos=tokenizer.token_id(special_tokens.EOS),
            sentinels=tuple(
                tokenizer.token_id(special_tokens.sentinel(i)) for i in range(special_tokens.NUM_SENTINELS)
            ),
        )
