"""Averaging two checkpoints of one shape: what was learned, with what must not be forgotten."""

from pathlib import Path

import torch

from codet5p.core.errors import CheckpointError
from codet5p.model.checkpoint import load_checkpoint, save_checkpoint

__all__ = ["average_checkpoints"]

_TOKENIZER_FILE = "tokenizer.json"


@torch.no_grad()
def average_checkpoints(start: Path, trained: Path, destination: Path, *, share: float) -> None:
    """Write a checkpoint whose weights lie on the line from `start` to `trained`.

    Args:
        start: Where training began.
        trained: Where it ended; its tokenizer and what else it says of itself go with the result.
        destination: Folder of the checkpoint to write.
        share: How far along the line, from 0 to 1.

    Raises:
        CheckpointError: If a checkpoint cannot be read, or the two have different shapes or tokenizers.
        ValueError: If `share` is not between 0 and 1.

    Source: WiSE-FT (arXiv 2109.01903): fine-tuned models lose least of what they knew part of the way back.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be between 0 and 1, got {share}")
    (first, _), (second, extra) = load_checkpoint(start), load_checkpoint(trained)
    if first.config != second.config:
        raise CheckpointError(f"{start} and {trained} have different shapes; give two checkpoints of one run")
    tokenizers = [_tokenizer_json(folder) for folder in (start, trained)]
    if tokenizers[0] != tokenizers[1]:
        raise CheckpointError(f"{start} and {trained} have different tokenizers; give two checkpoints of one run")
    begun = dict(first.named_parameters())
    for name, weight in second.named_parameters():
        weight.lerp_(begun[name].to(weight.dtype), 1 - share)
    save_checkpoint(
        destination, second, tokenizer_json=tokenizers[1], extra=extra | {"share": share, "start": start.name}
    )


def _tokenizer_json(folder: Path) -> str | None:
    path = folder / _TOKENIZER_FILE
    return path.read_text("utf-8") if path.is_file() else None
