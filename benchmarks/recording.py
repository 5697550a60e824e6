"""The released model behind an engine that keeps what it generated last, for measurements of single completions."""

from dataclasses import replace
from threading import Event
from typing import Any

from codet5p.cli.places import artifact_or_released, cache_or_default
from codet5p.core.tokenizer import Tokenizer
from codet5p.lsp_server.engine.loading import load_engine
from codet5p.lsp_server.engine.protocol import Engine, Generation, GenerationRequest
from codet5p.lsp_server.features.completion import Completer, CompletionLimits
from codet5p.lsp_server.state import completer_for

__all__ = ["RecordingEngine", "load_recording"]

_PATIENCE_SECONDS = 60.0


class RecordingEngine:
    """An `Engine` around another one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.last: Generation | None = None

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        return self._engine.tokenizer

    def generate(self, request: GenerationRequest, stop: Event) -> Generation | None:
        """Return what the engine generates, and keep it."""
        self.last = self._engine.generate(request, stop)
        return self.last

    def alternatives(self, request: GenerationRequest, count: int, stop: Event) -> tuple[Generation, ...] | None:
        """Return the engine's alternatives."""
        return self._engine.alternatives(request, count, stop)

    def prepare(self, static_ids: tuple[int, ...]) -> None:
        """Process the shared start of coming prompts ahead of time."""
        self._engine.prepare(static_ids)

    def is_prepared(self, static_ids: tuple[int, ...]) -> bool:
        """Return whether a request with these `static_ids` finds them processed."""
        return self._engine.is_prepared(static_ids)


def load_recording(**limits: Any) -> tuple[Completer, RecordingEngine, dict[str, Any]]:
    """Return a completer on the released model, its engine, and what to call the model in a result.

    Args:
        limits: Bounds that differ from the defaults; the time limit is a minute, so that load does not matter.

    Returns:
        The completer, the engine, and name and revision.

    Raises:
        CodeT5pError: If there is no model that completes.
    """
    loaded = load_engine(artifact_or_released(None), cache_or_default(None), num_threads=1)
    engine = RecordingEngine(loaded.engine)
    bounds = CompletionLimits(**{"time_limit_seconds": _PATIENCE_SECONDS, "min_confidence": 0.0} | limits)
    return (
        completer_for(replace(loaded, engine=engine), bounds),
        engine,
        {"name": loaded.manifest.name, "revision": loaded.manifest.revision},
    )
