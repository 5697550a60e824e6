"""The process that indexes, so that neither typing nor searching ever waits for it: `python -m` this module.

It runs at low priority, reads one JSON object a line from its standard input and writes one a line to its output:

    {"do": "watch", "folders": [[root, database], ...], "encoder": [artifact, cache] | null}
                                                             replaces the folders; each is brought up to date
    {"do": "update", "root": root, "paths": [...] | null}    these files, or all
    {"do": "pause"}  {"do": "resume"}
    -> {"root": root, "state": "indexing" | "ready" | "embedding" | "embedded" | "waiting" | "failed",
        "done": n, "total": n, "message": "..."}

A folder is `ready` once it can be searched by keywords; then, with an encoder, what has no vector yet is embedded. New
orders come before that: an edit never waits for vectors.

It ends when its input does, so it never outlives the server. It may be killed at any time: changes are transactions.
`waiting` means that another process, such as that of another editor window, keeps the index up to date; should that one
end or be paused, this one takes over.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any, TextIO

import psutil

from codet5p.core.errors import CodeT5pError, SearchIndexError
from codet5p.lsp_server.index.config import IndexConfig
from codet5p.lsp_server.index.embedding import Embedder, embed_pending
from codet5p.lsp_server.index.encoder import EncoderPlace, LazyEncoder
from codet5p.lsp_server.index.indexer import update_index
from codet5p.lsp_server.index.store import IndexWriter

__all__ = ["Worker", "main"]

_LOGGER = logging.getLogger(__name__)
_TAKE_OVER_SECONDS = 5.0
_NICENESS = 15
_ENCODER_THREADS = 0  # as many as the runtime sees fit: the low priority keeps them out of the way


@dataclass(slots=True)
class _Folder:
    root: Path
    database: Path
    paths: set[str] | None
    """Files to look at; all where None."""
    is_due: bool = True
    has_new_code: bool = False
    """Whether chunks may be without a vector."""
    is_waiting: bool = False
    """Whether it was reported that another process writes the index."""
    writer: IndexWriter | None = None


class Worker:
    """Brings folders up to date one after the other, as told by lines of JSON."""

    def __init__(
        self,
        output: TextIO,
        config: IndexConfig,
        open_encoder: Callable[[EncoderPlace], Embedder] | None = None,
    ) -> None:
        self._output = output
        self._config = config
        self._open_encoder = open_encoder or _lazy_encoder
        self._place: EncoderPlace | None = None
        self._encoder: Embedder | None = None
        self._interrupt = Event()
        """Set by every order, so that embedding makes room for it."""
        self._folders: dict[str, _Folder] = {}
        self._left: list[_Folder] = []
        """No longer watched; their indexes are still to be let go of, by the thread that writes them."""
        self._changed = Condition()
        self._stop = Event()
        self._is_paused = False
        self._is_over = False

    def listen(self, lines: Iterable[str]) -> None:
        """Obey each line until there are no more; called on a thread of its own."""
        for line in lines:
            try:
                order = json.loads(line)
                with self._changed:
                    self._obey(order)
                    self._interrupt.set()
                    self._changed.notify()
            except (ValueError, KeyError, TypeError) as error:
                _LOGGER.warning("not an order: %s", error)
        with self._changed:
            self._is_over = True
            self._stop.set()
            self._interrupt.set()
            self._changed.notify()

    def run(self) -> None:
        """Work until the orders end."""
        while (folder := self._next()) is not None:
            try:
                if folder.is_due:
                    self._bring_up_to_date(folder)
                else:
                    self._embed(folder)
            except SearchIndexError as error:
                self._report(folder, "failed", message=str(error))
                self._start_anew(folder)
        self._let_go([*self._left, *self._folders.values()])

    def _obey(self, order: dict[str, Any]) -> None:
        match order["do"]:
            case "watch":
                wanted = dict(order["folders"])
                self._use_encoder(order.get("encoder"))
                for root in set(self._folders) - set(wanted):
                    self._stop.set()
                    self._left.append(self._folders.pop(root))
                for root, database in wanted.items():
                    self._folders.setdefault(root, _Folder(Path(root), Path(database), None))
            case "update":
                if (folder := self._folders.get(order["root"])) is not None:
                    _add_paths(folder, order["paths"])
            case "pause":
                self._is_paused = True
                self._stop.set()
            case "resume":
                self._is_paused = False
            case unknown:
                raise ValueError(f"unknown order {unknown!r}")

    def _use_encoder(self, place: list[str] | None) -> None:
        wanted = EncoderPlace(Path(place[0]), Path(place[1])) if place is not None else None
        if wanted != self._place:
            self._place, self._encoder = wanted, None

    def _next(self) -> _Folder | None:
        """Wait for a folder with work to do, keywords of all before vectors of any; None once the orders have ended."""
        with self._changed:
            while not self._is_over:
                self._let_go(self._left)
                self._left.clear()
                if self._is_paused:  # or another window would wait for as long as this one is paused
                    self._let_go(self._folders.values())
                due = [folder for folder in self._folders.values() if folder.is_due]
                if not due and self._place is not None:
                    due = [folder for folder in self._folders.values() if folder.has_new_code]
                if due and not self._is_paused:
                    self._stop.clear()
                    self._interrupt.clear()
                    return due[0]
                is_second = any(folder.writer is None for folder in self._folders.values())
                if not self._changed.wait(_TAKE_OVER_SECONDS if is_second and not self._is_paused else None):
                    for folder in self._folders.values():
                        folder.is_due = folder.is_due or folder.writer is None
            return None

    def _let_go(self, folders: Iterable[_Folder]) -> None:
        """Leave these indexes to other processes; one that is still watched is opened and looked through again."""
        for folder in folders:
            if folder.writer is not None:
                folder.writer.close()
                folder.writer = None
                _add_paths(folder, None)

    def _bring_up_to_date(self, folder: _Folder) -> None:
        with self._changed:
            folder.is_due = False
            paths, folder.paths = (None, set()) if folder.paths is None else (frozenset(folder.paths), set())
        if folder.writer is None:
            folder.writer = IndexWriter.open(folder.database, is_check_wanted=True)
            paths = None
        if folder.writer is None:
            if not folder.is_waiting:
                self._report(folder, "waiting")
            folder.is_waiting = True
            return
        folder.is_waiting = False
        changes = update_index(
            folder.writer,
            folder.root,
            self._config,
            self._stop,
            lambda done, total: self._report(folder, "indexing", done=done, total=total),
            paths=paths,
        )
        if changes.remaining:
            with self._changed:
                _add_paths(folder, None)
        else:
            folder.has_new_code = True
            self._report(folder, "ready")

    def _embed(self, folder: _Folder) -> None:
        """Embed what has no vector yet, up to the next order; without a working encoder keywords have to do."""
        if folder.writer is None or self._place is None:
            folder.has_new_code = False
            return
        try:
            if self._encoder is None:
                self._encoder = self._open_encoder(self._place)
            embed_pending(
                folder.writer,
                self._encoder,
                self._interrupt,
                lambda done, total: self._report(folder, "embedding", done=done, total=total),
            )
        except SearchIndexError:
            raise
        except CodeT5pError as error:
            self._report(folder, "failed", message=f"{error}; search goes by keywords alone")
            self._place = None
        if not self._interrupt.is_set():
            folder.has_new_code = False
            self._report(folder, "embedded")

    def _start_anew(self, folder: _Folder) -> None:
        """After a failure, let go of the index; the next order for the folder opens it again, and checks it."""
        if folder.writer is not None:
            folder.writer.close()
        folder.writer = None
        folder.paths = None
        folder.has_new_code = False

    def _report(self, folder: _Folder, state: str, *, done: int = 0, total: int = 0, message: str = "") -> None:
        event = {"root": str(folder.root), "state": state, "done": done, "total": total, "message": message}
        self._output.write(json.dumps(event) + "\n")
        self._output.flush()


def _lazy_encoder(place: EncoderPlace) -> Embedder:
    return LazyEncoder(place, num_threads=_ENCODER_THREADS)


def _add_paths(folder: _Folder, paths: list[str] | None) -> None:
    folder.is_due = True
    folder.paths = None if paths is None or folder.paths is None else folder.paths | set(paths)


def main() -> None:
    """Work for the process that holds the other ends of standard input and output."""
    logging.basicConfig(level="WARNING", stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    below_normal = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", _NICENESS)  # Windows has classes of its own
    psutil.Process().nice(below_normal)
    worker = Worker(sys.stdout, IndexConfig())
    Thread(target=worker.listen, args=(sys.stdin,), name="orders", daemon=True).start()
    try:
        worker.run()
    except BrokenPipeError:
        os._exit(0)  # the server is gone; flushing its pipe at exit would only fail again


if __name__ == "__main__":
    main()
