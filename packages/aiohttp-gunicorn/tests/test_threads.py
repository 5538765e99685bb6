"""Jobs go to threads, and what they say comes back to the loop."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from aiohttp.worker.threads import Inbox, ThreadPool


class CountingLoop:
    """As much of a loop as an inbox uses: it counts the wake-ups, and the test turns it."""

    def __init__(self) -> None:
        self.wake_ups: list[object] = []
        self.is_closed = False

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


def started(size: int) -> ThreadPool:
    """Return a pool whose threads run, and report to the running loop."""
    pool = ThreadPool(size, Inbox(), most=10)
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


async def test_stop_of_a_pool_that_was_not_started() -> None:
    """Stopping a pool without threads returns at once."""
    await ThreadPool(1, Inbox(), most=10).stop()


async def test_raising_job_leaves_its_thread_working(caplog: pytest.LogCaptureFixture) -> None:
    """A job that raises is logged, and the thread takes the next one."""
    pool = started(1)
    seen: list[int] = []

    def fail() -> None:
        raise SystemExit("out")

    with caplog.at_level(logging.ERROR, "aiohttp.worker.threads"):
        pool.submit(fail)
        pool.submit(lambda: seen.append(1))
        await pool.stop()
    assert seen == [1]
    assert "a job raised" in caplog.text


def test_pool_without_threads_is_refused() -> None:
    """A pool has at least one thread."""
    with pytest.raises(ValueError, match="at least one thread, not 0"):
        ThreadPool(0, Inbox(), most=10)
