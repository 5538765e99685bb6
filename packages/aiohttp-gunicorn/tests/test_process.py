"""The parts of the worker's process that need no gunicorn; the whole is an integration test."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

import aiohttp
from aiohttp.worker import process
from aiohttp.worker.boot import BootError, SharedFlag
from aiohttp.worker.process import (
    AsyncGunicornWorker,
    GunicornUVLoopWebWorker,
    GunicornWebWorker,
    share_handlers,
)


def test_names_of_aiohttp_3() -> None:
    """aiohttp 3's workers are this one, by the paths that gunicorn is given."""
    assert aiohttp.GunicornWebWorker is GunicornWebWorker is AsyncGunicornWorker
    assert aiohttp.GunicornUVLoopWebWorker is GunicornUVLoopWebWorker
    assert issubclass(GunicornUVLoopWebWorker, AsyncGunicornWorker)


def test_worker_may_insist_on_its_loop() -> None:
    """One of the two leaves the loop to gunicorn's asgi_loop, the other wants uvloop."""
    assert not AsyncGunicornWorker.event_loop
    assert GunicornUVLoopWebWorker.event_loop == "uvloop"


@pytest.fixture
def ours() -> Iterator[logging.Logger]:
    """Return the logger of all our packages, and afterwards leave it as it was."""
    logger = logging.getLogger("aiohttp")
    before = logger.handlers, logger.level, logger.propagate
    yield logger
    logger.handlers, _, logger.propagate = before
    logger.setLevel(before[1])


@pytest.fixture
def error_log() -> Iterator[logging.Logger]:
    """Return a logger with a handler, as gunicorn's for errors is."""
    log = logging.getLogger("test_process")
    log.setLevel(logging.WARNING)
    log.addHandler(logging.NullHandler())
    yield log
    log.handlers.clear()


def test_our_logs_go_where_gunicorns_go(
    monkeypatch: pytest.MonkeyPatch, ours: logging.Logger, error_log: logging.Logger
) -> None:
    """What our packages log is in gunicorn's error log, if nobody else takes it."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    share_handlers(error_log)
    assert ours.handlers == error_log.handlers
    assert ours.level == logging.WARNING


def test_our_logs_stay_where_somebody_put_them(
    monkeypatch: pytest.MonkeyPatch, ours: logging.Logger, error_log: logging.Logger
) -> None:
    """A handler that the application has set up is left alone."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()])
    share_handlers(error_log)
    assert ours.handlers == []


# Who says why no worker can start.


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, error_log: logging.Logger) -> AsyncGunicornWorker:
    """Return a worker that knows no more than its log, and that it has a flag with others."""
    monkeypatch.setattr(process, "GIVEN_UP", 0.0)
    monkeypatch.setattr(AsyncGunicornWorker, "_failure", SharedFlag())
    made = AsyncGunicornWorker.__new__(AsyncGunicornWorker)
    made.alive = True
    made.log = error_log
    made.notify = lambda: None
    return made


def told(worker: AsyncGunicornWorker, caplog: pytest.LogCaptureFixture) -> tuple[object, bool]:
    """Return with what code a worker exits that can't start, and whether it has said why."""
    caplog.clear()
    with pytest.raises(SystemExit) as caught:
        worker._give_up(BootError("no settings"))
    return caught.value.code, "no settings" in caplog.text


def test_one_worker_says_why(worker: AsyncGunicornWorker, caplog: pytest.LogCaptureFixture) -> None:
    """The next one waits for the end of gunicorn; in vain, and so a third one says it again."""
    assert [told(worker, caplog) for _ in range(3)] == [(3, True), (0, False), (3, True)]


def test_worker_that_was_told_to_end_leaves_it_at_that(
    worker: AsyncGunicornWorker, caplog: pytest.LogCaptureFixture
) -> None:
    """Gunicorn is ending: nobody says it again, and no code has it stumble."""
    assert told(worker, caplog) == (3, True)
    worker.alive = False
    assert [told(worker, caplog) for _ in range(3)] == [(0, False)] * 3


def test_only_worker_says_why_while_it_ends(
    worker: AsyncGunicornWorker, caplog: pytest.LogCaptureFixture
) -> None:
    """By 3 gunicorn, which is ending, would end with a traceback."""
    worker.alive = False
    assert told(worker, caplog) == (0, True)
