"""The process that indexes, so that neither typing nor searching ever waits for it: `python -m` this module.

It runs at low priority, reads one JSON object a line from its standard input and writes one a line to its output:

    {"do": "watch", "folders": [[root, database], ...]}      replaces the folders; each is brought up to date
    {"do": "update", "root": root, "paths": [...] | null}    these files, or all
    {"do": "pause"}  {"do": "resume"}
    -> {"root": root, "state": "indexing" | "ready" | "waiting" | "failed", "done": n, "total": n, "message": "..."}

It ends when its input does, so it never outlives the server. It may be killed at any time: changes are transactions.
`waiting` means that another process, such as that of another editor window, keeps the index up to date; should that one
end, this one takes over.
"""

import json
import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any, TextIO

import psutil

from codet5p.core.errors import SearchIndexError
from codet5p.lsp_server.index.config import IndexConfig
from codet5p.lsp_server.index.indexer import update_index
from codet5p.lsp_server.index.store import IndexWriter

__all__ = ["Worker", "main"]

_LOGGER = logging.getLogger(__name__)
_TAKE_OVER_SECONDS = 5.0
_NICENESS = 15


@dataclass(slots=True)
class _Folder:
    root: Path
    database: Path
    paths: set[str] | None
    """Files to look at; all where None."""
    is_due: bool = True
    writer: IndexWriter | None = None


class Worker:
    """Brings folders up to date one after the other, as told by lines of JSON."""

    def __init__(self, output: TextIO, config: IndexConfig) -> None:
        self._output = output
        self._config = config
        self._folders: dict[str, _Folder] = {}
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
                    self._changed.notify()
            except (ValueError, KeyError, TypeError) as error:
                _LOGGER.warning("not an order: %s", error)
        with self._changed:
            self._is_over = True
            self._stop.set()
            self._changed.notify()

    def run(self) -> None:
        """Work until the orders end."""
        while (folder := self._next()) is not None:
            try:
                self._bring_up_to_date(folder)
            except SearchIndexError as error:
                self._report(folder, "failed", message=str(error))
                self._start_anew(folder)
        for folder in self._folders.values():
            if folder.writer is not None:
                folder.writer.close()

    def _obey(self, order: dict[str, Any]) -> None:
        match order["do"]:
            case "watch":
                wanted = dict(order["folders"])
                for root in set(self._folders) - set(wanted):
                    self._stop.set()
                    if (writer := self._folders.pop(root).writer) is not None:
                        writer.close()
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

    def _next(self) -> _Folder | None:
        """Wait for a folder with work to do; None once the orders have ended."""
        with self._changed:
            while not self._is_over:
                due = [folder for folder in self._folders.values() if folder.is_due]
                if due and not self._is_paused:
                    self._stop.clear()
                    return due[0]
                is_second = any(folder.writer is None for folder in self._folders.values())
                if not self._changed.wait(_TAKE_OVER_SECONDS if is_second and not self._is_paused else None):
                    for folder in self._folders.values():
                        folder.is_due = folder.is_due or folder.writer is None
            return None

    def _bring_up_to_date(self, folder: _Folder) -> None:
        with self._changed:
            folder.is_due = False
            paths, folder.paths = (None, set()) if folder.paths is None else (frozenset(folder.paths), set())
        if folder.writer is None:
            folder.writer = IndexWriter.open(folder.database, is_check_wanted=True)
            paths = None
        if folder.writer is None:
            self._report(folder, "waiting")
            return
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
            self._report(folder, "ready")

    def _start_anew(self, folder: _Folder) -> None:
        """After a failure, let go of the index; the next order for the folder opens it again, and checks it."""
        if folder.writer is not None:
            folder.writer.close()
        folder.writer = None
        folder.paths = None

    def _report(self, folder: _Folder, state: str, *, done: int = 0, total: int = 0, message: str = "") -> None:
        event = {"root": str(folder.root), "state": state, "done": done, "total": total, "message": message}
        self._output.write(json.dumps(event) + "\n")
        self._output.flush()


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
