"""Inline completion: the rest of the line at the cursor, or the block. Plain data in, plain data out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import Literal

from codet5p.lsp_server.engine.protocol import Engine, Generation, GenerationRequest
from codet5p.lsp_server.features.blocks import BlockEnd, block_to_show, is_after_opener, is_block_place
from codet5p.lsp_server.features.filters import CLOSERS
from codet5p.lsp_server.features.prompt import PromptWindows
from codet5p.lsp_server.features.surroundings import line_end, line_start
from codet5p.lsp_server.features.syntax import SyntaxTrees
from codet5p.lsp_server.features.trimming import line_to_show
from codet5p.lsp_server.features.type_through import TypeThroughCache

__all__ = ["Blocks", "Completer", "CompletionLimits", "CompletionQuery", "Suggestion"]

Blocks = Literal["never", "onRequest", "auto"]
_BLOCK_TIME_LIMITS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletionLimits:
    """Bounds on one completion.

    Attributes:
        max_static_tokens: Prompt tokens whose state is reused, at most.
        max_tail_tokens: Prompt tokens processed for each request, about.
        max_new_tokens: Tokens generated at most.
        time_limit_seconds: Time after which what is there is used.
        max_document_characters: Documents longer than this get no completions.
        in_comments: Whether to complete inside comments while typing.
        in_strings: Whether to complete inside strings while typing.
        min_confidence: Mean probability of a suggestion's tokens below which typing gets silence, 0 to 1.
        blocks: When more than a line may be suggested: `never`, `onRequest` by the user, or `auto`, also while typing
            where a block was just opened.
        max_block_lines: Lines of a block, at most.
        max_candidates: Suggestions at most where the user asks.
    """

    max_static_tokens: int = 384
    max_tail_tokens: int = 64
    max_new_tokens: int = 24
    time_limit_seconds: float = 1.0
    max_document_characters: int = 2_000_000
    in_comments: bool = True
    in_strings: bool = True
    min_confidence: float = 0.0
    blocks: Blocks = "onRequest"
    max_block_lines: int = 8
    max_candidates: int = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletionQuery:
    """What is to be completed.

    Attributes:
        uri: The document, as the key of what is remembered about it.
        text: Its content.
        offset: The cursor, in Python characters.
        grammar: Name of the grammar that reads it, where there is one.
        is_automatic: Whether typing asked, and not the user.
        may_be_block: Whether there is room for more than a line.
    """

    uri: str
    text: str
    offset: int
    grammar: str | None = None
    is_automatic: bool = False
    may_be_block: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """Text to insert at the cursor.

    Attributes:
        text: The rest of the line, or a block of lines; no line end behind the last.
        score: Mean log-probability of its tokens, 0 at best.
        is_cached: Whether it was known before it was asked for.
    """

    text: str
    score: float
    is_cached: bool

    @property
    def confidence(self) -> float:
        """Mean probability of its tokens, from 0 to 1: the geometric mean."""
        return math.exp(min(self.score, 0.0))


class Completer:
    """Completes documents with one engine, remembering prompts and suggestions between requests.

    `cached` and `recalled` may be called from the loop's thread; `complete` and `prepare_next` belong to the engine's.
    """

    def __init__(self, engine: Engine, limits: CompletionLimits, *, start_id: int) -> None:
        """Create a completer.

        Args:
            engine: Runs the model.
            limits: Bounds on each completion.
            start_id: Token that stands for the empty text at the start of a file.
        """
        self._engine = engine
        self.limits = limits
        self._cache = TypeThroughCache()
        self._trees = SyntaxTrees()
        self._last_candidates: tuple[CompletionQuery, tuple[Suggestion, ...]] | None = None
        self._windows = PromptWindows(
            engine.tokenizer,
            max_static_tokens=limits.max_static_tokens,
            max_tail_tokens=limits.max_tail_tokens,
            start_id=start_id,
        )
        self._end_ids = tuple(
            token_id
            for token_id, stands_for in enumerate(engine.tokenizer.token_bytes)
            if b"\n" in stands_for or b"\r" in stands_for or token_id in engine.tokenizer.special_ids
        )

    def is_worth_asking(self, query: CompletionQuery) -> bool:
        """Return whether the cursor stands where a line can be completed: at its end, or before closing brackets."""
        if len(query.text) > self.limits.max_document_characters or "\0" in query.text[:8192]:
            return False
        rest = query.text[query.offset : line_end(query.text, query.offset)]
        return not rest.strip().strip(CLOSERS + " ")

    def cached(self, query: CompletionQuery) -> Suggestion | None:
        """Return the suggestion known already; one with an empty text says that there is none to be had."""
        if (known := self._cache.get(query.uri, query.text, query.offset)) is None:
            return None
        return self._audible(query, Suggestion(text=known[0], score=known[1], is_cached=True))

    def recalled(self, query: CompletionQuery) -> tuple[Suggestion, ...] | None:
        """Return what `candidates` found if it was asked the same just before, else None."""
        last = self._last_candidates
        return last[1] if last is not None and last[0] == query else None

    def complete(self, query: CompletionQuery, stop: Event) -> Suggestion | None:
        """Return the rest of the line at the cursor.

        Args:
            query: Document and cursor.
            stop: Set by another thread when the answer is no longer wanted.

        Returns:
            The suggestion, its text empty where silence is better; None if stopped.

        Raises:
            EngineError: If the model fails.
        """
        if not self.is_worth_asking(query):
            return Suggestion(text="", score=0.0, is_cached=False)
        if (known := self.cached(query)) is not None:
            return known
        if not self._may_speak(query):
            return Suggestion(text="", score=0.0, is_cached=False)
        is_for_block = query.may_be_block and self.limits.blocks == "auto"
        if is_for_block and is_after_opener(query.text, query.offset, query.grammar):
            block = self._block(query, stop)
            return None if block is None else self._audible(query, block)
        request = self._request(query)
        generation = self._engine.generate(request, stop)
        if generation is None or stop.is_set():
            return None
        suggestion = self._line(query, request, generation)
        if suggestion.text or not _is_out_of_time(request, generation):
            self._remember(query, suggestion)
        return self._audible(query, suggestion)

    def candidates(self, query: CompletionQuery, stop: Event) -> tuple[Suggestion, ...] | None:
        """Return what there is to choose from at the cursor, for a user who asked.

        Args:
            query: Document and cursor.
            stop: Set by another thread when the answer is no longer wanted.

        Returns:
            Suggestions with text that differ, the best first: a line known already, lines that begin differently and,
            where nothing else stands on the line, a block, which comes first in the empty body of what the line above
            opened. None if stopped.

        Raises:
            EngineError: If the model fails.
        """
        if (recalled := self.recalled(query)) is not None:
            return recalled
        if not self.is_worth_asking(query):
            return ()
        known = self.cached(query)
        request = self._request(query)
        if (generations := self._generations(request, stop)) is None:
            return None
        lines = [self._line(query, request, generation) for generation in generations]
        found = lines if known is None else [known, *lines]
        if query.may_be_block and self.limits.blocks != "never" and is_block_place(query.text, query.offset):
            if (block := self._block(query, stop)) is None:
                return None
            is_first = is_after_opener(query.text, query.offset, query.grammar)
            found = [block, *found] if is_first else [*found[:1], block, *found[1:]]
        by_text: dict[str, Suggestion] = {}
        for suggestion in found:
            if suggestion.text:
                by_text.setdefault(suggestion.text, suggestion)
        distinct = tuple(by_text.values())[: self.limits.max_candidates]
        for suggestion in reversed(distinct):
            self._remember(query, suggestion)
        self._last_candidates = (query, distinct)
        return distinct

    def prepare_next(self, query: CompletionQuery) -> None:
        """Process the prompt that the next lines will share, while nobody waits."""
        static_ids = self._windows.next_static(query.uri, query.text[: query.offset])
        if static_ids is not None:
            self._engine.prepare(static_ids)

    def forget(self, uri: str) -> None:
        """Drop prompt and tree of a document that was closed."""
        self._windows.forget(uri)
        self._trees.forget(uri)

    def _audible(self, query: CompletionQuery, suggestion: Suggestion) -> Suggestion:
        """Return the suggestion, or silence in its place where typing asked and the model is not sure enough."""
        if query.is_automatic and suggestion.text and suggestion.confidence < self.limits.min_confidence:
            return replace(suggestion, text="")
        return suggestion

    def _may_speak(self, query: CompletionQuery) -> bool:
        """Return whether the place of the cursor is one in which the settings want suggestions while typing."""
        if not query.is_automatic or (self.limits.in_comments and self.limits.in_strings):
            return True
        if (tree := self._trees.tree(query.uri, query.text, query.grammar)) is None:
            return True
        place = tree.place(query.text[: query.offset])
        return self.limits.in_comments if place == "comment" else self.limits.in_strings or place != "string"

    def _request(self, query: CompletionQuery) -> GenerationRequest:
        prompt = self._windows.prompt(query.uri, query.text[: query.offset])
        return GenerationRequest(
            static_ids=prompt.static_ids,
            tail_ids=prompt.tail_ids,
            required_prefix=prompt.required_prefix,
            end_ids=self._end_ids,
            max_new_tokens=self.limits.max_new_tokens,
            time_limit_seconds=self.limits.time_limit_seconds,
        )

    def _generations(self, request: GenerationRequest, stop: Event) -> tuple[Generation, ...] | None:
        if self.limits.max_candidates > 1:
            return self._engine.alternatives(request, self.limits.max_candidates, stop)
        generation = self._engine.generate(request, stop)
        return None if generation is None else (generation,)

    def _line(self, query: CompletionQuery, request: GenerationRequest, generation: Generation) -> Suggestion:
        text = line_to_show(
            query.text,
            query.offset,
            self._text_of(generation, request),
            is_finished=generation.is_finished,
            tree=self._trees.tree(query.uri, query.text, query.grammar),
        )
        return Suggestion(text=text, score=_mean(generation.log_probs), is_cached=False)

    def _block(self, query: CompletionQuery, stop: Event) -> Suggestion | None:
        """Return a block of lines, its text empty where silence is better; None if stopped."""
        line = query.text[line_start(query.text, query.offset) : query.offset]
        end = BlockEnd(line, self.limits.max_block_lines)
        token_bytes = self._engine.tokenizer.token_bytes
        plain = self._request(query)
        request = replace(
            plain,
            end_ids=tuple(self._engine.tokenizer.special_ids),
            max_new_tokens=self.limits.max_new_tokens * self.limits.max_block_lines,
            time_limit_seconds=_BLOCK_TIME_LIMITS * self.limits.time_limit_seconds,
            is_over=lambda token_id: end.is_reached(token_bytes[token_id].decode("utf-8", errors="replace")),
        )
        generation = self._engine.generate(request, stop)
        if generation is None or stop.is_set():
            return None
        text = block_to_show(
            query.text,
            query.offset,
            self._text_of(generation, request),
            is_finished=generation.is_finished,
            tree=self._trees.tree(query.uri, query.text, query.grammar),
        )
        suggestion = Suggestion(text=text, score=_mean(generation.log_probs), is_cached=False)
        if text:
            self._remember(query, suggestion)
        return suggestion

    def _remember(self, query: CompletionQuery, suggestion: Suggestion) -> None:
        self._cache.put(query.uri, query.text, query.offset, suggestion.text, suggestion.score)

    def _text_of(self, generation: Generation, request: GenerationRequest) -> str:
        tokenizer = self._engine.tokenizer
        generated = b"".join(tokenizer.token_bytes[token_id] for token_id in generation.ids)
        return generated[len(request.required_prefix) :].decode("utf-8", errors="replace")


def _is_out_of_time(request: GenerationRequest, generation: Generation) -> bool:
    """Return whether the time limit ended it: silence for lack of time is not worth remembering."""
    return not generation.is_finished and len(generation.ids) < request.max_new_tokens


def _mean(log_probs: Sequence[float]) -> float:
    return sum(log_probs) / max(len(log_probs), 1)
