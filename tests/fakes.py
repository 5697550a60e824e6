"""Stand-ins for what is slow or large: one engine that answers from a script, and one small tokenizer that is real."""

from collections import deque
from collections.abc import Iterable
from threading import Event

from tokenizers import Tokenizer as BpeTokenizer
from tokenizers import decoders, models, pre_tokenizers

from codet5p.core.special_tokens import SPECIAL_TOKENS
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine.protocol import Generation, GenerationRequest

__all__ = ["START_TOKEN", "FakeEngine", "small_tokenizer"]

START_TOKEN = "<|endoftext|>"

# Each pair is two tokens that exist by then; Ġ is the space, Ċ the line feed, č the carriage return, ĉ the tab.
_MERGES = (
    "Ġ Ġ", "ĠĠ ĠĠ", "ĠĠ Ġ", "Ċ Ġ", "Ċ ĠĠ", "Ċ ĠĠĠ", "Ċ ĠĠĠĠ", "Ċ Ċ", "č Ċ", "ĉ ĉ",
    "r e", "t u", "r n", "re tu", "retu rn", "Ġ return", "s e", "l f", "se lf", "Ġ self", "d e", "de f",
    "( )", ") :", "Ġ =", "= =", "v a", "va l", "val u", "valu e", "Ġ value", "Ã ¤",
)  # fmt: skip


def small_tokenizer() -> Tokenizer:
    """Return a byte-level BPE tokenizer built as the released one is: same pre-tokenizer, same special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [(left, right) for left, right in (merge.split() for merge in _MERGES)]
    tokens = [START_TOKEN, *alphabet, *(left + right for left, right in merges)]
    tokenizer = BpeTokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([START_TOKEN, *SPECIAL_TOKENS])
    return Tokenizer(tokenizer)


class FakeEngine:
    """An `Engine` that gives scripted answers in their order and records what it was asked.

    An answer is the text behind the cursor; one that ends in a line feed counts as finished. The answer None blocks
    until the request is stopped; an exception is raised.
    """

    def __init__(self, *answers: str | Exception | None) -> None:
        self._tokenizer = small_tokenizer()
        self._answers = deque(answers)
        self._id_of_byte = {value[0]: i for i, value in enumerate(self._tokenizer.token_bytes) if len(value) == 1}
        self.requests: list[GenerationRequest] = []
        self.prepared: list[tuple[int, ...]] = []
        self.has_begun = Event()
        self.most_alternatives = 8

    @property
    def tokenizer(self) -> Tokenizer:
        return self._tokenizer

    def generate(self, request: GenerationRequest, stop: Event) -> Generation | None:
        self.requests.append(request)
        self.has_begun.set()
        answer = self._answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            assert stop.wait(10), "nobody stopped the request"
            return None
        return self._generation(request.required_prefix + answer.encode(), request)

    def alternatives(self, request: GenerationRequest, count: int, stop: Event) -> tuple[Generation, ...] | None:
        """Return the next `count` answers, or as many as are left."""
        generations: list[Generation] = []
        for _ in range(min(count, self.most_alternatives, len(self._answers))):
            if (generation := self.generate(request, stop)) is None:
                return None
            generations.append(generation)
        return tuple(generations)

    def prepare(self, static_ids: tuple[int, ...]) -> None:
        self.prepared.append(static_ids)

    def is_prepared(self, static_ids: tuple[int, ...]) -> bool:
        return static_ids in self.prepared

    def prompt_text(self, index: int = -1) -> str:
        """Return the text that a request's prompt stands for, the bytes left to the first token included."""
        request = self.requests[index]
        return (self._bytes_of(request.static_ids + request.tail_ids) + request.required_prefix).decode("utf-8")

    def _bytes_of(self, ids: Iterable[int]) -> bytes:
        return b"".join(self._tokenizer.token_bytes[token_id] for token_id in ids)

    def _generation(self, content: bytes, request: GenerationRequest) -> Generation:
        ids = tuple(self._id_of_byte[byte] for byte in content)
        is_over = request.is_over or (lambda _: False)
        over = next((count for count, token_id in enumerate(ids, start=1) if is_over(token_id)), None)
        return Generation(
            ids=ids[:over], log_probs=(-0.5,) * len(ids[:over]), is_finished=over is None and content.endswith(b"\n")
        )
