"""Floating-point operations of training, counted from the model's shape, and the rate the machine could reach."""

import time

import torch

from codet5p.core.model_config import CodeT5pConfig
from codet5p.training.objectives.sequence_batch import SequenceBatch
from codet5p.training.pair_table import PairBatch

__all__ = ["matrix_rate", "training_flops"]

_MATRIX = 8192


def training_flops(config: CodeT5pConfig, batch: SequenceBatch | PairBatch) -> float:
    """Return the operations of one forward and backward pass over `batch`, padding included.

    Args:
        config: The model's shape.
        batch: Code or examples: exact. Pairs: both sides encoded and decoded once, so an underestimate with matching.

    Returns:
        Multiplications and additions counted separately: 6 for each weight and position, and attention's own.

    Source: PaLM (arXiv 2204.02311) appendix B. The embedding lookup costs nothing, the head does.
    """
    if isinstance(batch, PairBatch):
        text, code = batch.text_ids_BS.shape[1], batch.code_ids_BT.shape[1]
        sides = [(len(batch), text, code), (len(batch), code, text)]
    else:
        sides = [(len(batch.target_ids_BT), batch.source_ids_BS.shape[1], batch.target_ids_BT.shape[1])]
    return sum(rows * _row_flops(config, source, target) for rows, source, target in sides)


def _row_flops(config: CodeT5pConfig, source: int, target: int) -> float:
    inner, keys = config.num_heads * config.head_dim, config.num_key_value_heads * config.head_dim
    projections = config.width * (2 * inner + 2 * keys)
    feed_forward = (3 if config.activation == "swiglu" else 2) * config.width * config.feed_forward_width
    weights = config.num_encoder_layers * source * (projections + feed_forward)
    weights += (
        config.num_decoder_layers * target * (projections + feed_forward) + target * config.width * config.vocab_size
    )
    crossed = len(config.cross_attention_layers)
    scores = config.num_encoder_layers * source**2 + config.num_decoder_layers * target**2 / 2
    if source == 1 and config.dropout == 0:  # the value and output of one state, whatever the target's length
        weights += crossed * config.width * (keys + inner)
    else:
        weights += crossed * (target * config.width * 2 * inner + source * config.width * 2 * keys)
        scores += crossed * source * target
    return 6.0 * weights + 12.0 * inner * scores


def matrix_rate(device: torch.device) -> float | None:
    """Return the measured rate of a large bfloat16 matrix product in operations per second; None without a GPU.

    Args:
        device: Where the model is.

    Returns:
        The median of ten products of 8192 x 8192 random matrices.
    """
    if device.type != "cuda":
        return None
    left, right = (torch.randn(_MATRIX, _MATRIX, device=device, dtype=torch.bfloat16) for _ in range(2))
    seconds = []
    for _ in range(13):
        torch.cuda.synchronize(device)
        start = time.perf_counter()
        left @ right
        torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return float(2 * _MATRIX**3 / sorted(seconds[3:])[5])
