"""What a worker does when its loop is over, and its threads are not."""

from __future__ import annotations

import logging
import threading

import pytest

from aiohttp.worker.lastbeat import LastBeat

LOG = logging.getLogger("test_lastbeat")


def test_process_ends_when_its_time_is_up(caplog: pytest.LogCaptureFixture) -> None:
    """Until then the arbiter is told, twice a second; the log says why it ends so."""
    events: list[object] = []
    LastBeat(
        lambda: events.append("beat"), LOG, 1.2, wait=events.append, leave=events.append
    ).beat()
    assert events == ["beat", 0.5, "beat", 0.5, "beat", 0.5, 0]
    assert "the process ends without them" in caplog.text


def test_heartbeat_may_be_over_before_the_process() -> None:
    """gunicorn closes the worker's file and then waits for threads: the limit holds there, too."""

    def notify() -> None:
        raise ValueError("I/O operation on closed file")

    left: list[int] = []
    LastBeat(notify, LOG, 1, wait=lambda _: None, leave=left.append).beat()
    assert left == [0]


def test_beat_goes_on_in_a_thread_that_holds_nobody_up() -> None:
    """It is a daemon."""
    begun, end = threading.Event(), threading.Event()
    seen: list[bool] = []

    def wait(seconds: float) -> None:
        seen.append(threading.current_thread().daemon)
        begun.set()
        end.wait(10)

    LastBeat(lambda: None, LOG, 0.5, wait=wait, leave=lambda _: None).start()
    assert begun.wait(10)
    end.set()
    assert seen == [True]
