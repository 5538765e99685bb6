"""What gunicorn's access log is told about an exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from aiohttp.protocol import Exchange, ServerHttpProtocol, Service, Trust
from aiohttp.worker.accesslog import AccessLog, is_access_logged
from aiohttp.worker.proxies import Forwarders
from wire import connect

REQUEST = b"GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\nX-It: 1\r\n\r\n"


class Answer:
    """An application that answers with five bytes."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer one request."""
        await exchange.respond(201, [("X-Out", "2"), ("ETag", '"3"')], b"hello")


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


async def logged(
    cfg: Config, log_format: str, request: bytes = REQUEST, trust: Trust | None = None
) -> str:
    """Return the line that a request makes in this format."""
    cfg.set("accesslog", "-")
    cfg.set("access_log_format", log_format)
    log: Any = Logger(cfg)
    lines: list[str] = []
    log.access_log.handlers = [Collector(lines)]
    service = Service(Answer(), on_exchange=AccessLog(log), trusted_proxies=trust)
    transport = connect(ServerHttpProtocol(service))
    transport.feed(request)
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
        ("%({x-out}o)s %({ETAG}o)s %({date}o)s", '2 \\"3\\" -'),
    ],
)
async def test_formats(cfg: Config, log_format: str, line: str) -> None:
    """The atoms of gunicorn's formats have the values that its own workers give them."""
    assert await logged(cfg, log_format) == line


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (b"nonsense\r\n\r\n", "192.0.2.1 UNKNOWN / HTTP/1.1 400"),
        (b"GET /a HTTP/1.1\r\n\r\n", "192.0.2.1 GET /a HTTP/1.1 400"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n", "192.0.2.1 UNKNOWN / HTTP/1.1 414"),
        (b"TRACE /a HTTP/3.0\r\nHost: x\r\n\r\n", "192.0.2.1 UNKNOWN / HTTP/1.1 505"),
    ],
)
async def test_refused_requests_are_logged(cfg: Config, request_: bytes, line: str) -> None:
    """With what could be read of them, and the status that they were refused with."""
    assert await logged(cfg, "%(h)s %(r)s %(s)s", request_) == line


async def test_contradiction_is_logged_as_the_proxys(cfg: Config) -> None:
    """Nobody else has asked for address and scheme, which the proxies disagree about."""
    request = (
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: http\r\nX-A: https\r\nX-Forwarded-For: ::1\r\n\r\n"
    )
    trust = Forwarders(["*"], {"X-A": "https"})
    assert await logged(cfg, "%(h)s %(s)s", request, trust) == "192.0.2.1 201"


async def test_client_behind_a_proxy_is_logged(cfg: Config) -> None:
    """By its own address."""
    request = b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 2001:db8::7\r\n\r\n"
    assert await logged(cfg, "%(h)s", request, Forwarders(["*"], {})) == "2001:db8::7"


@pytest.mark.parametrize(
    ("path", "field", "log_format", "line"),
    [
        ("/%0a127.0.0.1", "X: y", "%(U)s", r"/\n127.0.0.1"),
        ("/%1b%5b2J%9b2J", "X: y", "%(U)s", r"/\x1b[2J\x9b2J"),
        ("/", "User-Agent: a\x9b2J\tb", '"%(a)s"', r'"a\x9b2J\tb"'),
        ("/", "X-It: \x85", "%({x-it}i)s", r"\x85"),
        ("/", 'Referer: \\" 200 "', '"%(f)s"', r'"\\\" 200 \""'),
        ("/", "Authorization: Basic YQpiOg==", "%(u)s", r"a\nb"),
        ("/%c3%a9", "X: y", "%(U)s", "/\u00c3\u00a9"),
    ],
)
async def test_no_client_ends_a_line(
    cfg: Config, path: str, field: str, log_format: str, line: str
) -> None:
    """Nor its place in it, nor does it command a terminal; gunicorn's own log lets all that in."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n".encode("latin-1")
    assert await logged(cfg, log_format, request) == line


class PlainLogger:
    """A logger class of somebody's own, without gunicorn's atoms."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def access(self, *args: Any) -> None:
        """Keep what is told."""
        self.seen.append(args)


async def test_logger_of_ones_own() -> None:
    """Is told the same in the same shape."""
    log = PlainLogger()
    transport = connect(ServerHttpProtocol(Service(Answer(), on_exchange=AccessLog(log))))
    transport.feed(REQUEST)
    while not log.seen:
        await asyncio.sleep(0)
    transport.abort()
    ((response, request, environ, duration),) = log.seen
    assert (response.status, response.sent, response.headers[0]) == ("201", 5, ("X-Out", "2"))
    assert request.headers == [("Host", "x"), ("User-Agent", "me"), ("X-It", "1")]
    assert environ["RAW_URI"] == "/a%20b?c=d"
    assert duration.total_seconds() < 60


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
