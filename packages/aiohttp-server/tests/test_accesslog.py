"""The access log: its formats, what it escapes, and that no exchange goes without a line."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

import aiohttp.server.accesslog as module
import aiohttp.web_log
from aiohttp.abc import AbstractAccessLogger
from aiohttp.protocol import Exchange, HttpVersion11, Limits
from aiohttp.server.accesslog import AccessLogger, JsonAccessLogger, escaped, exchange_log
from aiohttp.server.testing import MemoryClient
from aiohttp.server.web.application import Application
from aiohttp.server.web.request import Request
from aiohttp.server.web.response import Response
from aiohttp.server.web.stream_response import StreamResponse
from served import GET, Served, post, request, settle

NOW = 1_795_354_832.5
"""22 November 2026, 13:40:32 UTC."""


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        assert record.levelno == logging.INFO
        self.lines.append(record.getMessage())


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger of which nobody else hears."""
    logger = logging.getLogger("test.access")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    handler = Lines()
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)
    logger.filters.clear()


def lines_of(logger: logging.Logger) -> list[str]:
    """Return what was logged."""
    return next(each for each in logger.handlers if isinstance(each, Lines)).lines


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the access log's clock stand still, in the zone UTC."""
    now = SimpleNamespace(
        time=lambda: NOW, localtime=time.gmtime, gmtime=time.gmtime, strftime=time.strftime
    )
    monkeypatch.setattr(module, "time", now)


REQUEST = SimpleNamespace(
    method="GET",
    raw_path="/pub?q=%22",
    version=HttpVersion11,
    remote="192.0.2.1",
    id="0123456789abcdef",
    headers=CIMultiDict({"Referer": "http://a.example/", "User-Agent": 'Tea "pot"'}),
)
RESPONSE = SimpleNamespace(status=200, body_length=5, headers=CIMultiDict({"X-Cup": "full"}))


CLF = '192.0.2.1 - - [22/Nov/2026:13:40:31 +0000] "GET /pub?q=%22 HTTP/1.1" 200 5'
TEA = r"Tea \"pot\""


def line(log_format: str, request: Any = REQUEST, response: Any = RESPONSE) -> str:
    """Return the line of a request that took 1.25 seconds."""
    return AccessLogger(logging.getLogger("t"), log_format).line(request, response, 1.25)


# Text.


@pytest.mark.parametrize(
    ("log_format", "expected"),
    [
        ("%a|%h", "192.0.2.1|192.0.2.1"),
        ("%t", "[22/Nov/2026:13:40:31 +0000]"),
        ("%r", "GET /pub?q=%22 HTTP/1.1"),
        ("%s %b", "200 5"),
        ("%T %Tf %D", "1 1.250000 1250000"),
        ("%P %p", f"{os.getpid()} <{os.getpid()}>"),
        ("%l %u", "- -"),
        ("%f", "http://a.example/"),
        ("%L", "0123456789abcdef"),
        ("%{User-Agent}i", r"Tea \"pot\""),
        ("%{x-cup}o|%{X-Saucer}o|%{X-Saucer}i", "full|-|-"),
        ("100%% %s%%", "100% 200%"),
        ("Tf %Tfeet", "Tf 1.250000eet"),
        ("", ""),
        # The dialect of 2014.
        ('%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"',
         f'{CLF} "http://a.example/" "{TEA}"'),
        ("%(T)s %(D)s %(p)s", f"1 1250000 <{os.getpid()}>"),
        ("%({user-agent}i)s %({X-Cup}o)s", r"Tea \"pot\" full"),
        ("%(a)s, not %a", r"Tea \"pot\", not 192.0.2.1"),
    ],
)  # fmt: skip
def test_atoms(log_format: str, expected: str) -> None:
    """Those of aiohttp 3 and those of 2014, told apart by how they are spelt."""
    assert line(log_format) == expected


def test_default_format_is_the_documented_one() -> None:
    """Who reads these lines by a program need not change it."""
    assert AccessLogger.LOG_FORMAT == '%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"'
    assert line(AccessLogger.LOG_FORMAT).startswith('192.0.2.1 [22/Nov/2026:13:40:31 +0000] "GET ')


