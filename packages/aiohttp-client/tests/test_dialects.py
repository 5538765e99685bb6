"""One client, two dialects: what was written for aiohttp 0.6.3, and how it is written today.

The programs of 2014 need one more line, ``@types.coroutine``, the heir of
``asyncio.coroutine``. Each of them stands beside its translation, and both run.
"""

# What "yield from" gives of a coroutine is known to mypy, but not to pyright.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import builtins
import gc
import gzip
import io
import logging
import ssl
import types
import warnings
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from inspect import Parameter
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

import aiohttp
from documented_client import parameters_of
from origin import Origin, response

CERTIFICATE = Path(__file__).with_name("localhost.pem")


def echo(request: bytes) -> bytes:
    """Answer with the request itself."""
    return response(request, "Content-Type: text/plain")


# The README of 2014: what it showed, in both dialects.


@types.coroutine
def get_body_2014(url: str) -> Generator[Any, Any, bytes]:
    """The first example: a function of one's own."""
    response = yield from aiohttp.request("GET", url)
    body: bytes = yield from response.read()
    return body


async def get_body_today(url: str) -> bytes:
    """The same with ``await``."""
    response = await aiohttp.request("GET", url)
    return await response.read()


@pytest.mark.parametrize("get_body", [get_body_2014, get_body_today])
async def test_first_example(get_body: Callable[[str], Awaitable[bytes]]) -> None:
    """``get_body(url)`` gives the page."""
    async with Origin(response(b"page")) as origin:
        assert await get_body(origin.url) == b"page"


@types.coroutine
def print_body_2014(url: str) -> Generator[Any, Any, None]:
    """The second example: two lines anywhere in an asyncio powered program."""
    response = yield from aiohttp.request("GET", url)
    body: Any = yield from response.read_and_close()
    print(body)  # noqa: T201 as the example did


async def print_body_today(url: str) -> None:
    """The same with ``async with``."""
    async with aiohttp.request("GET", url) as response:
        body = await response.read()
    print(body)  # noqa: T201 as the example did


@pytest.mark.parametrize("print_body", [print_body_2014, print_body_today])
async def test_second_example(
    print_body: Callable[[str], Awaitable[None]], capsys: pytest.CaptureFixture[str]
) -> None:
    """The page is printed."""
    async with Origin(response(b"page")) as origin:
        await print_body(origin.url)
    assert capsys.readouterr().out == "b'page'\n"


SIGNATURE: dict[str, Any] = {
    "params": None,
    "data": None,
    "headers": None,
    "cookies": None,
    "files": None,
    "auth": None,
    "allow_redirects": True,
    "max_redirects": 10,
    "encoding": "utf-8",
    "version": (1, 1),
    "timeout": None,
    "conn_timeout": None,
    "compress": None,
    "chunked": None,
    "expect100": False,
    "session": None,
    "verify_ssl": True,
    "read_until_eof": True,
    "loop": None,
    "request_class": None,
}
"""What ``request(method, url, *, …)`` took in 2014."""


@pytest.mark.parametrize("option", SIGNATURE)
def test_option_of_2014_is_an_option_today(option: str) -> None:
    """Each option of 2014 has its name, and is given by it."""
    assert parameters_of(aiohttp.request)[option].kind is Parameter.KEYWORD_ONLY


async def test_all_defaults_of_2014_can_be_given() -> None:
    """Saying what is so anyway changes nothing on the wire."""
    async with Origin(response(b"page")) as origin:
        for options in ({}, SIGNATURE):
            async with aiohttp.request("GET", origin.url, **options) as found:
                assert await found.read() == b"page"
        first, second = origin.requests
        assert first == second


# Its options, one by one: what each of them does on the wire.


@types.coroutine
def ask_2014(url: str, **options: Any) -> Generator[Any, Any, str]:
    """Post, and return what was answered."""
    response = yield from aiohttp.request("POST", url, **options)
    body: bytes = yield from response.read()
    return str(body, "latin-1")


async def ask_today(url: str, **options: Any) -> str:
    """Post, and return what was answered."""
    async with aiohttp.request("POST", url, **options) as response:
        return str(await response.read(), "latin-1")


Ask = Callable[..., Awaitable[str]]

