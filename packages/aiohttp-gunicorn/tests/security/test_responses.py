"""What an application says never becomes more than one response, nor more than one line of a log.

Whatever part of it comes from somebody else: a line break in it ends nothing but itself.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from aiohttp.protocol import ServerHttpProtocol, Service
from aiohttp.worker.accesslog import AccessLog
from asgi_client import Client as AsgiClient
from asgi_client import answer_with, body, start
from asgi_client import ask as ask_asgi
from wire import connect
from wsgi_client import GET, Adapter

INJECTIONS = ["\r\nX-Evil: 1", "\rX-Evil: 1", "\nX-Evil: 1", "\r\n\r\n<script>", "\0", "\x1b[2J"]
inject = pytest.mark.parametrize("evil", INJECTIONS, ids=repr)


@inject
@pytest.mark.parametrize("where", ["status", "name", "value"])
async def test_line_break_from_a_wsgi_application(wsgi: Adapter, where: str, evil: str) -> None:
    """CVE-2020-7695 of uvicorn: a line break in a field was the end of it. It is a 500."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status = f"200 OK{evil * (where == 'status')}"
        name, value = f"A{evil * (where == 'name')}", f"b{evil * (where == 'value')}"
        start_response(status, [(name, value)])
        return [b"hello"]

    answer = await wsgi.ask(application)
    assert answer.status == 500
    assert "X-Evil" not in answer.fields
    assert b"<script>" not in answer.content


@inject
@pytest.mark.parametrize("where", ["name", "value"])
async def test_line_break_from_an_asgi_application(where: str, evil: str) -> None:
    """CVE-2020-7695 of uvicorn itself."""
    field = (f"a{evil * (where == 'name')}".encode(), f"b{evil * (where == 'value')}".encode())
    answer = await ask_asgi(answer_with(start(200, field), body(b"hello")))
    assert answer.status == 500
    assert "X-Evil" not in answer.fields
    assert b"<script>" not in answer.content


async def test_wsgi_application_that_never_starts_its_response(wsgi: Adapter) -> None:
    """gunicorn: an application that never calls start_response is a 500, whatever it returns."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return [b"the secret"]

    answer = await wsgi.ask(application)
    assert answer.status == 500
    assert b"secret" not in answer.content


async def test_error_replaces_what_was_said_before_it(wsgi: Adapter) -> None:
    """gunicorn: with exc_info the fields of the first call are gone, cookies and all."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Set-Cookie", "session=1"), ("Content-Length", "1000")])
        try:
            raise RuntimeError("out of order")
        except RuntimeError:
            start_response("503 Later", [("Retry-After", "1")], sys.exc_info())
        return [b"later"]

    answer = await wsgi.ask(application)
    assert (answer.status, answer.content) == (503, b"later")
    assert "Set-Cookie" not in answer.fields
    assert answer.fields["Content-Length"] == "5"


@pytest.mark.parametrize("size", ["0", "5"])
async def test_content_behind_its_length_is_no_second_response(wsgi: Adapter, size: str) -> None:
    """To a client it would be the answer to the next request of the connection."""
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Evil: 1\r\n\r\n"

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", size)])
        yield b"hello"[: int(size)]
        yield evil

    client = await wsgi.connect(application)
    client.send(GET + GET)
    await client.answer()
    assert b"X-Evil" not in client.transport.written


# Logs.


class Lines(logging.Handler):
    """Collects what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())


@pytest.fixture
def log() -> Iterator[Any]:
    """Return gunicorn's logger; afterwards those of the process are as they were."""
    loggers = [logging.getLogger(f"gunicorn.{name}") for name in ("access", "error")]
    before = [(each.propagate, each.level, each.handlers[:]) for each in loggers]
    cfg = Config()
    cfg.set("accesslog", "-")
    cfg.set("access_log_format", '%(h)s "%(r)s" %(s)s "%(f)s" "%(a)s" %(U)s %(q)s %({host}i)s')
    yield Logger(cfg)
    for each, (propagate, level, handlers) in zip(loggers, before, strict=True):
        each.propagate, each.handlers = propagate, handlers
        each.setLevel(level)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /%1b[2J%0d%0aevil HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n",
        b'GET /" HTTP/1.1\r\nHost: x\r\nUser-Agent: "\xc2\x9b2J\xe2\x80\xae" evil\r\n\r\n',
        b"GET / HTTP/1.1\r\nHost: x\r\nReferer: a\x1b[2J\r\n\r\n",
        b"\x1b[2J / HTTP/1.1\r\n\r\n",
    ],
)
async def test_access_log_has_one_harmless_line(request_: bytes, log: Any) -> None:
    """CVE-2020-7694 of uvicorn: what a request says reached the administrator's terminal."""
    kept = Lines()
    log.access_log.handlers = [kept]
    client = AsgiClient(answer_with(start(), body(b"hello")))
    service = Service(client.application, on_exchange=AccessLog(log))
    transport = connect(ServerHttpProtocol(service))
    transport.feed(request_)
    await client.until(lambda: kept.lines)
    transport.abort()
    (line,) = kept.lines
    assert line.isprintable()
