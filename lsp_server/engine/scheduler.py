"""One worker for the model: requests before chores and background work, the newest request of a document first.

The worker is a thread of its own. It is never one of pygls's pool, through which the server reads its input.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock
from typing import Any, TypeVar

__all__ = ["Scheduler"]

T = TypeVar("T")


class Scheduler:
    """Runs jobs on one worker thread; made and used on the loop thread."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="codet5p-engine")
        self._newest: dict[str, Event] = {}
        self._waiting = 0
        self._lock = Lock()
        self._chore: Future[None] | None = None
        self._background: Event | None = None
        self._is_closed = False

    async def run(self, key: str, job: Callable[[Event], T], *, delay_seconds: float = 0.0) -> T | None:
        """Return the job's result, or None if a newer job with the same key took its place or the scheduler is closed.

        Args:
            key: What the job is about, such as a document; a newer job stops an older one with the same key.
            job: Called on the worker with an event that is set as soon as its result is no longer wanted.
            delay_seconds: Time in which a newer job may come before this one begins.

        Returns:
            The result.

        Raises:
            asyncio.CancelledError: If the awaiting task is cancelled; the job is told to stop, nobody waits for it.
        """
        stop = Event()
        if (older := self._newest.get(key)) is not None:
            older.set()
        self._newest[key] = stop
        self._stop_background()
        try:
            if delay_seconds > 0:
                await asyncio.sleep(delay_seconds)
            if stop.is_set() or self._is_closed:
                return None
            return await asyncio.wrap_future(self._submit(job, stop))
        except asyncio.CancelledError:
            stop.set()
            if self._is_closed and not _is_being_cancelled():
                return None  # closing dropped the job, nobody cancelled the one who waits
            raise
        finally:
            if self._newest.get(key) is stop:
                del self._newest[key]

    async def run_in_background(self, job: Callable[[Event], T]) -> T | None:
        """Return the job's result, or None if a request came or was there already: it takes no time from any.

        Args:
            job: As in `run`; a newer one stops an older one.

        Returns:
            The result.
        """
        self._stop_background()
        if self._is_closed or self._newest:
            return None
        self._background = stop = Event()
        result = await asyncio.wrap_future(self._executor.submit(lambda: None if stop.is_set() else job(stop)))
        return None if stop.is_set() else result

    def when_idle(self, chore: Callable[[], None]) -> None:
        """Run `chore` on the worker if no request is waiting by then; a newer chore replaces one not yet begun."""
        if self._is_closed:
            return
        if self._chore is not None:
            self._chore.cancel()
        self._chore = self._executor.submit(self._run_chore, chore)

    def close(self) -> None:
        """Stop what runs, drop what waits, and return at once."""
        self._is_closed = True
        self._stop_background()
        for stop in self._newest.values():
            stop.set()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _stop_background(self) -> None:
        if self._background is not None:
            self._background.set()

    def _submit(self, job: Callable[[Event], T], stop: Event) -> "Future[T | None]":
        with self._lock:
            self._waiting += 1
        future = self._executor.submit(self._run_request, job, stop)
        future.add_done_callback(self._count_cancelled)
        return future

    def _count_cancelled(self, future: "Future[Any]") -> None:
        """Count down for a request that was cancelled while it waited and so never ran."""
        if future.cancelled():
            with self._lock:
                self._waiting -= 1

    def _run_request(self, job: Callable[[Event], T], stop: Event) -> T | None:
        with self._lock:
            self._waiting -= 1
        return None if stop.is_set() else job(stop)

    def _run_chore(self, chore: Callable[[], None]) -> None:
        with self._lock:
            if self._waiting:
                return
        chore()


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
