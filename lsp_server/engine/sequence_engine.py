"""The exported encoder-decoder in CTranslate2: writing text about code and code about text, infilling, matching.

Sequences are those of training: `core.encoder_inputs` has the encoder's, `core.decoder_inputs` the decoder's.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, Literal

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from codet5p.core.ct2_layout import IS_MATCH, NO_MATCH
from codet5p.core.decoder_inputs import decoder_opening, judged_ids
from codet5p.core.encoder_inputs import filled_in, infilling_source, opened_source
from codet5p.core.errors import EngineError
from codet5p.core.special_tokens import EOS, sentinel
from codet5p.core.tokenizer import Tokenizer

__all__ = ["MatchLimits", "SearchOptions", "SequenceEngine", "Written"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchOptions:
    """How to write.

    Attributes:
        num_beams: 1 is greedy, and the only way that can be stopped on its way.
        length_penalty: Beams are ranked by log-probability / length^penalty; of no matter to greedy search.
        max_source_tokens: Longest encoder input. A source loses its end; infilling loses what is far from the hole.
        max_new_tokens: Most tokens to write.
        time_limit_seconds: When greedy search stops with what there is, counted from the first token.
    """

    num_beams: int = 1
    length_penalty: float = 1.0
    max_source_tokens: int = 320
    max_new_tokens: int = 128
    time_limit_seconds: float = 10.0

    def __post_init__(self) -> None:
        if min(self.num_beams, self.max_new_tokens) < 1 or self.max_source_tokens < 2:
            raise ValueError("num_beams and max_new_tokens must be at least 1, max_source_tokens at least 2")


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchLimits:
    """How much of a pair is judged.

    Attributes:
        max_text_tokens: Longest text, `[CLS]` included; a longer one loses its end.
        max_code_tokens: Longest code, a place for `[Match]` included.
        batch_rows: Most rows computed together; two rows make a pair.
    """

    max_text_tokens: int = 64
    max_code_tokens: int = 360
    batch_rows: int = 16

    def __post_init__(self) -> None:
        if min(self.max_text_tokens, self.max_code_tokens) < 2 or self.batch_rows < 1:
            raise ValueError("token limits must be at least 2 and batch_rows at least 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What was written.

    Attributes:
        text: Without special tokens.
        ids: Its tokens.
        score: Log-probability in nats, the end token included, divided by length^penalty.
        is_finished: Whether an end token was met; otherwise the token or time limit came first.
    """

    text: str
    ids: tuple[int, ...]
    score: float
    is_finished: bool


