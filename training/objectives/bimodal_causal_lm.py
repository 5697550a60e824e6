"""Text-to-code and code-to-text causal LM on pairs.

Shape legend: B pairs, T tokens of one side as the encoder reads it: `[CLS]`, then the content.

Both directions are one function: the encoder has read one side, the decoder writes the other.
"""

import torch
from torch import Tensor

from codet5p.training.objectives.cross_entropy import IGNORED_LABEL

__all__ = ["decoder_input_and_labels"]


def decoder_input_and_labels(ids_BT: Tensor, mask_BT: Tensor, *, opening: int, eos: int) -> tuple[Tensor, Tensor]:
    """Return what the decoder reads and what it must predict to write the content of `ids_BT`.

    Args:
        ids_BT: `[CLS]` and the content, int64.
        mask_BT: True at real tokens, which stand first in each row.
        opening: `[CDec]` when code is written, `[TDec]` when text is.
        eos: `[EOS]`, predicted after the last token.

    Returns:
        Decoder input `[EOS] opening content` and labels: nothing at the `[EOS]`, then `content [EOS]`. Both int64
        [B, T + 1]; positions past the end are filled with `[EOS]` in the input and ignored in the labels.

    Source: CodeT5+ section 3.2; why `[EOS]` goes before the opening says `codet5p.core.decoder_inputs`.
    """
    content_BT = ids_BT.masked_fill(~mask_BT, eos)
    eos_B1, opening_B1 = torch.full_like(ids_BT[:, :1], eos), torch.full_like(ids_BT[:, :1], opening)
    decoder_BT = torch.cat([eos_B1, opening_B1, content_BT[:, 1:]], dim=1)
    labels_BT = torch.cat([content_BT[:, 1:], eos_B1], dim=1).masked_fill(~mask_BT, IGNORED_LABEL)
    return decoder_BT, torch.cat([torch.full_like(eos_B1, IGNORED_LABEL), labels_BT], dim=1)
