"""The state behind the contrastive objective: a slowly moving copy of the encoder, and a queue of its keys.

Shape legend: B pairs, Q keys in the queue, E embedding width, S text tokens, T code tokens.

Both change only through the methods that the trainer calls once a step; the objectives read them.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from codet5p.model.transformer import CodeT5pModel
from codet5p.training.pair_table import PairBatch

__all__ = ["KeyQueue", "MomentumEncoder"]


class MomentumEncoder:
    """A copy of the encoder and its projection whose weights follow the trained ones slowly."""

    def __init__(self, model: CodeT5pModel) -> None:
        config = replace(model.config, num_decoder_layers=0, cross_attention_layers=(), dropout=0.0)
        device = model.token_embedding.weight.device
        self.model = CodeT5pModel(config).to(device).requires_grad_(requires_grad=False).eval()
        trained = model.state_dict()
        self.model.load_state_dict({name: trained[name] for name in self.model.state_dict()})

    @torch.no_grad()
    def update(self, model: nn.Module, decay: float) -> None:
        """Move each weight a step of 1 - `decay` towards the trained one.

        Args:
            model: The trained model.
            decay: In [0, 1).

        Source: MoCo (arXiv 1911.05722); ALBEF's value is 0.995.
        """
        trained = dict(model.named_parameters())
        own = dict(self.model.named_parameters())
        torch._foreach_lerp_(list(own.values()), [trained[name].detach() for name in own], 1 - decay)

    @torch.no_grad()
    def keys(self, batch: PairBatch) -> tuple[Tensor, Tensor]:
        """Return the keys of the texts and of the codes of `batch`, float32 [B, E] each."""
        text_BE = self.model.embed(self.model.encode(batch.text_ids_BS, batch.text_mask_BS), batch.text_mask_BS)
        code_BE = self.model.embed(self.model.encode(batch.code_ids_BT, batch.code_mask_BT), batch.code_mask_BT)
        return text_BE.float(), code_BE.float()


class KeyQueue:
    """The latest keys with the tokens and content ids they stand for, oldest overwritten first.

    The tokens are what hard negatives are made of, the content ids keep copies of a pair from being its negatives.
    """

    def __init__(
        self, size: int, *, embedding_dim: int, max_text_tokens: int, max_code_tokens: int, device: torch.device
    ) -> None:
        self.size = size
        self.filled = 0
        self.next_place = 0
        self._tensors = {
            "text_keys_QE": torch.zeros(size, embedding_dim, device=device),
            "code_keys_QE": torch.zeros(size, embedding_dim, device=device),
            "text_ids_QS": torch.zeros(size, max_text_tokens, dtype=torch.int32, device=device),
            "text_lengths_Q": torch.zeros(size, dtype=torch.int32, device=device),
            "code_ids_QT": torch.zeros(size, max_code_tokens, dtype=torch.int32, device=device),
            "code_lengths_Q": torch.zeros(size, dtype=torch.int32, device=device),
            "content_ids_Q2": torch.zeros(size, 2, dtype=torch.int64, device=device),
        }

    def __getitem__(self, name: str) -> Tensor:
        """Return the filled part of a column.

        Args:
            name: `text_keys_QE`, `code_keys_QE`, `text_ids_QS`, `text_lengths_Q`, `code_ids_QT`, `code_lengths_Q` or
                `content_ids_Q2`.

        Returns:
            A view of its first `filled` rows.
        """
        return self._tensors[name][: self.filled]

    @torch.no_grad()
    def enqueue(self, columns: Mapping[str, Tensor]) -> None:
        """Put B rows in, over the oldest.

        Args:
            columns: Every column by name, from `queue_columns` of one or more micro-batches; B divides the size.

        Raises:
            ValueError: If the rows do not fit evenly.
        """
        rows = len(columns["content_ids_Q2"])
        if self.size % rows:
            raise ValueError(f"a queue of {self.size} cannot take {rows} rows at a time")
        for name, tensor in self._tensors.items():
            tensor[self.next_place : self.next_place + rows] = columns[name].to(tensor.dtype)
        self.next_place = (self.next_place + rows) % self.size
        self.filled = max(self.filled, self.next_place or self.size)

    def columns(self, batch: PairBatch, text_keys_BE: Tensor, code_keys_BE: Tensor) -> dict[str, Tensor]:
        """Return what `enqueue` takes for one micro-batch: its tokens filled up to the queue's widths.

        Args:
            batch: The pairs.
            text_keys_BE: From `MomentumEncoder.keys`.
            code_keys_BE: Likewise.

        Returns:
            Every column by name.
        """
        text_width = self._tensors["text_ids_QS"].size(1)
        code_width = self._tensors["code_ids_QT"].size(1)
        return {
            "text_keys_QE": text_keys_BE,
            "code_keys_QE": code_keys_BE,
            "text_ids_QS": F.pad(batch.text_ids_BS, (0, text_width - batch.text_ids_BS.size(1))).int(),
            "text_lengths_Q": batch.text_mask_BS.sum(1).int(),
            "code_ids_QT": F.pad(batch.code_ids_BT, (0, code_width - batch.code_ids_BT.size(1))).int(),
            "code_lengths_Q": batch.code_mask_BT.sum(1).int(),
            "content_ids_Q2": batch.content_ids_B2,
        }

    def state_dict(self) -> dict[str, Tensor | int]:
        """Return everything that a resumed run needs."""
        return {**self._tensors, "filled": self.filled, "next_place": self.next_place}

    def load_state_dict(self, state: Mapping[str, Tensor | int]) -> None:
        """Take over what `state_dict` returned.

        Args:
            state: From a queue of the same size and widths.
        """
        for name, tensor in self._tensors.items():
            saved = state[name]
            assert isinstance(saved, Tensor)
            tensor.copy_(saved)
        self.filled, self.next_place = int(state["filled"]), int(state["next_place"])
