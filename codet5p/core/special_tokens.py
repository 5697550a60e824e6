"""The tokens that carry a meaning of their own, and their order behind the base vocabulary.

Source: CodeT5+ (arXiv 2305.07922) section 3: `[CLM]` alone in the encoder asks for decoder-only causal language
modelling, `[CLS]` opens text and code in the encoder, `[Match]`, `[TDec]` and `[CDec]` tell the decoder the task:
matching, text generation and code generation, and `[MASK0]`... are the sentinels of span denoising.
"""

from typing import Final

__all__ = ["CDEC", "CLM", "CLS", "EOS", "MATCH", "NUM_SENTINELS", "SPECIAL_TOKENS", "TDEC", "sentinel"]

CLM = "[CLM]"
CLS = "[CLS]"
MATCH = "[Match]"
TDEC: Final = "[TDec]"
CDEC = "[CDec]"
EOS = "[EOS]"
NUM_SENTINELS = 100


def sentinel(index: int) -> str:
    """Return the sentinel token that stands for the masked span number `index`.

    Args:
        index: 0 to 99, in order of appearance in the text.

    Returns:
        The token, such as `[MASK0]`.

    Raises:
        ValueError: If there is no such sentinel.
    """
    if not 0 <= index < NUM_SENTINELS:
        raise ValueError(f"sentinels run from 0 to {NUM_SENTINELS - 1}, got {index}")
    return f"[MASK{index}]"


# Appended to the base vocabulary in this order; an exported model depends on it.
SPECIAL_TOKENS: tuple[str, ...] = (CLM, CLS, MATCH, TDEC, CDEC, EOS, *(sentinel(i) for i in range(NUM_SENTINELS)))
