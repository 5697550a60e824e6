"""The batch that every language-modelling objective builds, and its loss.

Shape legend: B rows, S source tokens, T target tokens, N = B * T.
"""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codet5p.model.transformer import CodeT5pModel
from codet5p.training.objectives.cross_entropy import IGNORED_LABEL, summed_cross_entropy

__all__ = ["SequenceBatch", "decoder_states", "sequence_loss", "shift_right"]

IntArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class SequenceBatch:
    """Encoder input, decoder input and the tokens to predict.

    Attributes:
        source_ids_BS: Encoder input, int64.
        source_mask_BS: True where the source is real; None where every token is, which allows the fast attention.
        target_ids_BT: Decoder input, int64.
        labels_BT: Token to predict at each position, int64; `IGNORED_LABEL` where there is none.
        target_documents_BT: Number of the packed document of each target token, or None for plain causal packing.
        source_documents_BS: The same for the source; given exactly when the targets' is.
    """

    source_ids_BS: Tensor
    source_mask_BS: Tensor | None = None
    target_ids_BT: Tensor
    labels_BT: Tensor
    target_documents_BT: Tensor | None = None
    source_documents_BS: Tensor | None = None

    @property
    def num_labels(self) -> int:
        """How many tokens the loss is over."""
        return int((self.labels_BT != IGNORED_LABEL).sum())

    @property
    def num_tokens(self) -> int:
        """How many token positions the model computes, padding included."""
        return self.source_ids_BS.numel() + self.target_ids_BT.numel()

    def rows(self, start: int, stop: int) -> Self:
        """Return the batch of rows `start` to `stop`.

        Args:
            start: First row.
            stop: One past the last row.

        Returns:
            A batch whose tensors are views.
        """
        return replace(self, **{name: tensor[start:stop] for name, tensor in self._tensors().items()})

    def to(self, device: torch.device) -> Self:
        """Return the batch on `device`, copied without waiting where the memory is pinned.

        Args:
            device: Where the model is.

        Returns:
            The moved batch.
        """
        moved = {name: tensor.to(device, non_blocking=True) for name, tensor in self._tensors().items()}
        return replace(self, **moved)

    def pin_memory(self) -> Self:
        """Return the batch in page-locked memory; the data loader calls this.

        Returns:
            The pinned batch.
        """
        return replace(self, **{name: tensor.pin_memory() for name, tensor in self._tensors().items()})

    def _tensors(self) -> dict[str, Tensor]:
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if value is not None}


def shift_right(labels_BT: IntArray, start: int) -> IntArray:
    """Return the decoder input that predicts `labels_BT`: `start`, then all labels but the last.

    Args:
        labels_BT: Token ids, or `IGNORED_LABEL`.
        start: First decoder input; it also stands where a label is ignored.

    Returns:
        int64, the same shape.
    """
    shifted_BT = np.full_like(labels_BT, start)
    shifted_BT[:, 1:] = np.where(labels_BT[:, :-1] == IGNORED_LABEL, start, labels_BT[:, :-1])
    return shifted_BT


def sequence_loss(model: CodeT5pModel, batch: SequenceBatch) -> Tensor:
    """Return the cross-entropy summed over the labels of `batch`, in nats.

    The sum, not the mean: the trainer divides by the number of labels in the whole step, over all micro-batches and
    processes, so that one process with a large batch and many with small ones compute the same loss.

    Args:
        model: Encoder and decoder.
        batch: On the model's device.

    Returns:
        A scalar, float32.
    """
    loss: Tensor = summed_cross_entropy(model, decoder_states(model, batch), batch.labels_BT)
    return loss


def decoder_states(model: CodeT5pModel, batch: SequenceBatch) -> Tensor:
    """Return the decoder's output [B, T, D] for `batch`, after the final norm.

    A model without an encoder is a plain language model: its source is not read. With `[CLM]` alone there, as in
    decoder-only causal LM, an encoder could add no more than a constant, which the export folds away in any case.

    Args:
        model: A decoder, with or without an encoder.
        batch: On the model's device.

    Returns:
        The hidden states of the targets.
    """
    if model.encoder is None:
        return model.decode(batch.target_ids_BT, target_documents_BT=batch.target_documents_BT)
    states_BSD = model.encode(batch.source_ids_BS, batch.source_mask_BS, source_documents_BS=batch.source_documents_BS)
    return model.decode(
        batch.target_ids_BT,
        states_BSD,
        batch.source_mask_BS,
        target_documents_BT=batch.target_documents_BT,
        source_documents_BS=batch.source_documents_BS,
    )