def test_variable_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read once, and escaped as what a client sends."""
    monkeypatch.setenv("CUP", "of\ntea")
    assert line("%{CUP}e %{NO_SUCH_CUP}e") == r"of\x0atea -"


@pytest.mark.parametrize(
    ("log_format", "atom", "place"),
    [("%x", "%x", 0), ("50% of", "% ", 2), ("%a %", "%", 3), ("%(x)s", "%(x)s", 0),
     ("%{Name}x", "%{", 0), ("%(h)d", "%(", 0)],
)  # fmt: skip
def test_unknown_atom_is_refused(log_format: str, atom: str, place: int) -> None:
    """When the format is compiled, not when the first request comes."""
    with pytest.raises(ValueError, match=re.escape(f"unknown atom {atom!r} at {place} of")):
        AccessLogger(logging.getLogger("t"), log_format)


def test_only_what_is_in_the_format_is_computed() -> None:
    """A request that has nothing but a method and a target is enough for %r."""
    lean = SimpleNamespace(method="GET", raw_path="/", version=HttpVersion11)
    assert line("%r", lean, None) == "GET / HTTP/1.1"


def test_time_is_written_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same text for all requests of a second."""
    access = AccessLogger(logging.getLogger("t"), "%t")
    moments = iter([NOW, NOW + 0.4, NOW + 1])
    monkeypatch.setattr("aiohttp.server.accesslog.time.time", lambda: next(moments))
    first, second, third = (access.line(REQUEST, RESPONSE, 0.25) for _ in range(3))
    assert first is second
    assert (first, third) == ("[22/Nov/2026:13:40:32 +0000]", "[22/Nov/2026:13:40:33 +0000]")


def test_access_log_tells_its_format() -> None:
    """And is found where aiohttp's users look for it."""
    assert repr(AccessLogger(logging.getLogger("t"), "%a")) == "<AccessLogger '%a'>"
    assert aiohttp.web_log.AccessLogger is AccessLogger
    assert issubclass(AccessLogger, AbstractAccessLogger)


def test_access_log_is_enabled_where_its_level_is(logger: logging.Logger) -> None:
    """Nothing is computed for a logger that would drop it."""
    access = AccessLogger(logger)
    assert access.enabled
    logger.setLevel(logging.WARNING)
    assert not AccessLogger(logger).enabled
    assert not JsonAccessLogger(logger).enabled


def test_filters_of_the_logger_count(logger: logging.Logger) -> None:
    """A record goes the way of every record."""
    logger.addFilter(lambda record: "/health" not in record.getMessage())
    access = AccessLogger(logger, "%r")
    access.log(SimpleNamespace(**{**vars(REQUEST), "raw_path": "/health"}), RESPONSE, 0)
    access.log(REQUEST, RESPONSE, 0)
    assert lines_of(logger) == ["GET /pub?q=%22 HTTP/1.1"]


