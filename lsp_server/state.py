"""All that one server holds: documents, settings, statistics, and the engine once it is loaded."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from codet5p.core.errors import ArtifactError, CodeT5pError
from codet5p.lsp_server.documents import DocumentStore
from codet5p.lsp_server.engine.loading import LoadedEngine, load_sequence_engine
from codet5p.lsp_server.engine.scheduler import Scheduler
from codet5p.lsp_server.features.completion import Completer, CompletionLimits
from codet5p.lsp_server.features.docstring.model_writer import ModelWriter, RememberingWriter
from codet5p.lsp_server.features.next_line import NextLine
from codet5p.lsp_server.features.pace import TypingPace
from codet5p.lsp_server.index.encoder import EncoderPlace, find_encoder
from codet5p.lsp_server.index.reranking import RerankConfig
from codet5p.lsp_server.index.store import default_index_folder
from codet5p.lsp_server.settings import Settings
from codet5p.lsp_server.statistics import Statistics
from codet5p.lsp_server.workspace_search import WorkspaceSearch

__all__ = ["Assistant", "ServerState", "completer_for"]

_START_TOKEN = "<|endoftext|>"  # noqa: S105 - a token of the vocabulary


@dataclass(frozen=True, kw_only=True, slots=True)
class Assistant:
    """The loaded engine with the features that run on it.

    Attributes:
        loaded: Engine and manifest.
        completer: Inline completion.
    """

    loaded: LoadedEngine
    completer: Completer


class ServerState:
    """Owned by the loop thread; what leaves it for the worker is immutable or belongs to the worker alone."""

    def __init__(
        self, *, artifact: Path, cache: Path, num_threads: int | None = None, index_folder: Path | None = None
    ) -> None:
        """Create the state of a server that has not loaded its model yet.

        Args:
            artifact: Folder of the artifact to load.
            cache: Folder for assembled models.
            num_threads: Threads of one computation; measured where None.
            index_folder: Folder for the indexes of all workspaces; in the user's cache where None.
        """
        self.artifact = artifact
        self.cache = cache
        self.num_threads = num_threads
        self.documents = DocumentStore()
        self.settings = Settings()
        self.statistics = Statistics()
        self.pace = TypingPace()
        self.snoozed_until = 0.0
        self.scheduler = Scheduler()
        self.search = WorkspaceSearch(index_folder or default_index_folder(), find_encoder(artifact, cache))
        self.docstring_writer: RememberingWriter | None = None
        self.reported_problems: set[str] = set()
        self.next_line: NextLine | None = None
        self.pending_chore: asyncio.TimerHandle | None = None
        self.pending_preparation: asyncio.Task[None] | None = None
        self.last_error: str | None = None
        self._assistant: asyncio.Future[Assistant | None] | None = None

    @property
    def is_loading(self) -> bool:
        """Whether the model is on its way."""
        return self._assistant is None or not self._assistant.done()

    @property
    def loaded_assistant(self) -> Assistant | None:
        """The assistant if it is there by now."""
        return None if self._assistant is None or not self._assistant.done() else self._assistant.result()

    def begin_loading(self) -> None:
        """Announce that the model will come; requests wait for it from now on."""
        if self._assistant is None:
            self._assistant = asyncio.get_running_loop().create_future()

    def finish_loading(self, loaded: LoadedEngine | CodeT5pError) -> None:
        """Hand over the engine, or the reason why there is none."""
        self.begin_loading()
        assert self._assistant is not None
        try:
            if isinstance(loaded, CodeT5pError):
                raise loaded
            assistant = Assistant(loaded=loaded, completer=completer_for(loaded, self.limits()))
        except CodeT5pError as error:
            self.last_error = str(error)
            self._assistant.set_result(None)
        else:
            self.last_error = None
            self.docstring_writer = self._writer_for(assistant.loaded)
            self._assistant.set_result(assistant)

    @property
    def snoozed_seconds(self) -> float:
        """For how long completion while typing still sleeps."""
        return max(self.snoozed_until - time.monotonic(), 0.0)

    def snooze(self, seconds: float) -> None:
        """Let completion while typing sleep for `seconds` from now; 0 wakes it."""
        self.snoozed_until = time.monotonic() + seconds

    async def assistant(self) -> Assistant | None:
        """Return the assistant as soon as it is loaded, or None if it cannot be."""
        self.begin_loading()
        assert self._assistant is not None
        return await asyncio.shield(self._assistant)

    def apply(self, settings: Settings) -> None:
        """Use `settings` from the next request on."""
        self.settings = settings
        budget = RerankConfig(budget_seconds=settings.search.rerank_milliseconds / 1000)
        self.search.match_with(EncoderPlace(self.artifact, self.cache) if settings.search.rerank else None, budget)
        if (assistant := self.loaded_assistant) is not None:
            assistant.completer.limits = self.limits()

    def _writer_for(self, loaded: LoadedEngine) -> RememberingWriter | None:
        """Return the writer of docstrings if the artifact has a model for them, which is loaded once it is needed."""
        if "generate" not in loaded.manifest.modes:
            return None
        artifact, cache, threads = self.artifact, self.cache, loaded.num_threads
        return RememberingWriter(ModelWriter(lambda: load_sequence_engine(artifact, cache, num_threads=threads)))

    @property
    def active_writer(self) -> RememberingWriter | None:
        """The writer of docstrings, unless the settings say that none is wanted."""
        return self.docstring_writer if self.settings.docstring.generate else None

    def limits(self) -> CompletionLimits:
        """Return the bounds on a completion that the settings ask for."""
        completion = self.settings.completion
        return CompletionLimits(
            max_new_tokens=completion.max_new_tokens,
            time_limit_seconds=completion.time_limit_milliseconds / 1000,
            in_comments=completion.in_comments,
            in_strings=completion.in_strings,
            min_confidence=completion.min_confidence,
            blocks=completion.blocks,
            max_block_lines=completion.max_block_lines,
            max_candidates=completion.max_candidates,
        )


def completer_for(loaded: LoadedEngine, limits: CompletionLimits | None = None) -> Completer:
    """Return a completer on the loaded engine.

    Args:
        loaded: The engine.
        limits: Bounds on each completion; the defaults where None.

    Returns:
        The completer, which remembers nothing yet.

    Raises:
        ArtifactError: If the tokenizer has no token that stands for the start of a file.
    """
    try:
        start_id = loaded.engine.tokenizer.token_id(_START_TOKEN)
    except ValueError as error:
        raise ArtifactError(f"the artifact's tokenizer cannot be used: {error}; see codet5p doctor") from None
    return Completer(loaded.engine, limits or CompletionLimits(), start_id=start_id)
