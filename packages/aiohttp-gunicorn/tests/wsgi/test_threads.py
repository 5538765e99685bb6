"""Jobs go to threads, and what they say comes back to the loop."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import weakref
from typing import Any

import pytest

from aiohttp.worker.wsgi.threads import Inbox, ThreadPool, call_in_thread

PATIENCE = 10  # seconds until a test that hangs fails


class CountingLoop:
    """As much of a loop as an inbox uses: it counts the wake-ups, and the test turns it."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self.wake_ups: list[object] = []
        self.is_closed = False

    def call_soon(self, callback: object) -> None:
        """Note what is to be called in the next turn."""
        self.calls.append(callback)

    def call_soon_threadsafe(self, callback: object) -> None:
        """Note a wake-up, as a loop does from any thread."""
        if self.is_closed:
            raise RuntimeError("Event loop is closed")
        self.wake_ups.append(callback)

    def turn(self) -> None:
        """Call what is due now."""
        callbacks, self.wake_ups = self.wake_ups, []
        for callback in callbacks:
            assert callable(callback)
            callback()


def opened(loop: Any) -> Inbox:
    """Return an inbox that wakes this loop."""
    inbox = Inbox()
    inbox.open(loop)
    return inbox


def started(size: int, most: int = 10) -> ThreadPool:
    """Return a pool whose threads run, and report to the running loop."""
    pool = ThreadPool(size, Inbox(), most=most)
    pool.start()
    return pool


def test_posts_before_one_turn_share_a_wake_up() -> None:
    """Everything that is posted before the loop turns is delivered by one wake-up, in order."""
    loop, seen = CountingLoop(), list[int]()
    inbox = opened(loop)
    for number in range(5):
        inbox.post(seen.append, number)
    assert len(loop.wake_ups) == 1
    loop.turn()
    assert seen == [0, 1, 2, 3, 4]


def test_post_during_the_delivery_wakes_the_loop_again() -> None:
    """A post from within a delivered call isn't lost, and isn't delivered in the same turn."""
    loop, seen = CountingLoop(), list[int]()
    inbox = opened(loop)
    inbox.post(lambda: inbox.post(seen.append, 1))
    loop.turn()
    assert seen == []
    loop.turn()
    assert seen == [1]


def test_post_to_a_closed_loop_is_dropped() -> None:
    """A thread that outlives its loop can post without an error."""
    loop, seen = CountingLoop(), list[int]()
    loop.is_closed = True
    inbox = opened(loop)
    inbox.post(seen.append, 1)
    inbox.post(seen.append, 2)
    loop.turn()
    assert seen == []


async def test_as_many_jobs_as_threads_run_at_once() -> None:
    """Jobs that wait for each other all come to run, when there are as many threads."""
    pool = started(3)
    barrier = threading.Barrier(3, timeout=10)

    def meet() -> None:
        barrier.wait()

    for _ in range(3):
        pool.submit(meet)
    await pool.stop()
    assert not barrier.broken


async def test_stop_runs_what_was_submitted_before() -> None:
    """Stopping waits for the jobs that were submitted before, and ends every thread."""
    pool = started(1)
    seen: list[int] = []
    for number in range(3):
        pool.submit(lambda number=number: seen.append(number))  # type: ignore[misc]
    await pool.stop()
    assert seen == [0, 1, 2]


async def test_withdrawn_job_is_not_kept() -> None:
    """While all threads are busy, nothing is left of a job that nobody wants any more."""
    pool = started(1)
    slow = Slow(pool)

    def job() -> None:
        raise AssertionError

    kept = weakref.ref(job)
    ticket = pool.submit(job)
    pool.hand_out()
    ticket.clear()
    del job
    assert kept() is None
    slow.end()
    run(pool)
    await pool.stop()


def test_jobs_of_one_turn_are_given_out_together() -> None:
    """A pool asks for one call at the end of the loop's turn, however many jobs there are."""
    loop, inbox = CountingLoop(), Inbox()
    inbox.open(loop)  # type: ignore[arg-type]
    pool = ThreadPool(2, inbox, most=2)
    for _ in range(3):
        pool.submit(lambda: None)
    assert loop.calls == [pool.hand_out]


async def test_stop_of_a_pool_that_was_not_started() -> None:
    """Stopping a pool without threads returns at once."""
    await ThreadPool(1, Inbox(), most=10).stop()


