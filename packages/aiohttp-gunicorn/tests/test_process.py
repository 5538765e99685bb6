"""The parts of the worker's process that need no gunicorn; the whole is an integration test."""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
from collections.abc import Iterable, Iterator
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

import aiohttp
from aiohttp.worker.process import (
    AsyncGunicornWorker,
    BootError,
    GunicornUVLoopWebWorker,
    GunicornWebWorker,
    loop_factory,
    share_handlers,
    tls_context,
)


def test_asyncio_is_the_loop_where_uvloop_is_refused() -> None:
    """With asgi_loop "asyncio" the loop is asyncio's own."""
    assert loop_factory("asyncio") is None


def test_asyncio_is_the_loop_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """With "auto", gunicorn's default, uvloop need not be installed."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory("auto") is None


def test_uvloop_is_the_loop_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With "auto", uvloop is taken where it is installed."""
    uvloop = SimpleNamespace(new_event_loop=asyncio.new_event_loop)
    monkeypatch.setitem(sys.modules, "uvloop", uvloop)
    assert loop_factory("auto") is uvloop.new_event_loop


def test_uvloop_that_is_wanted_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """With "uvloop" the worker doesn't start without it, and says how to get it."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(BootError, match=r"pip install aiohttp-gunicorn\[uvloop\]"):
        loop_factory("uvloop")


def test_names_of_aiohttp_3() -> None:
    """aiohttp 3's workers are this one, by the paths that gunicorn is given."""
    assert aiohttp.GunicornWebWorker is GunicornWebWorker is AsyncGunicornWorker
    assert aiohttp.GunicornUVLoopWebWorker is GunicornUVLoopWebWorker
    assert issubclass(GunicornUVLoopWebWorker, AsyncGunicornWorker)


def test_worker_may_insist_on_its_loop() -> None:
    """One of the two leaves the loop to gunicorn's asgi_loop, the other wants uvloop."""
    assert not AsyncGunicornWorker.event_loop
    assert GunicornUVLoopWebWorker.event_loop == "uvloop"


def test_no_tls_without_certificate() -> None:
    """Without certfile there is plain HTTP."""
    assert tls_context(Config()) is None


def test_certificate_that_can_not_be_read() -> None:
    """A certificate that can't be used is named."""
    cfg = Config()
    cfg.set("certfile", __file__)
    with pytest.raises(BootError, match=r"certfile '.*test_process\.py' and keyfile None"):
        tls_context(cfg)


def test_tls_promises_no_more_than_is_spoken() -> None:
    """Where gunicorn would offer HTTP/2, clients are offered HTTP/1.1 alone."""

    class Context(ssl.SSLContext):
        offered: list[str]

        def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
            self.offered = list(alpn_protocols)

    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])

    def hook(conf: Config, default: object) -> ssl.SSLContext:
        return context

    cfg = Config()
    cfg.set("certfile", __file__)
    cfg.set("ssl_context", hook)
    assert tls_context(cfg) is context
    assert context.offered == ["http/1.1"]


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
