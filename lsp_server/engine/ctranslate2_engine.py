"""The exported model in CTranslate2, with reuse of the prompt's start.

CTranslate2 keeps the state of a `static_prompt` under its exact tokens and never lets go of it. This engine counts what
it asked to keep and forgets everything when the count is reached, the only way that frees the memory: unload the model,
trim the heap, load the model (0.2 s). Decoding is greedy: the callback that stops it works with a beam of one only.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import ctranslate2
import numpy as np

from codet5p.core.errors import EngineError
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine.healing import HealingTable
from codet5p.lsp_server.engine.memory import keep_large_blocks_apart, release_free_memory
from codet5p.lsp_server.engine.protocol import Generation, GenerationRequest

__all__ = ["CTranslate2Engine"]

_UNLOAD_SECONDS = 1.0
_UNLOAD_PAUSE_SECONDS = 0.001
_LEAST_FIRST_LOG_PROB = -4.0  # 2 %


class CTranslate2Engine:
    """Greedy generation on the CPU; see `Engine` for the contract."""

    def __init__(self, model: Path, tokenizer: Tokenizer, *, num_threads: int, max_static_prompts: int = 3) -> None:
        """Load the model.

        Args:
            model: Folder of an assembled decoder-only model.
            tokenizer: The model's tokenizer.
            num_threads: Threads of one computation.
            max_static_prompts: Prompt states kept at most; one of 384 tokens takes 53 MB at 30 layers.

        Raises:
            EngineError: If the model cannot be loaded.
        """
        keep_large_blocks_apart()
        try:
            self._generator = ctranslate2.Generator(
                str(model), device="cpu", compute_type="default", intra_threads=num_threads, inter_threads=1
            )
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"cannot load the model {model}: {error}; see codet5p doctor") from None
        self._tokenizer = tokenizer
        self._healing = HealingTable(tokenizer)
        self._max_static_prompts = max_static_prompts
        self._static_prompts: set[tuple[int, ...]] = set()

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        return self._tokenizer

    def is_prepared(self, static_ids: tuple[int, ...]) -> bool:
        """Return whether the state of `static_ids` is kept."""
        return not static_ids or static_ids in self._static_prompts

    def prepare(self, static_ids: tuple[int, ...]) -> None:
        """Process the shared start of coming prompts and keep the state.

        Args:
            static_ids: Tokens of that start.

        Raises:
            EngineError: If the runtime refuses.
        """
        if not self.is_prepared(static_ids):
            # The runtime processes the static prompt only on the way to a token, so one is generated and dropped.
            self._run(static_ids, static_ids[-1:], max_length=1)

    def generate(self, request: GenerationRequest, stop: Event) -> Generation | None:
        """Return the greedy continuation, or None if `stop` was set before it was complete.

        With a `required_prefix` the model first runs freely and is stopped at its first token if that one does not
        fit, which is rare at line starts; only then is the best fitting token chosen and continued from.

        Args:
            request: What to continue, and how far.
            stop: Set by another thread when the answer is no longer wanted.

        Returns:
            The continuation.

        Raises:
            EngineError: If the runtime refuses.
        """
        prefix = request.required_prefix
        allowed = self._healing.allowed_ids(prefix) if prefix else None
        if allowed is not None and not len(allowed):
            return Generation(ids=(), log_probs=(), is_finished=False)
        steps, first_logits = self._decode(request, (), stop, only_first_of=allowed)
        if allowed is not None and steps and steps[0][0] not in allowed and not stop.is_set():
            (healed,) = _best_of(first_logits, allowed, 1)
            steps = [healed]
            is_over = request.is_over is not None and request.is_over(healed[0])
            if healed[0] not in set(request.end_ids) and request.max_new_tokens > 1 and not is_over:
                steps += self._decode(request, (healed[0],), stop)[0]
        if stop.is_set():
            return None
        return _generation(steps, set(request.end_ids))

    def alternatives(self, request: GenerationRequest, count: int, stop: Event) -> tuple[Generation, ...] | None:
        """Return a continuation from each of the likeliest first tokens, the likeliest first.

        Args:
            request: What to continue, and how far; `is_over` is not asked.
            count: Continuations, at most; first tokens below 2 % are not followed.
            stop: Set by another thread when the answer is no longer wanted.

        Returns:
            Greedy continuations, computed together; None if `stop` was set.

        Raises:
            EngineError: If the runtime refuses.
        """
        prefix = request.required_prefix
        allowed = self._healing.allowed_ids(prefix) if prefix else np.arange(len(self._tokenizer.tokens))
        if not len(allowed):
            return ()
        result = self._run(request.static_ids, request.tail_ids, max_length=1, return_logits_vocab=True)
        firsts = _best_of(result.logits[0][0], allowed, count)
        firsts = [first for first in firsts if first[1] >= _LEAST_FIRST_LOG_PROB or first is firsts[0]]
        if stop.is_set():
            return None
        ends = set(request.end_ids)
        steps = {first[0]: [first] for first in firsts}
        followed = [first for first in firsts if first[0] not in ends] if request.max_new_tokens > 1 else []
        self._follow(request, [steps[token_id] for token_id, _ in followed], stop)
        if stop.is_set():
            return None
        return tuple(_generation(steps[token_id], ends) for token_id, _ in firsts)

    def _follow(self, request: GenerationRequest, paths: list[list[tuple[int, float]]], stop: Event) -> None:
        """Continue each path in place, all of them in one batch."""
        if not paths:
            return
        deadline = time.monotonic() + request.time_limit_seconds
        vocabulary_size = len(self._tokenizer.tokens)

        def keep_step(step: Any) -> bool:
            if step.token_id >= vocabulary_size:
                return True
            paths[step.batch_id].append((step.token_id, step.log_prob))
            return stop.is_set() or time.monotonic() > deadline

        self._run_batch(
            request.static_ids,
            [(*request.tail_ids, path[0][0]) for path in paths],
            max_length=request.max_new_tokens - 1,
            end_token=list(request.end_ids),
            return_end_token=True,
            return_scores=True,
            callback=keep_step,
        )

    def _decode(
        self,
        request: GenerationRequest,
        healed: tuple[int, ...],
        stop: Event,
        only_first_of: Any = None,
    ) -> tuple[list[tuple[int, float]], Any]:
        """Return generated (id, log-probability) pairs and, where the first token is restricted, its logits."""
        steps: list[tuple[int, float]] = []
        deadline = float("inf")
        vocabulary_size = len(self._tokenizer.tokens)

        def keep_step(step: Any) -> bool:
            nonlocal deadline
            if not steps:
                deadline = time.monotonic() + request.time_limit_seconds
            if step.token_id >= vocabulary_size:  # a padding row of the embedding, never trained
                return True
            steps.append((step.token_id, step.log_prob))
            misfit = only_first_of is not None and len(steps) == 1 and step.token_id not in only_first_of
            if misfit or stop.is_set() or time.monotonic() > deadline:
                return True
            return request.is_over is not None and request.is_over(step.token_id)

        result = self._run(
            request.static_ids,
            request.tail_ids + healed,
            max_length=request.max_new_tokens - len(healed),
            end_token=list(request.end_ids),
            return_end_token=True,
            return_scores=True,
            return_logits_vocab=only_first_of is not None,
            callback=keep_step,
        )
        return steps, result.logits[0][0] if only_first_of is not None else None

    def _run(self, static_ids: tuple[int, ...], tail_ids: tuple[int, ...], **options: Any) -> Any:
        return self._run_batch(static_ids, [tail_ids], **options)[0]

    def _run_batch(self, static_ids: tuple[int, ...], tails: Sequence[tuple[int, ...]], **options: Any) -> Any:
        self._forget_if_full(static_ids)
        tokens = self._tokenizer.tokens
        try:
            return self._generator.generate_batch(
                [[tokens[token_id] for token_id in tail_ids] for tail_ids in tails],
                static_prompt=[tokens[token_id] for token_id in static_ids] or None,
                beam_size=1,
                include_prompt_in_result=False,
                **options,
            )
        except (RuntimeError, ValueError) as error:
            # Nobody knows what state it left, and a prompt half processed would be taken for a kept one.
            self._forget_all()
            raise EngineError(f"the inference engine failed: {error}; see codet5p doctor") from None

    def _forget_if_full(self, static_ids: tuple[int, ...]) -> None:
        if self.is_prepared(static_ids):
            return
        if len(self._static_prompts) >= self._max_static_prompts:
            self._forget_all()
        self._static_prompts.add(static_ids)

    def _forget_all(self) -> None:
        # Unloading is silently refused while the runtime still counts the last batch as active, for a moment after
        # its result is out.
        deadline = time.monotonic() + _UNLOAD_SECONDS
        while self._generator.model_is_loaded and time.monotonic() < deadline:
            self._generator.unload_model()
            time.sleep(_UNLOAD_PAUSE_SECONDS)
        release_free_memory()
        self._generator.load_model()
        self._static_prompts.clear()


def _generation(steps: Sequence[tuple[int, float]], end_ids: set[int]) -> Generation:
    ids = tuple(token_id for token_id, _ in steps)
    log_probs = tuple(log_prob for _, log_prob in steps)
    return Generation(ids=ids, log_probs=log_probs, is_finished=bool(ids) and ids[-1] in end_ids)


def _best_of(logits: Any, allowed: Any, count: int) -> list[tuple[int, float]]:
    """Return the `count` likeliest allowed tokens and their log-probabilities among all tokens, the likeliest first."""
    logits_V = np.asarray(logits, dtype=np.float32).ravel()
    order = np.argsort(-logits_V[allowed], kind="stable")[:count]
    largest = logits_V.max()
    normaliser = largest + np.log(np.exp(logits_V - largest).sum())
    return [(int(token_id), float(logits_V[token_id] - normaliser)) for token_id in allowed[order]]
