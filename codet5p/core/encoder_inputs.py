"""What the encoder reads in each mode, as training showed it. Token ids; no special token but those named here."""

from codet5p.core.special_tokens import CLS, sentinel
from codet5p.core.tokenizer import Tokenizer

__all__ = ["filled_in", "infilling_source", "opened_source"]


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

    White space at the end of the prefix is left out, and written by the model: in running text it shares tokens with
    what follows it, as indentation does, and never stands alone before a hole in training.

    Args:
        tokenizer: The model's.
        prefix: Text before the hole.
        suffix: Text behind it.
        max_tokens: Greatest length.

    Returns:
        Token ids; a side that is short leaves its room to the other.
    """
    before, behind = tokenizer.encode(prefix.rstrip()), tokenizer.encode(suffix)
    room = max_tokens - 1
    kept_behind = min(len(behind), max(room // 2, room - len(before)))
    kept_before = min(len(before), room - kept_behind)
    return [*before[len(before) - kept_before :], tokenizer.token_id(sentinel(0)), *behind[:kept_behind]]


def filled_in(prefix: str, written: str) -> str:
    """Return what belongs behind `prefix` of what the model wrote for `infilling_source`.

    Args:
        prefix: As it was given there, white space at its end included.
        written: By the model, which begins with that white space.

    Returns:
        The text without it; if the model wrote other white space, without that.
    """
    blank = prefix[len(prefix.rstrip()) :]
    if written.startswith(blank):
        return written[len(blank) :]
    return written.lstrip()
