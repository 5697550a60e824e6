"""The server's end of the indexing process: started when there is something to index, restarted if it dies."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Literal, NamedTuple

from codet5p.lsp_server.index.encoder import EncoderPlace

__all__ = ["BackgroundIndexer", "IndexEvent"]

_LOGGER = logging.getLogger(__name__)
_MAX_RESTARTS = 3
_END_SECONDS = 2.0


class IndexEvent(NamedTuple):
    """What the indexing process says of one folder."""

    root: Path
    state: Literal["indexing", "ready", "embedding", "embedded", "waiting", "failed"]
    done: int
    total: int
    message: str


class BackgroundIndexer:
    """Hands orders to the indexing process. Every method returns at once; events arrive on a thread of their own."""

    def __init__(self, on_event: Callable[[IndexEvent], None], encoder: EncoderPlace | None = None) -> None:
        self._on_event = on_event
        self._encoder = None if encoder is None else [str(path) for path in encoder]
        self._folders: list[tuple[str, str]] = []
        self._process: subprocess.Popen[str] | None = None
        self._is_paused = False
        self._is_closed = False
        self._num_restarts = 0
        self._lock = Lock()

    @property
    def process_id(self) -> int | None:
        """Of the indexing process, if it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def is_paused(self) -> bool:
        """Whether it was told to pause."""
        return self._is_paused

    def watch(self, folders: Sequence[tuple[Path, Path]]) -> None:
        """Index these folders, given as root and database, and no others; each is brought up to date."""
        self._folders = [(str(root), str(database)) for root, database in folders]
        with self._lock:
            if self._process is None and self._folders:
                self._start()
            elif self._process is not None:
                self._watch()

    def update(self, root: Path, paths: Sequence[str] | None = None) -> None:
        """Look at these files of a folder, relative to it; at all where None."""
        self._order({"do": "update", "root": str(root), "paths": None if paths is None else list(paths)})

    def pause(self) -> None:
        """Stop soon, and keep what was done."""
        self._is_paused = True
        self._order({"do": "pause"})

    def resume(self) -> None:
        """Go on."""
        self._is_paused = False
        self._order({"do": "resume"})

    def close(self) -> None:
        """End the process; a transaction it is in the middle of is undone."""
        with self._lock:
            self._is_closed = True
            process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        try:
            process.stdin.close()
            process.wait(_END_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()

    def _order(self, order: dict[str, Any]) -> None:
        with self._lock:
            self._send(order)

    def _start(self) -> None:
        # -P keeps the working folder, which may hold anything, out of the module path.
        command = [sys.executable, "-P", "-m", "codet5p.lsp_server.index.worker"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
        )
        Thread(target=self._listen, args=(self._process,), name="codet5p-index-events", daemon=True).start()
        self._watch()
        if self._is_paused:
            self._send({"do": "pause"})

    def _watch(self) -> None:
        self._send({"do": "watch", "folders": self._folders, "encoder": self._encoder})

    def _send(self, order: dict[str, Any]) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            _LOGGER.info("the indexing process is gone")  # its listener starts another

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                event = json.loads(line)
                self._on_event(IndexEvent(Path(event.pop("root")), **event))
        status = process.wait()
        with self._lock:
            if self._is_closed or self._process is not process:
                return
            self._process = None
            self._num_restarts += 1
            if self._num_restarts <= _MAX_RESTARTS:
                _LOGGER.warning("the indexing process ended with status %d; it is started again", status)
                self._start()
                return
        for root, _ in self._folders:
            message = "indexing has failed too often and is off; run codet5p index to see why"
            self._on_event(IndexEvent(Path(root), "failed", 0, 0, message))
