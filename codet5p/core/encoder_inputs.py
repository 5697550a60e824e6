"""What the encoder reads in each mode, as training showed it. Token ids; no special token but those named here."""

from codet5p.core.special_tokens import CLS, sentinel
from codet5p.core.tokenizer import Tokenizer

__all__ = ["infilling_source", "opened_source"]


def opened_source(tokenizer: Tokenizer, text: str, max_tokens: int) -> list[int]:
    """Return `[CLS] text`, the encoder's input where it embeds, translates or matches.

    Args:
        tokenizer: The model's.
        text: Description or code; its end is lost beyond the limit.
        max_tokens: Greatest length, `[CLS]` included.

    Returns:
        Token ids.
    """
    return [tokenizer.token_id(CLS), *tokenizer.encode(text)[: max_tokens - 1]]


def infilling_source(tokenizer: Tokenizer, prefix: str, suffix: str, max_tokens: int) -> list[int]:
    """Return `prefix [MASK0] suffix`, the encoder's input of span denoising, cut evenly on both sides of the hole.

    Args:
        tokenizer: The model's.
        prefix: Text before the hole.
        suffix: Text behind it.
        max_tokens: Greatest length.

    Returns:
        Token ids; a side that is short leaves its room to the other.
    """
    before, behind = tokenizer.encode(prefix), tokenizer.encode(suffix)
    room = max_tokens - 1
    kept_behind = min(len(behind), max(room // 2, room - len(before)))
    kept_before = min(len(before), room - kept_behind)
    return [*before[len(before) - kept_before :], tokenizer.token_id(sentinel(0)), *behind[:kept_behind]]
