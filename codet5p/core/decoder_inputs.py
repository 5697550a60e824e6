"""What the decoder reads first in each mode; the one place that says so, for training, evaluation and the server.

    writing text about code     [EOS] [TDec]
    writing code about text     [EOS] [CDec]
    infilling                   [EOS] [MASK0]
    matching                    [EOS] [Match] code [EOS]

Nothing is predicted at the first position, which therefore holds `[EOS]` and never the token that carries the task.
Decoders in the manner of Llama store massive activations at their first position, whatever token stands there; 8-bit
arithmetic keeps hardly anything else of that state, so that a prediction made from it is noise.

Source: massive activations, Sun et al. 2024 (arXiv 2402.17762). CodeT5+ opens the decoder with the task token alone.
"""

from collections.abc import Sequence

from codet5p.core.special_tokens import EOS, MATCH
from codet5p.core.tokenizer import Tokenizer

__all__ = ["OPENING_TOKENS", "decoder_opening", "judged_ids", "opening_ids"]

OPENING_TOKENS = 2
"""How many tokens open the decoder's input."""


def decoder_opening(task: str) -> tuple[str, str]:
    """Return what opens the decoder's input.

    Args:
        task: `[TDec]`, `[CDec]`, `[Match]` or the first sentinel.

    Returns:
        The tokens, as the vocabulary spells them.
    """
    return (EOS, task)


def opening_ids(tokenizer: Tokenizer, task: str) -> list[int]:
    """Return the ids of `decoder_opening`.

    Args:
        tokenizer: The model's.
        task: As there.

    Returns:
        Token ids.
    """
    return [tokenizer.token_id(token) for token in decoder_opening(task)]


def judged_ids(tokenizer: Tokenizer, code_ids: Sequence[int]) -> list[int]:
    """Return what the decoder reads where it judges a code; the decision is made at the last token.

    Args:
        tokenizer: The model's.
        code_ids: Of the code.

    Returns:
        `[EOS] [Match] code [EOS]` as token ids.
    """
    return [*opening_ids(tokenizer, MATCH), *code_ids, tokenizer.token_id(EOS)]
