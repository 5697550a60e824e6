"""What the features ask of an inference engine. Token ids in, token ids out; no text, no documents, no editor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from codet5p.core.tokenizer import Tokenizer

__all__ = ["Engine", "Generation", "GenerationRequest"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerationRequest:
    """One continuation to generate.

    Attributes:
        static_ids: Start of the prompt that many requests share; its state is kept for the next one.
        tail_ids: Rest of the prompt, processed anew each time; not empty.
        required_prefix: Bytes that the first generated token must start with: text right before the cursor that was
            taken off the prompt because a token boundary there would be unnatural (token healing).
        end_ids: Tokens that end the generation; the one met is part of the result.
        max_new_tokens: Most tokens to generate.
        time_limit_seconds: When to stop with what there is, counted from the first token: once a long prompt has been
            processed, leaving without an answer would waste it.
        is_over: Told each token as it comes; returns whether the generation ends with it. None leaves that to the other
            limits.
    """

    static_ids: tuple[int, ...]
    tail_ids: tuple[int, ...]
    required_prefix: bytes
    end_ids: Sequence[int]
    max_new_tokens: int
    time_limit_seconds: float
    is_over: Callable[[int], bool] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """What was generated.

    Attributes:
        ids: The tokens, starting with the one that covers `required_prefix`.
        log_probs: Natural logarithm of each token's probability.
        is_finished: Whether an end token was met; otherwise the token or time limit came first.
    """

    ids: tuple[int, ...]
    log_probs: tuple[float, ...]
    is_finished: bool


class Engine(Protocol):
    """Runs the exported model. Called from one thread at a time."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        ...

    def generate(self, request: GenerationRequest, stop: Event) -> Generation | None:
        """Return the greedy continuation, or None if `stop` was set before it was complete."""
        ...

    def alternatives(self, request: GenerationRequest, count: int, stop: Event) -> tuple[Generation, ...] | None:
        """Return a continuation from each of the likeliest first tokens, `count` at most, or None if `stop` was set."""
        ...

    def prepare(self, static_ids: tuple[int, ...]) -> None:
        """Process the shared start of coming prompts ahead of time."""
        ...

    def is_prepared(self, static_ids: tuple[int, ...]) -> bool:
        """Return whether a request with these `static_ids` finds them processed."""
        ...
