"""Inline completion: the rest of the line at the cursor. Plain data in, plain data out."""

from dataclasses import dataclass
from threading import Event

from codet5p.lsp_server.engine.protocol import Engine, Generation, GenerationRequest
from codet5p.lsp_server.features.filters import CLOSERS
from codet5p.lsp_server.features.prompt import PromptWindows
from codet5p.lsp_server.features.surroundings import line_end
from codet5p.lsp_server.features.syntax import SyntaxTrees
from codet5p.lsp_server.features.trimming import line_to_show
from codet5p.lsp_server.features.type_through import TypeThroughCache

__all__ = ["Completer", "CompletionLimits", "CompletionQuery", "Suggestion"]


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
    """

    max_static_tokens: int = 384
    max_tail_tokens: int = 64
    max_new_tokens: int = 24
    time_limit_seconds: float = 1.0
    max_document_characters: int = 2_000_000
    in_comments: bool = True
    in_strings: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletionQuery:
    """What is to be completed.

    Attributes:
        uri: The document, as the key of what is remembered about it.
        text: Its content.
        offset: The cursor, in Python characters.
        grammar: Name of the grammar that reads it, where there is one.
        is_automatic: Whether typing asked, and not the user.
    """

    uri: str
    text: str
    offset: int
    grammar: str | None = None
    is_automatic: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """Text to insert at the cursor.

    Attributes:
        text: The rest of the line.
        score: Mean log-probability of its tokens, 0 at best.
        is_cached: Whether it was known before it was asked for.
    """

    text: str
    score: float
    is_cached: bool


class Completer:
    """Completes documents with one engine, remembering prompts and suggestions between requests.

    `cached` may be called from the loop's thread; `complete` and `prepare_next` belong to the engine's.
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
        return Suggestion(text=known[0], score=known[1], is_cached=True)

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
        prompt = self._windows.prompt(query.uri, query.text[: query.offset])
        request = GenerationRequest(
            static_ids=prompt.static_ids,
            tail_ids=prompt.tail_ids,
            required_prefix=prompt.required_prefix,
            end_ids=self._end_ids,
            max_new_tokens=self.limits.max_new_tokens,
            time_limit_seconds=self.limits.time_limit_seconds,
        )
        generation = self._engine.generate(request, stop)
        if generation is None or stop.is_set():
            return None
        text = line_to_show(
            query.text,
            query.offset,
            self._text_of(generation, prompt.required_prefix),
            is_finished=generation.is_finished,
            tree=self._trees.tree(query.uri, query.text, query.grammar),
        )
        score = sum(generation.log_probs) / max(len(generation.log_probs), 1)
        is_out_of_time = not generation.is_finished and len(generation.ids) < self.limits.max_new_tokens
        if text or not is_out_of_time:  # silence for lack of time is not worth remembering
            self._cache.put(query.uri, query.text, query.offset, text, score)
        return Suggestion(text=text, score=score, is_cached=False)

    def prepare_next(self, query: CompletionQuery) -> None:
        """Process the prompt that the next lines will share, while nobody waits."""
        static_ids = self._windows.next_static(query.uri, query.text[: query.offset])
        if static_ids is not None:
            self._engine.prepare(static_ids)

    def forget(self, uri: str) -> None:
        """Drop prompt and tree of a document that was closed."""
        self._windows.forget(uri)
        self._trees.forget(uri)

    def _may_speak(self, query: CompletionQuery) -> bool:
        """Return whether the place of the cursor is one in which the settings want suggestions while typing."""
        if not query.is_automatic or (self.limits.in_comments and self.limits.in_strings):
            return True
        if (tree := self._trees.tree(query.uri, query.text, query.grammar)) is None:
            return True
        place = tree.place(query.text[: query.offset])
        return self.limits.in_comments if place == "comment" else self.limits.in_strings or place != "string"

    def _text_of(self, generation: Generation, required_prefix: bytes) -> str:
        tokenizer = self._engine.tokenizer
        generated = b"".join(tokenizer.token_bytes[token_id] for token_id in generation.ids)
        return generated[len(required_prefix) :].decode("utf-8", errors="replace")
