"""Sentences by the encoder-decoder model, and a memory for them."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from threading import Event, Lock

from codet5p.core.special_tokens import TDEC
from codet5p.lsp_server.engine.sequence_engine import SearchOptions, SequenceEngine
from codet5p.lsp_server.features.docstring.sentence import shown_sentence
from codet5p.lsp_server.features.docstring.writer import DocstringWriter, Subject

__all__ = ["ModelWriter", "RememberingWriter"]

_OPTIONS = SearchOptions(max_source_tokens=256, max_new_tokens=40, time_limit_seconds=0.8)
_MOST_SENTENCES = 1000


class ModelWriter:
    """Asks the encoder-decoder for text about code; the model is loaded at the first question."""

    def __init__(self, load: Callable[[], SequenceEngine]) -> None:
        """Create the writer.

        Args:
            load: Loads the engine; called once, on the worker.
        """
        self._load = load
        self._engine: SequenceEngine | None = None

    def summarize(self, subject: Subject, stop: Event) -> str | None:
        """Return the model's first sentence, or None if it is none that can be shown.

        Args:
            subject: The function.
            stop: Set when the sentence is no longer wanted.

        Returns:
            The sentence.

        Raises:
            ArtifactError: If the model's files are damaged.
            EngineError: If the runtime refuses.
        """
        if stop.is_set():
            return None
        if self._engine is None:
            self._engine = self._load()
        written = self._engine.generate(subject.source, TDEC, _OPTIONS, stop)
        if written is None:
            return None
        return shown_sentence(written.text, subject.source, is_finished=written.is_finished) or None


class RememberingWriter:
    """A writer that is asked once about the same code; safe to look into from another thread than the worker."""

    def __init__(self, writer: DocstringWriter, *, most_sentences: int = _MOST_SENTENCES) -> None:
        """Create the memory.

        Args:
            writer: Who is asked.
            most_sentences: How many answers are kept, the latest used; an answer may be that there is none.
        """
        self._writer = writer
        self._most_sentences = most_sentences
        self._sentences: OrderedDict[bytes, str | None] = OrderedDict()
        self._lock = Lock()

    def knows(self, subject: Subject) -> bool:
        """Return whether the answer about `subject` is there already."""
        with self._lock:
            return _key(subject) in self._sentences

    def summarize(self, subject: Subject, stop: Event) -> str | None:
        """Return the sentence about `subject`, from memory where it is known.

        Args:
            subject: The function.
            stop: Set when the sentence is no longer wanted; an answer after that is not kept.

        Returns:
            The sentence, or None.
        """
        key = _key(subject)
        with self._lock:
            if key in self._sentences:
                self._sentences.move_to_end(key)
                return self._sentences[key]
        sentence = self._writer.summarize(subject, stop)
        if not stop.is_set():
            with self._lock:
                self._sentences[key] = sentence
                if len(self._sentences) > self._most_sentences:
                    self._sentences.popitem(last=False)
        return sentence


def _key(subject: Subject) -> bytes:
    content = f"{subject.language}\0{subject.name_says}\0{subject.source}"
    return hashlib.sha256(content.encode("utf-8", "replace")).digest()