async def test_stop_of_a_pool_that_could_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping waits for the threads that there are, not for one that the system refused."""
    pool, begin = ThreadPool(3, Inbox(), most=10), threading.Thread.start

    def refuse_the_second(thread: threading.Thread) -> None:
        if pool.threads:
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_the_second)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        pool.start()
    async with asyncio.timeout(PATIENCE):
        await pool.stop()


async def test_raising_job_leaves_its_thread_working(caplog: pytest.LogCaptureFixture) -> None:
    """A job that raises is logged, and the thread takes the next one."""
    pool = started(1)
    seen: list[int] = []

    def fail() -> None:
        raise SystemExit("out")

    with caplog.at_level(logging.ERROR, "aiohttp.worker.wsgi.threads"):
        pool.submit(fail)
        pool.submit(lambda: seen.append(1))
        await pool.stop()
    assert seen == [1]
    assert "a job raised" in caplog.text


def test_pool_without_threads_is_refused() -> None:
    """A pool has at least one thread."""
    with pytest.raises(ValueError, match="at least one thread, not 0"):
        ThreadPool(0, Inbox(), most=10)


# Threads that are parked.


class Slow:
    """A job that parks its thread, until the test lets it go on, and then lets it end."""

    def __init__(self, pool: ThreadPool) -> None:
        self._pool = pool
        self._go_on, self._end = threading.Event(), threading.Event()
        self.is_parked, self.goes_on = threading.Event(), threading.Event()
        pool.submit(self)
        pool.hand_out()
        assert self.is_parked.wait(PATIENCE)

    def __call__(self) -> None:
        self._pool.park()
        self.is_parked.set()
        self._go_on.wait(PATIENCE)
        self._pool.unpark()
        self.goes_on.set()
        self._end.wait(PATIENCE)

    def go_on(self) -> None:
        """Return when the job goes on."""
        self._go_on.set()
        assert self.goes_on.wait(PATIENCE)

    def end(self) -> None:
        """Let the job end."""
        self._go_on.set()
        self._end.set()


def run(pool: ThreadPool) -> None:
    """Return when another job has run."""
    event = threading.Event()
    pool.submit(event.set)
    pool.hand_out()
    assert event.wait(PATIENCE)


async def until_threads(pool: ThreadPool, number: int) -> None:
    """Wait until a pool has so many threads."""
    async with asyncio.timeout(PATIENCE):
        while pool.threads != number:
            await asyncio.sleep(0)


async def test_another_thread_takes_the_place_of_one_that_is_parked() -> None:
    """While as many jobs as there are threads wait for their clients, others run."""
    pool = started(2)
    slow = [Slow(pool) for _ in range(3)]
    assert repr(pool) == "<ThreadPool of 2, 5 threads, 3 parked>"
    run(pool)
    for job in slow:
        job.end()
    await pool.stop()


async def test_thread_that_goes_on_makes_one_end() -> None:
    """When a parked thread goes on, the next that has done its job is one too many."""
    pool = started(2)
    slow = Slow(pool)
    assert pool.threads == 3
    slow.go_on()
    assert pool.threads == 3
    run(pool)
    await until_threads(pool, 2)
    slow.end()
    run(pool)
    assert pool.threads == 2
    await pool.stop()


async def test_spare_thread_is_used_again() -> None:
    """A thread that goes on and waits again finds the one that took its place still there."""
    pool = started(2)
    first = Slow(pool)
    first.go_on()
    second = Slow(pool)
    assert pool.threads == 3
    for job in (first, second):
        job.end()
    await pool.stop()


async def test_threads_have_a_bound() -> None:
    """Beyond ``most`` threads jobs wait until one goes on."""
    pool = started(2, most=3)
    slow = [Slow(pool) for _ in range(3)]
    assert pool.threads == 3
    event = threading.Event()
    pool.submit(event.set)
    pool.hand_out()
    assert len(pool.running()) == 3
    slow[0].end()
    assert event.wait(PATIENCE)
    for job in slow:
        job.end()
    await pool.stop()


async def test_pool_of_one_thread_stays_one() -> None:
    """What relies on being alone is alone, however long it waits."""
    pool = started(1)
    slow = Slow(pool)
    assert pool.threads == 1
    slow.end()
    await pool.stop()


async def test_system_without_threads(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When no thread can be started, the job that wanted to wait still can."""
    pool = started(2)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        slow = Slow(pool)
    assert repr(pool) == "<ThreadPool of 2, 2 threads, 1 parked>"
    assert "no thread can take its thread's place" in caplog.text
    slow.end()
    await pool.stop()


async def test_stop_waits_for_parked_threads() -> None:
    """A thread that is parked belongs to those that have to end; no other is started."""
    pool = started(2)
    slow = Slow(pool)
    stopping = asyncio.create_task(pool.stop())
    await until_threads(pool, 1)
    assert not stopping.done()
    slow.end()
    await stopping
    assert pool.threads == 0


# What runs.


async def test_running_jobs() -> None:
    """Each job that runs, or is parked, is told with its thread."""
    pool = started(2)
    slow = Slow(pool)
    assert [job for _, job in pool.running()] == [slow]
    assert pool.running()[0][0] in {thread.ident for thread in threading.enumerate()}
    slow.end()
    await pool.stop()
    assert pool.running() == []


# Calls beside the pool.


async def test_call_in_thread() -> None:
    """It returns what the function returns, which ran in a thread of its own."""
    assert await call_in_thread(threading.get_ident) != threading.get_ident()


async def test_call_in_thread_raises() -> None:
    """It raises what the function raises, but nothing that would end the loop."""

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await call_in_thread(fail)
    with pytest.raises(RuntimeError, match=r"raised SystemExit\('out'\)"):
        await call_in_thread(lambda: sys.exit("out"))