in_both_dialects = pytest.mark.parametrize("ask", [ask_2014, ask_today])


def pieces() -> Iterator[bytes]:
    """Yield a body, as programs of 2014 did."""
    yield b"one"
    yield b"two"


async def later() -> AsyncIterator[bytes]:
    """Yield a body, as programs of today do."""
    yield b"one"
    yield b"two"


class Shouting(aiohttp.HttpRequest):
    """A request with more of a path; for ``request_class``."""

    def __init__(self, method: str, url: str | URL, **options: Any) -> None:
        super().__init__(method, URL(url) / "shout", **options)


CHUNKS = "Transfer-Encoding: chunked\r\n", "\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"

ON_THE_WIRE: list[tuple[Callable[[], dict[str, Any]], tuple[str, ...]]] = [
    (lambda: {"params": {"a": "1", "b": "2"}}, ("POST /path?a=1&b=2 HTTP/1.1\r\n",)),
    (lambda: {"params": [("a", "1"), ("a", "2")]}, ("POST /path?a=1&a=2 HTTP/1.1\r\n",)),
    (lambda: {"params": b"a=1&a"}, ("POST /path?a=1&a",)),
    (lambda: {"data": {"a": "1 2"}}, ("/x-www-form-urlencoded\r\n", "\r\n\r\na=1+2")),
    (lambda: {"data": [("a", "1"), ("a", "2")]}, ("Length: 7\r\n", "\r\n\r\na=1&a=2")),
    (lambda: {"data": (("a", "1"),)}, ("Length: 3\r\n", "\r\n\r\na=1")),
    (lambda: {"data": "text"}, ("text/plain; charset=utf-8\r\n", "\r\n\r\ntext")),
    (lambda: {"data": b"bytes"}, ("application/octet-stream\r\n", "\r\n\r\nbytes")),
    (lambda: {"data": bytearray(b"bytes")}, ("Length: 5\r\n", "\r\n\r\nbytes")),
    (lambda: {"data": io.BytesIO(b"file")}, ("Length: 4\r\n", "\r\n\r\nfile")),
    (lambda: {"data": io.StringIO("text")}, ("\r\n\r\ntext",)),
    (lambda: {"data": pieces()}, CHUNKS),
    (lambda: {"data": [b"one", b"two"]}, ("Content-Length: 6\r\n", "\r\n\r\nonetwo")),
    (lambda: {"data": later()}, CHUNKS),
    (lambda: {"headers": {"X-Mine": "1"}}, ("\r\nX-Mine: 1\r\n",)),
    (lambda: {"headers": [("X-Mine", "1"), ("X-Mine", "2")]}, ("X-Mine: 1\r\nX-Mine: 2\r\n",)),
    (lambda: {"cookies": {"a": "1", "b": "2"}}, ("\r\nCookie: a=1; b=2\r\n",)),
    (
        lambda: {"files": {"f": io.BytesIO(b"abc")}},
        ("Content-Type: multipart/form-data; boundary=", 'name="f"', "\r\n\r\nabc\r\n--"),
    ),
    (
        lambda: {"files": [("f", io.BytesIO(b"abc")), ("f", io.BytesIO(b"def"), "image/png")]},
        ("\r\n\r\nabc\r\n--", "\r\nContent-Type: image/png\r\n", "\r\n\r\ndef\r\n--"),
    ),
    (
        lambda: {"data": {"a": "1"}, "files": {"f": io.BytesIO(b"abc")}},
        ('name="a"', "\r\n\r\n1\r\n--", 'name="f"', "\r\n\r\nabc\r\n--"),
    ),
    (lambda: {"auth": ("me", "secret")}, ("\r\nAuthorization: Basic bWU6c2VjcmV0\r\n",)),
    (lambda: {"encoding": "latin-1", "data": {"a": "ü"}}, ("\r\n\r\na=%FC",)),
    (lambda: {"version": (1, 0)}, ("POST /path HTTP/1.0\r\n",)),
    (lambda: {"chunked": True, "data": b"abc"}, ("\r\n\r\n3\r\nabc\r\n0\r\n\r\n",)),
    (lambda: {"chunked": 2, "data": b"abc"}, ("\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",)),
    (lambda: {"request_class": Shouting}, ("POST /path/shout HTTP/1.1\r\n",)),
    (lambda: {"loop": asyncio.get_running_loop()}, ("POST /path HTTP/1.1\r\n",)),
]


