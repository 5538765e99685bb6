"""How much patience a thread has with its client."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue

import pytest

from aiohttp.worker.wsgi import waiting
from aiohttp.worker.wsgi.threads import Inbox, ThreadPool
from aiohttp.worker.wsgi.waiting import FAST, ClientWait


class Clock:
    """A clock that a test turns by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.now


class SlowQueue(SimpleQueue[bytes]):
    """A queue whose next item comes after so many seconds of a clock."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self.put(b"x")

    def get(self, block: bool = True, timeout: float | None = None) -> bytes:
        """Wait as long as the clock has to be turned, or until the timeout."""
        if timeout is not None and timeout < self._seconds:
            self._clock.now += timeout
            self._seconds -= timeout
            raise Empty
        self._clock.now += self._seconds
        return super().get()


class NotedPool(ThreadPool):
    """A pool without threads that counts how often one of them is parked."""

    def __init__(self) -> None:
        super().__init__(2, Inbox(), most=2)
        self.parks = 0

    def park(self) -> None:
        """Count."""
        self.parks += 1

    def unpark(self) -> None:
        """Do nothing."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock by which waits are measured."""
    clock = Clock()
    monkeypatch.setattr(waiting, "monotonic", clock.monotonic)
    return clock


def test_short_wait_is_no_reason_to_park(clock: Clock) -> None:
    """A thread that waits for less than 50 ms keeps its place."""
    pool = NotedPool()
    assert ClientWait(pool).get(SlowQueue(clock, 0.04)) == b"x"
    assert pool.parks == 0


def test_long_wait_is_parked(clock: Clock) -> None:
    """One that waits longer is parked, and has what it waited for."""
    pool = NotedPool()
    assert ClientWait(pool).get(SlowQueue(clock, 10)) == b"x"
    assert pool.parks == 1


def test_many_short_waits_are_a_long_one(clock: Clock) -> None:
    """A client that trickles wears the patience out."""
    pool = NotedPool()
    client = ClientWait(pool)
    for _ in range(10):
        client.get(SlowQueue(clock, 0.02))
        client.note_progress(1)
    assert pool.parks == 8


def test_fast_client_is_never_parked(clock: Clock) -> None:
    """One whose bytes come as fast as its thread could want has all patience again and again."""
    pool = NotedPool()
    client = ClientWait(pool)
    for _ in range(100):
        client.get(SlowQueue(clock, 0.02))
        client.note_progress(int(0.02 * FAST) + 1)
    assert pool.parks == 0


def test_progress_is_not_saved_up(clock: Clock) -> None:
    """However much a client gave at once, it has no more than 50 ms then."""
    pool = NotedPool()
    client = ClientWait(pool)
    client.note_progress(100 * FAST)
    client.get(SlowQueue(clock, 0.06))
    assert pool.parks == 1


def test_without_clock_nothing_is_lost() -> None:
    """What another thread puts into a queue is what the wait returns."""
    queue: SimpleQueue[int] = SimpleQueue()
    threading.Thread(target=queue.put, args=(7,)).start()
    assert ClientWait(NotedPool()).get(queue) == 7