# What a client sends.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain – größer", "plain – größer"),
        ('a"b', r"a\"b"),
        ("a\\b", r"a\\b"),
        ("\x1b[2J\r\n127.0.0.1", r"\x1b[2J\x0d\x0a127.0.0.1"),
        ("\x9b31m\x7f\x00", r"\x9b31m\x7f\x00"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\udcff", r"\udcff"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_does_not_print_is_escaped(text: str, expected: str) -> None:
    """No line is forged, and no terminal is moved (CVE-2020-7694 of uvicorn)."""
    assert escaped(text) == expected


@given(st.text())
def test_whatever_comes_is_one_printable_line(text: str) -> None:
    """In which a quote always has a backslash before it."""
    shown = escaped(text)
    assert shown.isprintable()
    assert not re.search(r'(?<!\\)(?:\\\\)*"', shown)


def test_target_stays_as_it_came() -> None:
    """What is percent-encoded isn't decoded."""
    odd = SimpleNamespace(method="GET", raw_path="/%0d%0a%1b", version=HttpVersion11)
    assert line("%r", odd) == "GET /%0d%0a%1b HTTP/1.1"


# JSON.


def json_line(log_format: str = JsonAccessLogger.LOG_FORMAT, request: Any = REQUEST) -> Any:
    """Return the object of a line."""
    text = JsonAccessLogger(logging.getLogger("t"), log_format).line(request, RESPONSE, 1.25)
    assert text.isascii()
    assert "\n" not in text
    return json.loads(text)


def test_json_has_the_named_members() -> None:
    """In their order, each of its type."""
    assert json_line() == {
        "time": "2026-11-22T13:40:31Z",
        "remote": "192.0.2.1",
        "method": "GET",
        "target": "/pub?q=%22",
        "version": "1.1",
        "status": 200,
        "bytes": 5,
        "seconds": 1.25,
        "referer": "http://a.example/",
        "user_agent": 'Tea "pot"',
    }
    assert json_line("id {X-Cup}o {X-Cup}i pid") == {
        "id": "0123456789abcdef",
        "{X-Cup}o": "full",
        "{X-Cup}i": None,
        "pid": os.getpid(),
    }


def test_json_takes_the_default_of_the_text_for_its_own() -> None:
    """So that access_log_class alone is enough to get JSON."""
    access = JsonAccessLogger(logging.getLogger("t"), AccessLogger.LOG_FORMAT)
    assert repr(access) == f"<JsonAccessLogger {JsonAccessLogger.LOG_FORMAT!r}>"


def test_json_escapes_by_itself() -> None:
    """What doesn't print can't break a line."""
    odd = SimpleNamespace(**{**vars(REQUEST), "raw_path": "/\n\u2028\x1b"})
    assert json_line("target", odd) == {"target": "/\n\u2028\x1b"}


def test_unknown_member_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(ValueError, match=r"unknown member 'path' .* expected time, remote, "):
        JsonAccessLogger(logging.getLogger("t"), "remote path")


async def test_json_is_logged(logger: logging.Logger) -> None:
    """One object a request."""
    async with MemoryClient(
        Application(), on_exchange=exchange_log(JsonAccessLogger(logger))
    ) as client:
        await client.get("/nowhere")
    (text,) = lines_of(logger)
    assert json.loads(text)["status"] == 404


# One line for each exchange.


async def hello(request: Request) -> StreamResponse:
    """Answer."""
    return Response(text="hello", headers={"X-Cup": "full"})


async def fail(request: Request) -> StreamResponse:
    """Fail."""
    raise ZeroDivisionError


async def break_off(request: Request) -> StreamResponse:
    """Fail in the middle of a response."""
    response = StreamResponse()
    await response.prepare(request)
    await response.write(b"some")
    raise ZeroDivisionError


async def wait(request: Request) -> StreamResponse:
    """Wait for ever."""
    await asyncio.Event().wait()
    return Response()


@pytest.fixture
def app() -> Application:
    """An application."""
    app = Application(client_max_size=10)
    app.router.add_get("/hello", hello)
    app.router.add_get("/fail", fail)
    app.router.add_get("/break-off", break_off)
    app.router.add_get("/wait", wait)
    return app


FORMAT = "%a %r %s %b %{X-Cup}o"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (request("/hello?a=%20"), "GET /hello?a=%20 HTTP/1.1 200 5 full"),
        (request("/hello", method="HEAD"), "HEAD /hello HTTP/1.1 200 0 full"),
        (request("/missing"), "GET /missing HTTP/1.1 404 14 -"),
        (post(b"", target="/hello"), "POST /hello HTTP/1.1 405 23 -"),
        (request("/hello", version="HTTP/1.0"), "GET /hello HTTP/1.0 200 5 full"),
        (request("/break-off"), "GET /break-off HTTP/1.1 200 4 -"),
        (b"GET /hello HTTP/1.1\r\n\r\n", "GET /hello HTTP/1.1 400 "),
        (b"\x16\x03\x01\r\n\r\n", "UNKNOWN / HTTP/1.1 400 "),
        (b"GET /\x1b HTTP/1.1\r\nHost: a\r\n\r\n", "UNKNOWN / HTTP/1.1 400 "),
        (request("/" + "x" * 9000), "UNKNOWN / HTTP/1.1 414 "),
    ],
)
async def test_each_request_has_one_line(
    sent: bytes, expected: str, app: Application, logger: logging.Logger
) -> None:
    """Answered, refused or broken off."""
    async with MemoryClient(app, on_exchange=exchange_log(AccessLogger(logger, FORMAT))) as client:
        await client.raw(sent)
    (found,) = lines_of(logger)
    assert found.startswith(f"127.0.0.1 {expected}")