@in_both_dialects
@pytest.mark.parametrize(("options", "expected"), ON_THE_WIRE)
async def test_option_on_the_wire(
    ask: Ask, options: Callable[[], dict[str, Any]], expected: tuple[str, ...]
) -> None:
    """What an option asks for is there, in this order."""
    async with Origin(echo) as origin:
        rest = await ask(origin.url + "/path", **options())
        for each in expected:
            assert each in rest
            rest = each[-4:] + rest.partition(each)[2]


@in_both_dialects
async def test_credentials_in_the_url(ask: Ask) -> None:
    """Userinfo is Basic authentication, too, and no part of what is asked for."""
    async with Origin(echo) as origin:
        text = await ask(origin.url.replace("//", "//me:secret@") + "/path")
        assert text.startswith(f"POST /path HTTP/1.1\r\nHost: 127.0.0.1:{origin.port}\r\n")
        assert "\r\nAuthorization: Basic bWU6c2VjcmV0\r\n" in text


@in_both_dialects
@pytest.mark.parametrize(
    ("compress", "coding", "undo"),
    [
        (True, "deflate", zlib.decompress),
        ("deflate", "deflate", zlib.decompress),
        ("gzip", "gzip", gzip.decompress),
    ],
)
@pytest.mark.parametrize("data", [b"a" * 10_000, [b"a" * 5_000, b"a" * 5_000]])
async def test_compressed_body(
    ask: Ask, compress: bool | str, coding: str, undo: Callable[[bytes], bytes], data: Any
) -> None:
    """``compress`` compresses, and says how."""
    async with Origin(echo) as origin:
        text = await ask(origin.url, data=data, compress=compress, version=(1, 0))
        assert f"\r\nContent-Encoding: {coding}\r\n" in text
        body = text.partition("\r\n\r\n")[2].encode("latin-1")
        assert len(body) < 1_000
        assert undo(body) == b"a" * 10_000


@in_both_dialects
async def test_old_version_has_no_chunks(ask: Ask) -> None:
    """A body of unknown length can't be sent in HTTP/1.0; one of known length can."""
    async with Origin(echo) as origin:
        with pytest.raises(ValueError, match=r"HTTP/1\.0 has no chunks: give a Content-Length"):
            await ask(origin.url, version=(1, 0), data=pieces())
        length = {"Content-Length": "6"}
        assert (await ask(origin.url, version=(1, 0), data=pieces(), headers=length)).endswith(
            "\r\n\r\nonetwo"
        )


@in_both_dialects
async def test_redirects(ask: Ask) -> None:
    """They are followed, as many as are allowed, or not at all."""

    def answer(request: bytes) -> bytes:
        there = request.split(b" ")[1]
        if there == b"/end":
            return response(request)
        return response(b"moved", "Location: /end", status="302 Found")

    async with Origin(answer) as origin:
        assert (await ask(origin.url, data=b"x")).startswith("GET /end ")
        assert await ask(origin.url, allow_redirects=False) == "moved"
        with pytest.raises(aiohttp.TooManyRedirects, match="more than 0 redirects"):
            await ask(origin.url, max_redirects=0)


@in_both_dialects
async def test_times(ask: Ask) -> None:
    """``timeout`` is for the whole, ``conn_timeout`` for what is before the request."""

    def silence(_: bytes) -> Awaitable[None]:
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        return never

    async with Origin(silence) as origin:
        with pytest.raises(TimeoutError, match="waiting for a response"):
            await ask(origin.url, timeout=0.01, conn_timeout=60)
        # What never answers to a TLS handshake has no connection for us.
        silent = origin.url.replace("http:", "https:")
        with pytest.raises(TimeoutError, match="shaking hands"):
            await ask(silent, conn_timeout=0.01, timeout=60)
        with pytest.raises(TimeoutError, match="shaking hands"):
            await ask(silent, timeout=0.01)


