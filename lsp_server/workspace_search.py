"""Search in one server: the folders of the workspace, the process that indexes them, and a thread that asks."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import TypeVar

from codet5p.core.errors import CodeT5pError
from codet5p.lsp_server.features.search import SearchAnswer, Searcher, SearchQuery, SimilarQuery, SymbolHit
from codet5p.lsp_server.index.background import BackgroundIndexer, IndexEvent
from codet5p.lsp_server.index.config import RankingConfig
from codet5p.lsp_server.index.encoder import EncoderPlace, LazyEncoder
from codet5p.lsp_server.index.matcher import LazyMatcher
from codet5p.lsp_server.index.reader import Counts
from codet5p.lsp_server.index.reranking import RerankConfig
from codet5p.lsp_server.index.store import index_path

__all__ = ["NO_ENCODER", "WorkspaceSearch"]

_LOGGER = logging.getLogger(__name__)
_RESCAN_SECONDS = 30.0
_MAX_SYMBOLS = 128
NO_ENCODER = "no model here can embed; search goes by keywords and rules alone"

T = TypeVar("T")


class WorkspaceSearch:
    """Owned by the loop thread. Its searcher lives on a thread of its own, which is none of pygls's.

    Changed files are announced by the editor, on saving and by its file watcher. Whatever both miss is found by a look
    at all modification times, which a search asks for, without waiting, where the last one is half a minute old.
    """

    def __init__(self, index_folder: Path, encoder: EncoderPlace | None = None) -> None:
        """Create the search of a server without folders; nothing is started.

        Args:
            index_folder: Where the indexes of all workspaces lie.
            encoder: What embeds code and queries; None for keywords and rules alone.
        """
        self._index_folder = index_folder
        self._place = encoder
        self._encoder: LazyEncoder | None = None
        self._encoder_problem: str | None = None
        self._encoder_loading: Thread | None = None
        self._matching: tuple[EncoderPlace | None, RerankConfig] = None, RerankConfig()
        self._matcher: LazyMatcher | None = None
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="codet5p-search")
        self._searcher = Searcher([], RankingConfig())
        self._roots: tuple[Path, ...] = ()
        self._unsettled: set[Path] = set()
        self._indexer: BackgroundIndexer | None = None
        self._scanned_at = 0.0
        self._forwarding: asyncio.Task[None] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there are, or were, folders to search."""
        return self._indexer is not None

    @property
    def is_paused(self) -> bool:
        """Whether indexing is paused."""
        return self._indexer is not None and self._indexer.is_paused

    @property
    def encoder_name(self) -> str | None:
        """Name and revision of the encoder once queries are embedded; None where search goes by keywords alone."""
        return self._encoder.name if self._encoder is not None else None

    @property
    def encoder_problem(self) -> str | None:
        """Why search goes by keywords alone; None while it does not, and while the encoder is loaded."""
        return self._encoder_problem if self._place is not None else NO_ENCODER

    def begin(self, roots: Iterable[Path], on_event: Callable[[IndexEvent], Awaitable[None]]) -> None:
        """Search these folders, and index them from now on.

        Args:
            roots: Folders of the workspace; a home folder or a whole disk is passed over, and the log says so.
            on_event: Called on the loop thread with what the indexing process says, one event after the other.
        """
        self._roots = tuple(dict.fromkeys(root for root in roots if _is_workspace(root)))
        folders = [(root, index_path(self._index_folder, root)) for root in self._roots]
        self._unsettled = set(self._roots)
        before, self._searcher = self._searcher, Searcher(folders, RankingConfig(), self._encoder)
        self._searcher.match_with(self._matcher, self._matching[1])
        self._executor.submit(before.close)
        if self._indexer is None:
            self._indexer = BackgroundIndexer(self._forward_to(on_event), self._place)
        self._begin_loading_encoder()
        self._indexer.watch(folders)
        self._scanned_at = time.monotonic()

    def close(self) -> None:
        """End the indexing process and forget the folders."""
        if self._indexer is not None:
            self._indexer.close()
            self._indexer = None
        if self._forwarding is not None:
            self._forwarding.cancel()
        self._executor.submit(self._searcher.close)
        self._executor.shutdown(wait=False)

    def pause(self) -> None:
        """Stop indexing until `resume`; searches go on with what there is."""
        if self._indexer is not None:
            self._indexer.pause()

    def resume(self) -> None:
        """Go on indexing."""
        if self._indexer is not None:
            self._indexer.resume()

    def files_changed(self, files: Iterable[Path]) -> None:
        """Have the index look at files that were saved, created or deleted; an ignore file concerns all others."""
        for root in self._roots:
            paths = [file.relative_to(root).as_posix() for file in files if file.is_relative_to(root)]
            if paths and self._indexer is not None:
                has_rules = any(path.rsplit("/", 1)[-1] in (".gitignore", ".codet5pignore") for path in paths)
                self._indexer.update(root, None if has_rules else paths)

    async def search(self, query: SearchQuery, *, is_quick: bool = False) -> SearchAnswer:
        """Return hits from what is indexed by now; `pending` is at least 1 until every folder was looked through."""
        searcher = self._searcher
        return await self._answer(lambda: searcher.search(query, is_quick=is_quick))

    async def similar(self, query: SimilarQuery) -> SearchAnswer:
        """Return the code most like that at a line, from what is indexed by now."""
        searcher = self._searcher
        return await self._answer(lambda: searcher.similar(query))

    async def symbols(self, text: str) -> list[SymbolHit]:
        """Return definitions by name."""
        searcher = self._searcher
        return await self._ask(lambda: searcher.symbols(text, _MAX_SYMBOLS))

    async def counts(self) -> Counts:
        """Return how much is indexed."""
        searcher = self._searcher
        counts = await self._ask(searcher.counts)
        return counts._replace(pending=self._honest(counts.pending))

    def match_with(self, place: EncoderPlace | None, config: RerankConfig) -> None:
        """Have the matching head of an artifact judge the best hits, or none; one that cannot is named in the log."""
        if (place, config) == self._matching:
            return
        self._matching = place, config
        self._matcher = None
        if place is not None:
            try:
                self._matcher = LazyMatcher(place, num_threads=1)
            except CodeT5pError as error:
                _LOGGER.warning("%s", error)
        self._executor.submit(self._searcher.match_with, self._matcher, config)

    def _begin_loading_encoder(self) -> None:
        """Load the encoder on a thread of its own; searches before it is there go by keywords."""
        if self._place is None or self._encoder_loading is not None:
            return
        place, loop = self._place, asyncio.get_running_loop()

        def load() -> None:
            encoder: LazyEncoder | None = None
            problem = None
            try:
                encoder = LazyEncoder(place, num_threads=1)
                encoder.load()
            except CodeT5pError as error:
                encoder, problem = None, str(error)
            with contextlib.suppress(RuntimeError):  # the loop was closed: the editor has left
                loop.call_soon_threadsafe(self._use_encoder, encoder, problem)

        self._encoder_loading = Thread(target=load, name="codet5p-encoder", daemon=True)
        self._encoder_loading.start()

    def _use_encoder(self, encoder: LazyEncoder | None, problem: str | None) -> None:
        self._encoder, self._encoder_problem = encoder, problem
        if problem is not None:
            _LOGGER.error("%s; search goes by keywords alone", problem)
        with contextlib.suppress(RuntimeError):  # closed meanwhile
            self._executor.submit(self._searcher.use, encoder)

    def _honest(self, pending: int) -> int:
        return max(pending, len(self._unsettled))

    async def _answer(self, question: Callable[[], SearchAnswer]) -> SearchAnswer:
        self._rescan_if_old()
        answer = await self._ask(question)
        return replace(answer, pending=self._honest(answer.pending))

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, question)

    def _rescan_if_old(self) -> None:
        if self._indexer is None or time.monotonic() - self._scanned_at < _RESCAN_SECONDS:
            return
        self._scanned_at = time.monotonic()
        for root in self._roots:
            self._indexer.update(root)

    def _forward_to(self, on_event: Callable[[IndexEvent], Awaitable[None]]) -> Callable[[IndexEvent], None]:
        """Return what may be called on any thread, and has events handled on this loop in their order."""
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[IndexEvent] = asyncio.Queue()

        async def handle() -> None:
            while True:
                event = await events.get()
                if event.root in self._roots:
                    if event.state != "indexing":
                        self._unsettled.discard(event.root)
                    await on_event(event)

        def receive(event: IndexEvent) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed: the editor has left
                loop.call_soon_threadsafe(events.put_nowait, event)

        self._forwarding = loop.create_task(handle())
        return receive


def _is_workspace(root: Path) -> bool:
    """Tell whether a folder is fit to be indexed as a whole."""
    is_fit = root != Path(root.anchor) and root != Path.home()
    if not is_fit:
        _LOGGER.warning("%s is not indexed: open a project's folder instead", root)
    return is_fit
