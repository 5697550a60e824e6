"""The teachers of a stage: a frozen checkpoint for the decoder, stored sentence embeddings for texts.

Embeddings are computed once, with any sentence encoder, and stored as `.npz`: `ids`, the content ids of the texts,
ascending, and `embeddings`, int8 [texts, width], each row up to a factor of its own: only directions matter. Eight bits
turn all-MiniLM-L6-v2's rows by a cosine of less than 0.0002, a quarter of what float32 takes.

Shape legend: N texts, B texts of a batch, G teacher embedding width, D student width.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from codet5p.core.errors import CheckpointError, DataError
from codet5p.model.checkpoint import load_checkpoint
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.config import DistillationRecipe
from codet5p.training.objectives.cross_entropy import output_projection, summed_cross_entropy
from codet5p.training.objectives.distillation import similarity_distillation_loss, summed_distillation_loss
from codet5p.training.objectives.sequence_batch import SequenceBatch
from codet5p.training.pair_table import content_id

__all__ = ["Teachers", "TextEmbeddings", "write_text_embeddings"]

_BATCH_TEXTS = 4096


def write_text_embeddings(
    texts: Sequence[str],
    embed: Callable[[Sequence[str]], NDArray[np.floating]],
    path: Path,
    *,
    width: int | None = None,
    advance: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Write the embeddings of `texts` for training.

    Args:
        texts: Repeated ones are embedded once.
        embed: Returns one row for each text, such as `SentenceTransformer.encode`.
        path: `.npz` file to write.
        width: Keep only this many principal directions; all where None.
        advance: Called with the number of texts done and of all different ones.

    Returns:
        How many different texts were embedded.

    Raises:
        DataError: If there are no texts.
    """
    by_id = {content_id(text): text for text in texts}
    if not by_id:
        raise DataError("there are no texts to embed; check the corpus")
    ids = sorted(by_id)
    rows = []
    for start in range(0, len(ids), _BATCH_TEXTS):
        rows.append(embed([by_id[number] for number in ids[start : start + _BATCH_TEXTS]]))
        advance(min(start + _BATCH_TEXTS, len(ids)), len(ids))
    embeddings_NG = np.concatenate(rows).astype(np.float32)
    embeddings_NG /= np.linalg.norm(embeddings_NG, axis=1, keepdims=True).clip(min=1e-12)
    if width is not None and width < embeddings_NG.shape[1]:
        embeddings_NG = _principal(embeddings_NG, width)
    embeddings_NG *= 127 / np.abs(embeddings_NG).max(axis=1, keepdims=True).clip(min=1e-12)
    np.savez(path, ids=np.array(ids, np.int64), embeddings=np.rint(embeddings_NG).astype(np.int8))
    return len(ids)


def _principal(embeddings_NG: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the coordinates along the directions in which the rows are longest; not centred, to keep cosines."""
    _, directions_GG = np.linalg.eigh(embeddings_NG.T @ embeddings_NG)  # the longest last
    kept_NG: NDArray[np.float32] = embeddings_NG @ directions_GG[:, -width:]
    return kept_NG


class TextEmbeddings:
    """Stored embeddings, found by content id."""

    def __init__(self, ids: NDArray[np.int64], embeddings_NG: NDArray[np.int8]) -> None:
        self._ids = ids
        self._embeddings_NG = torch.from_numpy(embeddings_NG)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Return the embeddings in `path`.

        Args:
            path: Written by `write_text_embeddings`.

        Returns:
            The embeddings.

        Raises:
            DataError: If it cannot be read.
        """
        try:
            with np.load(path) as stored:
                return cls(stored["ids"], stored["embeddings"])
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path} holds no text embeddings: {error}; write them again") from None

    def find(self, ids_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings of the texts that are stored, and which of `ids_B` those are.

        Args:
            ids_B: Content ids, int64.

        Returns:
            Embeddings [found, G], L2-normalised, float32 on the device of `ids_B`, and bool [B].
        """
        ids = ids_B.cpu().numpy()
        places = np.searchsorted(self._ids, ids).clip(max=len(self._ids) - 1)
        found = self._ids[places] == ids
        rows = self._embeddings_NG[torch.from_numpy(places[found])].to(ids_B.device)
        return F.normalize(rows.float(), dim=-1), torch.from_numpy(found).to(ids_B.device)


@dataclass(frozen=True, kw_only=True, slots=True)
class Teachers:
    """What a stage imitates.

    Attributes:
        recipe: Shares and weights.
        decoder: In evaluation mode, without gradients.
        texts: Stored embeddings.
    """

    recipe: DistillationRecipe
    decoder: CodeT5pModel | None
    texts: TextEmbeddings | None

    @classmethod
    def from_recipe(cls, recipe: DistillationRecipe, student: CodeT5pModel) -> Self:
        """Return the teachers that `recipe` names, on the student's device.

        Args:
            recipe: Where they are.
            student: Must share the decoder teacher's vocabulary.

        Returns:
            The teachers; both None where there are none.

        Raises:
            CheckpointError: If the vocabularies differ.
        """
        decoder = None
        if recipe.decoder is not None:
            decoder, _ = load_checkpoint(recipe.decoder)
            if decoder.config.vocab_size != student.config.vocab_size:
                raise CheckpointError(
                    f"the teacher {recipe.decoder} has {decoder.config.vocab_size} tokens, the model "
                    f"{student.config.vocab_size}; distil from a checkpoint with the same tokenizer"
                )
            decoder.to(student.token_embedding.weight.device).requires_grad_(requires_grad=False)
        texts = None if recipe.texts is None else TextEmbeddings.from_file(recipe.texts)
        return cls(recipe=recipe, decoder=decoder, texts=texts)

    def decoder_loss(self, model: CodeT5pModel, hidden_BTD: Tensor, batch: SequenceBatch) -> Tensor:
        """Return the decoder-only loss, part of it against the teacher's distribution; summed, in nats.

        Args:
            model: The student.
            hidden_BTD: Its decoder output.
            batch: What it read, and the labels.

        Returns:
            A float32 scalar.
        """
        hard = summed_cross_entropy(model, hidden_BTD, batch.labels_BT)
        if self.decoder is None:
            return hard
        with torch.no_grad():
            states = None
            if self.decoder.encoder is not None:
                states = self.decoder.encode(batch.source_ids_BS, source_documents_BS=batch.source_documents_BS)
            teacher_BTF = self.decoder.decode(
                batch.target_ids_BT,
                states,
                target_documents_BT=batch.target_documents_BT,
                source_documents_BS=batch.source_documents_BS,
            )
        soft = summed_distillation_loss(
            output_projection(model, hidden_BTD),
            output_projection(self.decoder, teacher_BTF),
            batch.labels_BT.flatten(),
        )
        return (1 - self.recipe.decoder_share) * hard + self.recipe.decoder_share * soft

    def text_loss(self, text_BE: Tensor, content_ids_B2: Tensor) -> Tensor:
        """Return the weighted loss of imitating the similarities between texts, in nats a text.

        Args:
            text_BE: The student's embeddings.
            content_ids_B2: Which texts they are of.

        Returns:
            A float32 scalar; 0 where fewer than three of the texts are stored.
        """
        if self.texts is None:
            return text_BE.new_zeros(())
        teacher_BG, found_B = self.texts.find(content_ids_B2[:, 0])
        if len(teacher_BG) < 3:
            return text_BE.new_zeros(())
        return self.recipe.texts_weight * similarity_distillation_loss(text_BE[found_B], teacher_BG)