class SequenceEngine:
    """Runs the encoder-decoder on the CPU. Called from one thread at a time."""

    def __init__(self, model: Path, tokenizer: Tokenizer, *, can_match: bool, num_threads: int) -> None:
        """Load the model.

        Args:
            model: Folder of an assembled encoder-decoder.
            tokenizer: The model's tokenizer.
            can_match: Whether the model was exported with its matching head.
            num_threads: Threads of one computation.

        Raises:
            EngineError: If the model cannot be loaded.
        """
        try:
            self._translator = ctranslate2.Translator(
                str(model), device="cpu", compute_type="default", intra_threads=num_threads, inter_threads=1
            )
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"cannot load the model {model}: {error}; see codet5p doctor") from None
        self._tokenizer = tokenizer
        self._can_match = can_match
        self._ids = {token: token_id for token_id, token in enumerate(tokenizer.tokens)}

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        return self._tokenizer

    def generate(
        self, source: str, opening: Literal["[TDec]", "[CDec]"], options: SearchOptions, stop: Event
    ) -> Written | None:
        """Return text about code (`[TDec]`) or code about text (`[CDec]`), or None if `stop` was set.

        Args:
            source: The code, or the text.
            opening: What to write.
            options: How to write.
            stop: Set by another thread when the answer is no longer wanted; a beam search looks at it only before.

        Returns:
            The best hypothesis.

        Raises:
            EngineError: If the runtime refuses.
        """
        source_ids = opened_source(self._tokenizer, source, options.max_source_tokens)
        return self._write(source_ids, decoder_opening(opening), (EOS,), options, stop)

    def infill(self, prefix: str, suffix: str, options: SearchOptions, stop: Event) -> Written | None:
        """Return what belongs between `prefix` and `suffix`, or None if `stop` was set.

        Args:
            prefix: Text before the hole.
            suffix: Text behind it.
            options: How to write.
            stop: As in `generate`.

        Returns:
            The best filling: the first span of span denoising, up to the next sentinel. Its text goes on where the
            prefix ends; its ids begin with the white space there.

        Raises:
            EngineError: If the runtime refuses.
        """
        source_ids = infilling_source(self._tokenizer, prefix, suffix, options.max_source_tokens)
        written = self._write(source_ids, decoder_opening(sentinel(0)), (EOS, sentinel(1)), options, stop)
        return written and replace(written, text=filled_in(prefix, written.text))

    def match(self, text: str, codes: Sequence[str], limits: MatchLimits) -> NDArray[np.float32]:
        """Return how surely each code does what `text` says, float32 [N]: log-odds, above 0 for a match.

        Args:
            text: The description.
            codes: The candidates.
            limits: How much of a pair is judged.

        Returns:
            The matching head's decision for each candidate.

        Raises:
            EngineError: If the runtime refuses, or the model was exported without its matching head.
        """
        source = opened_source(self._tokenizer, text, limits.max_text_tokens)
        kept = limits.max_code_tokens - 1
        targets = [judged_ids(self._tokenizer, ids[:kept]) for ids in self._tokenizer.encode_batch(codes)]
        return self.match_ids([source] * len(targets), targets, batch_rows=limits.batch_rows)

    def match_ids(
        self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], *, batch_rows: int
    ) -> NDArray[np.float32]:
        """Return how surely each target matches its source, float32 [N]; see `match`.

        Args:
            sources: Token ids, `[CLS] text`.
            targets: Token ids, from `judged_ids`.
            batch_rows: Most rows computed together; two rows make a pair.

        Returns:
            Log-odds.

        Raises:
            EngineError: If the runtime refuses, or the model was exported without its matching head.
        """
        if not self._can_match:
            raise EngineError("this model was exported without its matching head; use an artifact with the mode match")
        if not targets:
            return np.zeros(0, np.float32)
        try:
            results = self._translator.score_batch(
                [self._spelt(source) for source in sources] * 2,
                [[*self._spelt(target), row] for row in (IS_MATCH, NO_MATCH) for target in targets],
                max_batch_size=batch_rows,
                max_input_length=0,
            )
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"the inference engine failed: {error}; see codet5p doctor") from None
        # The first token of a target has no probability, so the row behind the target has the index of its last token.
        log_probs = [
            result.log_probs[len(target) - 1] for result, target in zip(results, [*targets, *targets], strict=True)
        ]
        is_match_N, no_match_N = np.array(log_probs, np.float32).reshape(2, -1)
        log_odds_N: NDArray[np.float32] = is_match_N - no_match_N
        return log_odds_N

    def _write(
        self,
        source_ids: Sequence[int],
        opening: tuple[str, ...],
        ends: tuple[str, ...],
        options: SearchOptions,
        stop: Event,
    ) -> Written | None:
        """Return what the decoder writes behind `opening` until one of `ends`."""
        if stop.is_set():
            return None
        deadline = float("inf")

        def should_stop(_: Any) -> bool:
            nonlocal deadline
            if deadline == float("inf"):
                deadline = time.monotonic() + options.time_limit_seconds
            return stop.is_set() or time.monotonic() > deadline

        try:
            results = self._translator.translate_batch(
                [self._spelt(source_ids)],
                target_prefix=[list(opening)],
                beam_size=options.num_beams,
                length_penalty=options.length_penalty,
                max_input_length=0,
                min_decoding_length=0,  # 1 would take the end token out of the first step's probabilities
                max_decoding_length=options.max_new_tokens + len(opening) - 1,
                end_token=list(ends),
                return_end_token=True,
                return_scores=True,
                callback=should_stop if options.num_beams == 1 else None,
            )
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"the inference engine failed: {error}; see codet5p doctor") from None
        if stop.is_set():
            return None
        hypothesis = results[0].hypotheses[0]
        tokens = hypothesis[len(opening) - 1 :]  # the first token of the opening is not repeated
        # The runtime divides by the length of all that it repeats.
        score = results[0].scores[0] * (len(hypothesis) / max(1, len(tokens))) ** options.length_penalty
        return self._written(tokens, ends, score)

    def _written(self, tokens: Sequence[str], ends: tuple[str, ...], score: float) -> Written:
        is_finished = bool(tokens) and tokens[-1] in ends
        # Rows of the embedding that stand for no token have no id.
        ids = tuple(self._ids[token] for token in tokens if token in self._ids and token not in ends)
        return Written(text=self._tokenizer.decode(ids), ids=ids, score=score, is_finished=is_finished)

    def _spelt(self, ids: Sequence[int]) -> list[str]:
        tokens = self._tokenizer.tokens
        return [tokens[token_id] for token_id in ids]
