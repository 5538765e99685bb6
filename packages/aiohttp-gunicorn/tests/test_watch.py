"""A blocked loop is noticed and logged, once, with what blocks it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import pytest

from aiohttp.worker.watch import LoopWatch
from wire import HandClock

log = logging.getLogger("test_watch")


def watched(
    clock: HandClock, request: Callable[[], str | None] = lambda: None
) -> tuple[LoopWatch, Callable[[], float]]:
    """Return the watch of a loop that has turned just now, and its look."""
    watch = LoopWatch(log, 5.0, request, clock=clock.time)
    watch.turned()
    return watch, watch.look


def test_loop_that_turns_is_not_mentioned(caplog: pytest.LogCaptureFixture) -> None:
    """While the loop turns, the watch sleeps until it could be late, and says nothing."""
    clock = HandClock()
    watch, look = watched(clock)
    clock.advance(4)
    assert look() == 1
    watch.turned()
    clock.advance(1)
    assert look() == 4
    assert caplog.records == []


def test_blocked_loop_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A loop that doesn't turn is an error, told once; that it turns again is told, too."""
    clock = HandClock()
    watch, look = watched(clock, lambda: "GET '/slow' for 6.0 s")
    clock.advance(5.5)
    assert look() == 5
    clock.advance(5)
    assert look() == 5
    assert len(caplog.records) == 1
    assert caplog.records[0].levelno == logging.ERROR
    assert caplog.messages[0].startswith(
        "The event loop has not turned for 5.5 s; it is blocked by GET '/slow' for 6.0 s:"
    )
    clock.advance(1.5)
    watch.turned()
    assert caplog.messages[1:] == ["The event loop turns again, after 12.0 s"]
    clock.advance(1)
    watch.turned()
    assert len(caplog.records) == 2


def test_each_block_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A loop that blocks again is an error again."""
    clock = HandClock()
    watch, look = watched(clock)
    for _ in range(2):
        clock.advance(6)
        look()
        watch.turned()
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"] * 2


def test_thread_shows_what_blocks(caplog: pytest.LogCaptureFixture) -> None:
    """The watch's own thread logs the stack of the thread that started it."""
    watch = LoopWatch(log, 0.01)
    watch.start()
    deadline = time.monotonic() + 10
    while not caplog.records and time.monotonic() < deadline:
        time.sleep(0.001)  # the line that blocks
    watch.turned()
    watch.stop()
    assert "it is blocked:\n" in caplog.messages[0]
    assert "in test_thread_shows_what_blocks\n" in caplog.messages[0]


def test_stopped_watch_ends_its_thread() -> None:
    """After stop the watch's thread ends, however long it would have slept."""
    before = set(threading.enumerate())
    watch = LoopWatch(log, 3600.0)
    watch.start()
    (thread,) = set(threading.enumerate()) - before
    watch.stop()
    thread.join(10)
    assert not thread.is_alive()
