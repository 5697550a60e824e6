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
        Decoder input `opening content` and labels `content [EOS]`, both int64 [B, T]; positions past the `[EOS]` are
        filled with it in the input and ignored in the labels.

    Source: CodeT5+ section 3.2.
    """
    content_BT = ids_BT.masked_fill(~mask_BT, eos)
    decoder_BT = torch.cat([torch.full_like(ids_BT[:, :1], opening), content_BT[:, 1:]], dim=1)
    labels_BT = torch.cat([content_BT[:, 1:], torch.full_like(ids_BT[:, :1], eos)], dim=1)
    return decoder_BT, labels_BT.masked_fill(~mask_BT, IGNORED_LABEL)
