"""What gunicorn's access log is told about an exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from aiohttp.protocol import Exchange, ServerHttpProtocol, Service
from aiohttp.worker.accesslog import AccessLog, is_access_logged
from wire import connect


class Answer:
    """An application that answers with five bytes."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request."""
        await exchange.respond(201, (), b"hello")


class StatsdLogger(Logger):  # type: ignore[misc]
    """A logger that counts requests, wherever it writes them."""


@pytest.fixture
def cfg() -> Iterator[Config]:
    """Return a configuration, and afterwards leave gunicorn's loggers as they were."""
    loggers = [logging.getLogger(name) for name in ("gunicorn.access", "gunicorn.error")]
    before = [(each.propagate, each.level, each.handlers[:]) for each in loggers]
    yield Config()
    for each, (propagate, level, handlers) in zip(loggers, before, strict=True):
        each.propagate, each.handlers = propagate, handlers
        each.setLevel(level)


async def logged(cfg: Config, log_format: str) -> str:
    """Return the line that a request for /a%20b?c=d makes in this format."""
    cfg.set("accesslog", "-")
    cfg.set("access_log_format", log_format)
    log: Any = Logger(cfg)
    lines: list[str] = []
    log.access_log.handlers = [Collector(lines)]
    service = Service(Answer(), on_exchange=AccessLog(log))
    transport = connect(ServerHttpProtocol(service))
    transport.feed(b"GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\nX-It: 1\r\n\r\n")
    while not lines:
        await asyncio.sleep(0)
    transport.abort()
    return lines[0]


class Collector(logging.Handler):
    """Appends each line to a list."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage())


@pytest.mark.parametrize(
    ("log_format", "line"),
    [
        ('%(h)s "%(r)s" %(s)s %(b)s', '192.0.2.1 "GET /a%20b?c=d HTTP/1.1" 201 5'),
        ('"%(f)s" "%(a)s"', '"-" "me"'),
        ("%(m)s %(U)s %(q)s %(H)s", "GET /a b c=d HTTP/1.1"),
        ("%({x-it}i)s %({raw_uri}e)s", "1 /a%20b?c=d"),
    ],
)
async def test_formats(cfg: Config, log_format: str, line: str) -> None:
    """The atoms of gunicorn's formats have the values that its own workers give them."""
    assert await logged(cfg, log_format) == line


async def test_duration(cfg: Config) -> None:
    """The duration runs from the request's head to the end of the response, in seconds."""
    assert 0 <= float(await logged(cfg, "%(L)s")) < 60


def test_nobody_wants_to_know(cfg: Config) -> None:
    """Without an access log gunicorn's own logger isn't called for each request."""
    assert not is_access_logged(Logger(cfg))


def test_access_log_is_wanted(cfg: Config) -> None:
    """With an access log it is."""
    cfg.set("accesslog", "-")
    assert is_access_logged(Logger(cfg))


def test_logger_class_may_count(cfg: Config) -> None:
    """A logger class of its own is called even if it writes no access log."""
    assert is_access_logged(StatsdLogger(cfg))