@in_both_dialects
async def test_expectation(ask: Ask) -> None:
    """``expect100`` holds the body back until 100; after a final status it is never sent."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nExpect: 100-continue\r\n" in head
        if head.startswith(b"POST /yes "):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            writer.write(response(await reader.readexactly(4), "Connection: close"))
        else:
            writer.write(response(b"too long", "Connection: close", status="413 No"))
            received.append(await reader.read())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        url = f"http://{host}:{port}"
        assert await ask(f"{url}/yes", data=b"body", expect100=True) == "body"
        assert await ask(f"{url}/no", data=b"body", expect100=True) == "too long"
        while not received:
            await asyncio.sleep(0)
        assert received == [b""]


@in_both_dialects
async def test_certificates(ask: Ask) -> None:
    """``verify_ssl`` is True unless somebody says otherwise."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    async with Origin(echo, tls=context) as origin:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await ask(origin.url)
        assert (await ask(origin.url, verify_ssl=False)).startswith("POST / HTTP/1.1\r\n")


@in_both_dialects
async def test_body_without_a_length(ask: Ask) -> None:
    """``read_until_eof`` says whether the body of such a response is read at all."""
    async with Origin(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end") as origin:
        assert await ask(origin.url) == "to the end"
        assert await ask(origin.url, read_until_eof=False) == ""


@in_both_dialects
async def test_session_shares_connections_and_cookies(ask: Ask) -> None:
    """``session=`` lends what it has, and learns."""
    answer = response(b"", "Set-Cookie: seen=1")
    async with Origin(answer) as origin:
        session = aiohttp.Session()
        session.update_cookies({"mine": "1"})
        for _ in range(2):
            await ask(origin.url, session=session)
        assert origin.connections == 1
        assert b"\r\nCookie: mine=1\r\n" in origin.requests[0]
        (cookies,) = (line for line in origin.request.split(b"\r\n") if b"Cookie" in line)
        assert set(cookies.removeprefix(b"Cookie: ").split(b"; ")) == {b"mine=1", b"seen=1"}
        assert {"mine", "seen"} <= set(session.cookies)
        session.close()  # what it returns need not be awaited


# What came back.


@types.coroutine
def look_2014(url: str) -> Generator[Any, Any, list[Any]]:
    """Return what there is to see of a response."""
    response = yield from aiohttp.request("GET", url)
    found = [response.status, response.reason, response.version, response.method, response.host]
    found += [response["content-type"], response.get("x-none"), response.get_all("x-twice")]
    found += [str(response.url), response.cookies["seen"].value, "x-twice" in response]
    found += [(yield from response.read(decode=True))]
    yield from response.wait_for_close()
    return found


async def look_today(url: str) -> list[Any]:
    """Return the same, in the words of today."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        found = [response.status, response.reason, response.version, response.method]
        found += [response.url.host, response.headers["content-type"]]
        found += [response.headers.get("x-none"), response.headers.getall("x-twice")]
        found += [str(response.url), response.cookies["seen"].value]
        found += ["x-twice" in response.headers, await response.json()]
        return found


@pytest.mark.parametrize("look", [look_2014, look_today])
async def test_response(look: Callable[[str], Awaitable[list[Any]]]) -> None:
    """A response says the same in both dialects."""
    fields = ["Content-Type: application/json", "X-Twice: 1", "X-Twice: 2", "Set-Cookie: seen=1"]
    async with Origin(response(b'{"a": 1}', *fields, status="203 So So")) as origin:
        assert await look(origin.url + "/path") == [
            203, "So So", (1, 1), "GET", "127.0.0.1",
            "application/json", None, ["1", "2"],
            origin.url + "/path", "1", True,
            {"a": 1},
        ]  # fmt: skip


async def test_message_and_end_of_a_response() -> None:
    """``message`` is the head as it was parsed; ``close(True)`` ends the connection."""
    async with Origin(response(b"page")) as origin, aiohttp.Session() as session:
        found = await aiohttp.request("GET", origin.url, session=session)
        assert (found.message.status, found.message.reason) == (200, "OK")
        assert found.message.headers["content-length"] == "4"
        assert await found.content.read() == b"page"
        found.close(force=True)
        found.close(True)


async def test_response_that_is_dropped_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever forgets a response unread can find out which; its connection is closed."""
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    async with Origin(half) as origin:
        found = await aiohttp.request("GET", origin.url + "/path")
        with caplog.at_level(logging.WARNING, "aiohttp.client"):
            del found
            gc.collect()
        (record,) = caplog.records
        assert f"GET {origin.url}/path" in record.getMessage()
        while origin.open:
            await asyncio.sleep(0)


# Ways to wait.


async def test_request_is_a_coroutine() -> None:
    """What ``request`` returns can be awaited, entered, made a task, and waited for in time."""
    async with Origin(response(b"page")) as origin, aiohttp.Session() as session:

        def ask() -> Coroutine[Any, Any, aiohttp.HttpResponse]:
            return aiohttp.request("GET", origin.url, session=session)

        unsent = ask()
        assert asyncio.iscoroutine(unsent)
        unsent.close()
        assert (await ask()).status == 200
        assert (await asyncio.create_task(ask())).status == 200
        assert (await asyncio.wait_for(ask(), 10)).status == 200
        assert [each.status for each in await asyncio.gather(ask(), ask())] == [200, 200]
        async with aiohttp.request("GET", origin.url, session=session) as found:
            assert found.status == 200


async def test_end_of_a_session_is_awaited_or_not() -> None:
    """``close`` closes at once; what it returns is finished."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for awaited in (False, True):
            session = aiohttp.Session()
            async with Origin(response()) as origin:
                await aiohttp.request("GET", origin.url, session=session)
                end = session.close()
                assert session.closed
                assert asyncio.iscoroutine(end)
                if awaited:
                    await end
        del end
        gc.collect()


@types.coroutine
def spread_2014(hosts: list[str]) -> Generator[Any, Any, bytes]:
    """Ask one of several hosts."""
    client = aiohttp.HttpClient(hosts, method="GET", path="/path")
    response = yield from client.request()
    body: bytes = yield from response.read()
    client.close()
    return body


async def spread_today(hosts: list[str]) -> bytes:
    """Ask one of several hosts."""
    async with (
        aiohttp.HttpClient(hosts, method="GET", path="/path") as client,
        client.request() as response,
    ):
        return await response.read()


@pytest.mark.parametrize("spread", [spread_2014, spread_today])
async def test_several_hosts(spread: Callable[[list[str]], Awaitable[bytes]]) -> None:
    """``HttpClient`` asks a host that is up."""
    async with Origin(echo) as origin:
        assert (await spread([f"127.0.0.1:{origin.port}"])).startswith(b"GET /path HTTP/1.1\r\n")


# Names.


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("Session", "ClientSession"),
        ("HttpRequest", "ClientRequest"),
        ("HttpResponse", "ClientResponse"),
        ("ConnectionError", "ClientConnectionError"),
        ("OsConnectionError", "ClientOSError"),
    ],
)
def test_two_names_one_class(then: str, now: str) -> None:
    """The names of both dialects are the same objects, in the facade and in its room."""
    assert getattr(aiohttp, then) is getattr(aiohttp, now)
    assert getattr(aiohttp.client, then) is getattr(aiohttp, now)


def test_timeout_error_is_the_builtin() -> None:
    """All that time limits raise is caught by it, under each of its names."""
    assert aiohttp.TimeoutError is TimeoutError
    assert issubclass(aiohttp.ServerTimeoutError, aiohttp.TimeoutError)


@pytest.mark.parametrize(
    "name", ["BadStatusLine", "IncompleteRead", "LineTooLong", "InvalidHeader", "HttpException"]
)
def test_wire_errors_have_their_names(name: str) -> None:
    """The errors of the wire are where they were, and are those of protocol."""
    assert getattr(aiohttp, name) is getattr(aiohttp.protocol, name)


def test_malformed_answer_is_caught_in_both_dialects() -> None:
    """2014 took it for a failed connection, aiohttp 3 takes it for a bad response."""
    assert issubclass(aiohttp.MalformedResponseError, aiohttp.ClientResponseError)
    assert issubclass(aiohttp.MalformedResponseError, aiohttp.ConnectionError)


def test_no_builtin_is_shadowed() -> None:
    """``from aiohttp import *`` changes the meaning of no builtin."""
    for module in (aiohttp, aiohttp.client):
        assert [name for name in module.__all__ if hasattr(builtins, name)] == []