async def test_error_and_access_log_have_the_same_id(
    app: Application, logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    """So that a line leads to its traceback."""
    log = exchange_log(AccessLogger(logger, "%s %L"))
    async with MemoryClient(app, on_exchange=log) as client:
        response = await client.get("/fail")
    status, request_id = lines_of(logger)[0].split()
    assert status == "500"
    assert request_id in response.text()
    assert f"[request {request_id}]" in caplog.text


async def test_client_that_leaves_before_an_answer_is_499(
    app: Application, logger: logging.Logger
) -> None:
    """As nginx logs it; also where the handler is cancelled before it could begin."""

    def make_task(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """Make a task as a program may do it, which then begins in the loop's next turn."""
        return asyncio.Task(coro, loop=loop, **options)

    app.handler_cancellation = True
    asyncio.get_running_loop().set_task_factory(make_task)
    log = exchange_log(AccessLogger(logger, "%r %s %b"))
    for turns in (0, 4):
        served = Served(app.handle_exchange, on_exchange=log)
        served.client.feed(request("/wait"))
        await settle(turns)
        served.protocol.connection_lost(None)
        await settle(40)
    assert lines_of(logger) == ["GET /wait HTTP/1.1 499 0"] * 2


async def test_slow_client_is_logged(app: Application, logger: logging.Logger) -> None:
    """One whose head never ended, with what was read of it."""
    log = exchange_log(AccessLogger(logger, "%r %s"))
    served = Served(app.handle_exchange, on_exchange=log, limits=Limits(head_time=5))
    served.client.feed(b"GET /hello HTTP/1.1\r\nHost:")
    served.clock.advance(6)
    await settle(20)
    assert lines_of(logger) == ["GET /hello HTTP/1.1 408"]
    served.client.lose()
    await settle()


async def test_any_application_is_logged(logger: logging.Logger) -> None:
    """Also one that knows nothing of aiohttp.web."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(201, [("X-Cup", "empty")], b"made")

    served = Served(
        answer, on_exchange=exchange_log(AccessLogger(logger, f"{FORMAT} %L %{{Host}}i"))
    )
    await served.exchange(request("/cup", method="PUT"))
    assert lines_of(logger) == ["192.0.2.1 PUT /cup HTTP/1.1 201 4 empty - example.org"]


async def test_client_of_a_unix_socket_has_no_address(logger: logging.Logger) -> None:
    """A dash stands for it."""
    log = exchange_log(AccessLogger(logger, "%a"))
    served = Served(on_exchange=log, peername="")
    await served.exchange(GET)
    assert lines_of(logger) == ["-"]


async def test_logger_of_the_programs_own(app: Application) -> None:
    """It gets the request and the response as the application knows them, and the seconds."""
    seen: list[tuple[str, int, int, bool]] = []

    class Mine(AbstractAccessLogger):
        """Notes what it gets."""

        def log(self, request: Any, response: Any, time: float) -> None:
            seen.append((request.path, response.status, response.body_length, 0 <= time < 5))

    log = exchange_log(Mine(logging.getLogger("t"), ""))
    async with MemoryClient(app, on_exchange=log) as client:
        await client.get("/hello")
        await client.get("/missing")
    assert seen == [("/hello", 200, 5, True), ("/missing", 404, 14, True)]


async def test_disabled_logger_is_not_called(app: Application) -> None:
    """It may change its mind later."""

    class Off(AbstractAccessLogger):
        """Wants nothing."""

        @property
        def enabled(self) -> bool:
            return False

        def log(self, request: Any, response: Any, time: float) -> None:
            raise AssertionError("was called")

    log = exchange_log(Off(logging.getLogger("t"), ""))
    async with MemoryClient(app, on_exchange=log) as client:
        with suppress(AssertionError):
            assert (await client.get("/hello")).status == 200
