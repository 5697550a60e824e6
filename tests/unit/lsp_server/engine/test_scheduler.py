import asyncio
import time
from collections.abc import AsyncIterator
from threading import Event, current_thread

import pytest

from codet5p.lsp_server.engine.scheduler import Scheduler


@pytest.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    scheduler = Scheduler()
    yield scheduler
    scheduler.close()


class Job:
    """A job that says when it begins and goes on until it is told to stop or released."""

    def __init__(self, result: str = "done") -> None:
        self.result = result
        self.has_begun = Event()
        self.release = Event()
        self.stop: Event | None = None

    def __call__(self, stop: Event) -> str:
        self.stop = stop
        self.has_begun.set()
        deadline = time.monotonic() + 10
        while not stop.is_set() and not self.release.is_set():
            assert time.monotonic() < deadline, "neither stopped nor released"
            time.sleep(0.001)
        return "stopped" if stop.is_set() else self.result

    async def begin(self) -> None:
        assert await asyncio.to_thread(self.has_begun.wait, 10)


async def drained(scheduler: Scheduler) -> None:
    """Wait until the worker has done all that was handed over so far."""
    await asyncio.wrap_future(scheduler._executor.submit(lambda: None))


async def test_a_job_runs_on_the_worker_and_gives_its_result(scheduler: Scheduler) -> None:
    assert await scheduler.run("a", lambda _: current_thread().name) == "codet5p-engine_0"


async def test_a_failure_reaches_the_one_who_asked(scheduler: Scheduler) -> None:
    def fail(_: Event) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await scheduler.run("a", fail)
    assert await scheduler.run("a", lambda _: 1) == 1


async def test_a_newer_job_stops_the_running_one_of_its_key(scheduler: Scheduler) -> None:
    older = Job()
    running = asyncio.create_task(scheduler.run("a", older))
    await older.begin()
    assert await scheduler.run("a", lambda _: "newer") == "newer"
    assert await running == "stopped"


async def test_of_waiting_jobs_with_one_key_only_the_newest_runs(scheduler: Scheduler) -> None:
    first = Job()
    running = asyncio.create_task(scheduler.run("other", first))
    await first.begin()
    begun: list[int] = []
    waiting = [
        asyncio.create_task(scheduler.run("a", lambda _, number=number: begun.append(number) or number))
        for number in range(5)
    ]
    await asyncio.sleep(0)
    first.release.set()
    assert await asyncio.gather(*waiting) == [None, None, None, None, 4]
    assert begun == [4]
    assert await running == "done"


async def test_a_newer_job_of_another_key_stops_nothing(scheduler: Scheduler) -> None:
    older = Job()
    running = asyncio.create_task(scheduler.run("a", older))
    await older.begin()
    newer = asyncio.create_task(scheduler.run("b", lambda _: "b"))
    await asyncio.sleep(0.01)
    assert not newer.done()
    older.release.set()
    assert (await running, await newer) == ("done", "b")


async def test_a_job_overtaken_within_its_delay_never_begins(scheduler: Scheduler) -> None:
    older = Job()
    waiting = asyncio.create_task(scheduler.run("a", older, delay_seconds=0.05))
    await asyncio.sleep(0.01)
    assert await scheduler.run("a", lambda _: "newer") == "newer"
    assert await waiting is None
    assert not older.has_begun.is_set()


async def test_cancelling_sets_stop_and_waits_for_nobody(scheduler: Scheduler) -> None:
    job = Job()
    running = asyncio.create_task(scheduler.run("a", job))
    await job.begin()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert job.stop is not None
    assert job.stop.is_set()
    assert scheduler._newest == {}


async def test_a_chore_runs_when_nothing_waits(scheduler: Scheduler) -> None:
    chore = Event()
    scheduler.when_idle(chore.set)
    assert await asyncio.to_thread(chore.wait, 10)


async def test_a_chore_yields_to_a_request_that_waits(scheduler: Scheduler) -> None:
    first = Job()
    running = asyncio.create_task(scheduler.run("a", first))
    await first.begin()
    chore = Event()
    scheduler.when_idle(chore.set)
    second = asyncio.create_task(scheduler.run("b", lambda _: "b"))
    await asyncio.sleep(0)
    first.release.set()
    assert (await running, await second) == ("done", "b")
    await drained(scheduler)
    assert not chore.is_set()


async def test_a_newer_chore_replaces_one_not_yet_begun(scheduler: Scheduler) -> None:
    first = Job()
    running = asyncio.create_task(scheduler.run("a", first))
    await first.begin()
    done: list[str] = []
    scheduler.when_idle(lambda: done.append("older"))
    scheduler.when_idle(lambda: done.append("newer"))
    first.release.set()
    await running
    await drained(scheduler)
    assert done == ["newer"]


async def test_chores_run_again_after_a_waiting_request_was_cancelled(scheduler: Scheduler) -> None:
    first = Job()
    running = asyncio.create_task(scheduler.run("a", first))
    await first.begin()
    waiting = asyncio.create_task(scheduler.run("b", lambda _: "b"))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    first.release.set()
    await running
    chore = Event()
    scheduler.when_idle(chore.set)
    await drained(scheduler)
    assert chore.is_set()


async def test_closing_stops_what_runs_and_does_not_wait() -> None:
    scheduler = Scheduler()
    release = Event()
    has_begun = Event()

    def stubborn(_: Event) -> str:
        has_begun.set()
        assert release.wait(10)
        return "late"

    running = asyncio.create_task(scheduler.run("a", stubborn))
    assert await asyncio.to_thread(has_begun.wait, 10)
    waiting = asyncio.create_task(scheduler.run("b", lambda _: "b"))
    await asyncio.sleep(0)
    scheduler.close()
    assert not running.done()
    assert await waiting is None
    release.set()
    assert await running == "late"


async def test_after_closing_requests_get_nothing_and_chores_are_dropped() -> None:
    scheduler = Scheduler()
    scheduler.close()
    assert await scheduler.run("a", lambda _: "never") is None
    scheduler.when_idle(lambda: pytest.fail("ran after closing"))
    scheduler.close()


async def test_background_work_runs_while_nothing_is_asked(scheduler: Scheduler) -> None:
    assert await scheduler.run_in_background(lambda _: "done") == "done"


async def test_a_request_stops_background_work_and_finds_the_worker_free(scheduler: Scheduler) -> None:
    background = Job()
    running = asyncio.create_task(scheduler.run_in_background(background))
    await background.begin()
    assert await scheduler.run("a", lambda _: "answer") == "answer"
    assert await running is None
    assert background.stop is not None
    assert background.stop.is_set()


async def test_background_work_is_not_begun_beside_a_request(scheduler: Scheduler) -> None:
    request, background = Job(), Job()
    running = asyncio.create_task(scheduler.run("a", request))
    await request.begin()
    assert await scheduler.run_in_background(background) is None
    assert not background.has_begun.is_set()
    request.release.set()
    assert await running == "done"


async def test_newer_background_work_stops_the_older_and_closing_stops_both(scheduler: Scheduler) -> None:
    older, newer = Job(), Job()
    first = asyncio.create_task(scheduler.run_in_background(older))
    await older.begin()
    second = asyncio.create_task(scheduler.run_in_background(newer))
    assert await first is None
    await newer.begin()
    scheduler.close()
    assert await second is None
    assert await scheduler.run_in_background(lambda _: "never") is None
