"""A torch checkpoint under evaluation.

Shape legend: B rows of a batch, S source tokens, T target tokens, V vocabulary.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codet5p.core.artifact import Mode
from codet5p.core.errors import CheckpointError
from codet5p.core.tokenizer import Tokenizer
from codet5p.model.cache import KeyValueCache
from codet5p.model.checkpoint import load_checkpoint
from codet5p.model.transformer import CodeT5pModel
from codet5p.training.evaluation.model_protocol import Sampling
from codet5p.training.objectives.matching import state_at_end
from codet5p.training.objectives.task_tokens import TaskTokens

__all__ = ["TorchModel"]


class TorchModel:
    """Answers evaluations with a `CodeT5pModel`. Rows of equal length are computed together."""

    def __init__(self, model: CodeT5pModel, tokenizer: Tokenizer, *, batch_rows: int = 16) -> None:
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._tokens = TaskTokens.from_tokenizer(tokenizer)
        self._batch_rows = batch_rows
        self._device = model.token_embedding.weight.device

    @classmethod
    def from_checkpoint(cls, folder: Path, *, device: str = "cpu", batch_rows: int = 16) -> Self:
        """Return the checkpoint in `folder`, ready to be evaluated.

        Args:
            folder: With the tokenizer inside.
            device: Such as `cpu` or `cuda`.
            batch_rows: Most rows computed together.

        Returns:
            The model, float32 on a CPU and bfloat16 on a GPU.

        Raises:
            CheckpointError: If the folder has no tokenizer.
        """
        model, _ = load_checkpoint(folder)
        if not (folder / "tokenizer.json").is_file():
            raise CheckpointError(f"{folder} has no tokenizer.json; evaluate a checkpoint that was saved with one")
        model = model.to(device, torch.float32 if device == "cpu" else torch.bfloat16)
        return cls(model, Tokenizer.from_file(folder / "tokenizer.json"), batch_rows=batch_rows)

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer stored with the checkpoint."""
        return self._tokenizer

    @property
    def modes(self) -> frozenset[Mode]:
        """What the checkpoint has the parts for, trained or not."""
        decodes, encodes = self._model.decoder is not None, self._model.encoder is not None
        modes: dict[Mode, bool] = {
            "complete": decodes,
            "embed": encodes,
            "generate": decodes and encodes,
            "match": decodes and encodes,
        }
        return frozenset(mode for mode, is_there in modes.items() if is_there)

    @torch.inference_mode()
    def continue_rows(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        end_ids: Collection[int],
        sampling: Sampling | None = None,
    ) -> list[list[int]]:
        """Return what the decoder writes behind each prompt, with `[CLM]` alone in the encoder."""
        generator = None if sampling is None else torch.Generator(self._device).manual_seed(sampling.seed)
        results: list[list[int]] = [[] for _ in prompts]
        for rows in self._batches([(len(prompt),) for prompt in prompts]):
            states = self._clm_states(len(rows))
            written = self._decode(
                self._ids([prompts[row] for row in rows]), states, max_new_tokens, end_ids, (sampling, generator)
            )
            for row, ids in zip(rows, written, strict=True):
                results[row] = ids
        return results

    @torch.inference_mode()
    def generate_rows(
        self,
        sources: Sequence[Sequence[int]],
        openings: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        end_ids: Collection[int],
    ) -> list[list[int]]:
        """Return what the decoder writes behind each opening, attending to the encoded source."""
        results: list[list[int]] = [[] for _ in sources]
        lengths = [(len(source), len(opening)) for source, opening in zip(sources, openings, strict=True)]
        for rows in self._batches(lengths):
            states = self._model.encode(self._ids([sources[row] for row in rows]))
            opening_BT = self._ids([openings[row] for row in rows])
            written = self._decode(opening_BT, states, max_new_tokens, end_ids, (None, None))
            for row, ids in zip(rows, written, strict=True):
                results[row] = ids
        return results

    @torch.inference_mode()
    def embed_rows(self, sources: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the embeddings of encoder inputs."""
        embeddings = np.zeros((len(sources), self._model.config.embedding_dim), np.float32)
        for rows in self._batches([(len(source),) for source in sources]):
            states = self._model.encode(self._ids([sources[row] for row in rows]))
            embeddings[rows] = self._model.embed(states).float().cpu().numpy()
        return embeddings

    @torch.inference_mode()
    def match_rows(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the log-odds that each target, from `judged_ids`, matches its source."""
        odds = np.zeros(len(sources), np.float32)
        lengths = [(len(source), len(target)) for source, target in zip(sources, targets, strict=True)]
        for rows in self._batches(lengths):
            states = self._model.encode(self._ids([sources[row] for row in rows]))
            hidden = self._model.decode(self._ids([targets[row] for row in rows]), states)
            ends = torch.full((len(rows),), hidden.size(1) - 1, device=self._device)
            logits = self._model.match_logits(state_at_end(hidden, ends)).float().cpu().numpy()
            odds[rows] = logits[:, 1] - logits[:, 0]
        return odds

    @torch.inference_mode()
    def score_rows(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """Return the log-probability of each row's tokens behind the first."""
        scores = [0.0] * len(rows)
        for numbers in self._batches([(len(row),) for row in rows]):
            ids_BT = self._ids([rows[number] for number in numbers])
            hidden = self._model.decode(ids_BT[:, :-1], self._clm_states(len(numbers)))
            log_probabilities = self._model.logits(hidden).float().log_softmax(-1)
            picked = log_probabilities.gather(-1, ids_BT[:, 1:, None]).squeeze(-1).sum(1)
            for number, score in zip(numbers, picked.tolist(), strict=True):
                scores[number] = score
        return scores

    def _clm_states(self, rows: int) -> Tensor | None:
        if self._model.encoder is None:
            return None
        return self._model.encode(torch.full((rows, 1), self._tokens.clm, device=self._device))

    def _ids(self, rows: Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor(rows, dtype=torch.int64, device=self._device)

    def _batches(self, lengths: Sequence[tuple[int, ...]]) -> Iterator[list[int]]:
        """Yield groups of rows of equal lengths."""
        order = sorted(range(len(lengths)), key=lambda row: lengths[row])
        batch: list[int] = []
        for row in order:
            if batch and (lengths[row] != lengths[batch[0]] or len(batch) == self._batch_rows):
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _decode(
        self,
        ids_BT: Tensor,
        states_BSD: Tensor | None,
        max_new_tokens: int,
        end_ids: Collection[int],
        drawing: tuple[Sampling | None, torch.Generator | None],
    ) -> list[list[int]]:
        cache = KeyValueCache(self._model.config.num_decoder_layers)
        written: list[list[int]] = [[] for _ in ids_BT]
        running = [True] * len(written)
        for _ in range(max_new_tokens):
            hidden = self._model.decode(ids_BT, states_BSD, cache=cache)
            logits_BV = self._model.logits(hidden[:, -1]).float()
            logits_BV[:, self._tokenizer.vocab_size :] = -torch.inf  # rows that only fill up the embedding
            next_B = _next_ids(logits_BV, *drawing)
            for row, token in enumerate(next_B.tolist()):
                running[row] = running[row] and token not in end_ids
                if running[row]:
                    written[row].append(token)
            if not any(running):
                break
            ids_BT = next_B.unsqueeze(1)
        return written


def _next_ids(logits_BV: Tensor, sampling: Sampling | None, generator: torch.Generator | None) -> Tensor:
    """Return the likeliest token of each row, or one drawn from the top of its distribution (nucleus sampling)."""
    if sampling is None:
        return logits_BV.argmax(-1)
    probabilities, tokens = (logits_BV / sampling.temperature).softmax(-1).sort(descending=True)
    beyond = probabilities.cumsum(-1) - probabilities >= sampling.top_p
    drawn = torch.multinomial(probabilities.masked_fill(beyond, 0.0), 1, generator=generator)
    return tokens.gather(1, drawn).squeeze(1)
