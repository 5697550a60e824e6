"""Tokenised source-target examples, and the batches made of them.

Shape legend: B rows, S source tokens, T target tokens.
"""

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from codet5p.core.errors import DataError
from codet5p.training.config import ExampleRecipe
from codet5p.training.objectives.cross_entropy import IGNORED_LABEL
from codet5p.training.objectives.sequence_batch import SequenceBatch
from codet5p.training.objectives.task_tokens import TaskTokens
from codet5p.training.pair_table import TokenizesBatches, TokenRows, padded_width

__all__ = ["ExampleTable"]

IntArray = NDArray[np.int64]


class ExampleTable:
    """All examples of a run."""

    def __init__(self, sources: TokenRows, targets: TokenRows) -> None:
        self.sources = sources
        self.targets = targets

    def __len__(self) -> int:
        return len(self.sources)

    @classmethod
    def from_examples(
        cls, examples: Iterable[tuple[str, str]], tokenizer: TokenizesBatches, config: ExampleRecipe
    ) -> Self:
        """Return `examples` as tokens.

        Args:
            examples: Source first.
            tokenizer: Gives the ids.
            config: Greatest widths.

        Returns:
            The table.

        Raises:
            DataError: If there is no example.
        """
        kept = list(examples)
        if not kept:
            raise DataError("a source of examples is empty; prepare it again or leave it out of the recipe")
        sources = TokenRows.from_texts([source for source, _ in kept], tokenizer, config.max_source_tokens - 1)
        targets = TokenRows.from_texts([target for _, target in kept], tokenizer, config.max_target_tokens - 1)
        return cls(sources, targets)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the examples of all `parts`, one behind the other."""
        return cls(
            TokenRows.joined([part.sources for part in parts]), TokenRows.joined([part.targets for part in parts])
        )

    def batch(self, rows: IntArray, tokens: TaskTokens, config: ExampleRecipe) -> SequenceBatch:
        """Return examples number `rows`: `[CLS] source` in the encoder, `[EOS] [CDec] target` in the decoder.

        Where the recipe repeats the source in the decoder, it stands between the opening and the target, without loss.

        Args:
            rows: [B].
            tokens: Task tokens.
            config: Widths and form.

        Returns:
            The batch; the loss is over the target and its `[EOS]`.

        Source: the repeated source is the released instruct_tune_codet5p.py's.
        """
        source_ids, source_mask = self.sources.padded(
            rows,
            opening=tokens.cls,
            filling=tokens.eos,
            max_tokens=config.max_source_tokens,
            widths=config.source_widths,
        )
        sequences = [self._decoder_row(row, tokens, config) for row in rows.tolist()]
        longest = max(len(ids) for ids, _ in sequences)
        width = padded_width(longest, longest, config.target_widths)
        target_ids_BT = np.full((len(rows), width), tokens.eos, np.int64)
        labels_BT = np.full((len(rows), width), IGNORED_LABEL, np.int64)
        for place, (ids, unscored) in enumerate(sequences):
            target_ids_BT[place, : len(ids)] = ids
            labels_BT[place, unscored : len(ids)] = [*ids[unscored + 1 :], tokens.eos]
        return SequenceBatch(
            source_ids_BS=source_ids,
            source_mask_BS=source_mask,
            target_ids_BT=torch.from_numpy(target_ids_BT),
            labels_BT=torch.from_numpy(labels_BT),
        )

    def _decoder_row(self, row: int, tokens: TaskTokens, config: ExampleRecipe) -> tuple[list[int], int]:
        source = self.sources.row(row) if config.repeat_source_in_decoder else []
        return [tokens.eos, tokens.cdec, *source, *self.targets.row(row)], len(source) + 1
