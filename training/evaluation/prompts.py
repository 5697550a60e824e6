"""How code before a cursor becomes a prompt of the decoder alone."""

from collections.abc import Sequence

from codet5p.core.special_tokens import EOS
from codet5p.core.tokenizer import Tokenizer

__all__ = ["file_prompt"]


def file_prompt(tokenizer: Tokenizer, ids: Sequence[int], context_tokens: int) -> list[int]:
    """Return the prompt for text that begins where its file begins.

    Args:
        tokenizer: Knows `[EOS]`, which parts files in training.
        ids: Tokens from the start of the file to the cursor.
        context_tokens: Longest prompt.

    Returns:
        `[EOS]` and all tokens, or the last `context_tokens` where they do not fit.
    """
    return [tokenizer.token_id(EOS), *ids][-context_tokens:]
