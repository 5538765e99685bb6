"""Requests through a session, looked at from both ends of the wire."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from yarl import URL

from aiohttp.client import (
    ClientConnectionError,
    ClientPayloadError,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidURL,
    MalformedResponseError,
    NonHttpUrlRedirectClientError,
    ServerDisconnectedError,
    ServerTimeoutError,
    Session,
    SocketTimeoutError,
    TCPConnector,
    TooManyRedirects,
    request,
)
from aiohttp.client.call import Call
from aiohttp.client.destination import ConnectionKey
from aiohttp.protocol.errors import BadStatusLine, LocalProtocolError, PeerDisconnected
from aiohttp.protocol.http1.client import ClientHttpProtocol
from origin import Answer, Origin, response


def echo(request: bytes) -> bytes:
    """Answer with the request itself."""
    return response(request, "Content-Type: text/plain")


def fields_of(request: bytes) -> dict[str, str]:
    """Return the fields of a request, by names in lower case."""
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    pairs = (line.split(": ", 1) for line in lines)
    return {name.lower(): value for name, value in pairs}


def body_of(request: bytes) -> bytes:
    """Return the body of a request, as it was framed."""
    return request.partition(b"\r\n\r\n")[2]


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    """Yield a body as a program would."""
    for piece in pieces:
        yield piece


def no_answer(_: bytes) -> Answer:
    """Never answer."""
    return asyncio.get_running_loop().create_future()


# What is sent.


async def test_get() -> None:
    """The plainest request, byte by byte."""
    async with Origin(response(b"hello")) as origin, Session() as session:
        async with session.get(origin.url + "/path?query") as answer:
            assert (answer.status, await answer.read()) == (200, b"hello")
        lines = origin.request.decode().split("\r\n")
        coding = lines[3].partition(": ")[2]
        assert lines == [
            "GET /path?query HTTP/1.1",
            f"Host: 127.0.0.1:{origin.port}",
            "Accept: */*",
            f"Accept-Encoding: {coding}",
            lines[4],
            "",
            "",
        ]
        assert coding.startswith("gzip, deflate")
        assert lines[4].startswith("User-Agent: Python/3.")


@pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "patch", "delete"])
async def test_every_method_has_a_name(method: str) -> None:
    """``session.get`` and the others send their methods."""
    async with Origin(response()) as origin, Session() as session:
        async with getattr(session, method)(origin.url):
            pass
        assert origin.request.startswith(method.upper().encode() + b" / ")


async def test_methods_are_upper_case() -> None:
    """Both dialects spell a method as the wire does, however it was given."""
    async with Origin(response()) as origin, Session() as session:
        await session.request("get", origin.url)
        assert origin.request.startswith(b"GET / ")


@pytest.mark.parametrize(
    ("params", "target"),
    [
        ({"a": "1", "b": "ü &"}, "/p?x=0&a=1&b=%C3%BC+%26"),
        ({"a": ["1", "2"]}, "/p?x=0&a=1&a=2"),
        ([("a", "1"), ("a", "2")], "/p?x=0&a=1&a=2"),
        ("a=1", "/p?x=0&a=1"),
        (b"a=1", "/p?x=0&a=1"),
        ("a=%2B+%20&b", "/p?x=0&a=%2B+%20&b"),
        (b"a=%26", "/p?x=0&a=%26"),
        ("a=ü #", "/p?x=0&a=%C3%BC+%23"),
        ({}, "/p?x=0"),
    ],
)
async def test_params(params: Any, target: str) -> None:
    """``params`` extend the query that the URL has."""
    async with Origin(response()) as origin, Session() as session:
        await session.get(origin.url + "/p?x=0", params=params)
        assert origin.request.decode().split(" ")[1] == target


@pytest.mark.parametrize(
    ("options", "content_type", "body"),
    [
        ({"data": b"abc"}, "application/octet-stream", b"abc"),
        ({"data": "äb"}, "text/plain; charset=utf-8", b"\xc3\xa4b"),
        ({"data": {"a": "b c"}}, "application/x-www-form-urlencoded", b"a=b+c"),
        ({"json": {"a": [1, None]}}, "application/json", b'{"a": [1, null]}'),
        ({"json": False}, "application/json", b"false"),
    ],
)
async def test_body(options: Any, content_type: str, body: bytes) -> None:
    """Bytes, text, forms and JSON have their types and their lengths."""
    async with Origin(response()) as origin, Session() as session:
        await session.post(origin.url, **options)
        fields = fields_of(origin.request)
        assert fields["content-type"] == content_type
        assert fields["content-length"] == str(len(body))
        assert body_of(origin.request) == body


async def test_stream_is_sent_in_chunks() -> None:
    """An asynchronous iterable goes out as its pieces come."""
    async with Origin(response()) as origin, Session() as session:
        await session.post(origin.url, data=pieces_of(b"hello", b"world"))
        assert body_of(origin.request) == b"5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("chunked", "chunks"), [(True, b"5\r\nhello"), (3, b"3\r\nhel\r\n2\r\nlo")]
)
async def test_bytes_in_chunks(chunked: int, chunks: bytes) -> None:
    """``chunked`` is True, or the size of a chunk."""
    async with Origin(response()) as origin, Session() as session:
        await session.post(origin.url, data=b"hello", chunked=chunked)
        assert body_of(origin.request) == chunks + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: pieces_of(b"ab", b"", b"c", b"defg"), id="stream"),
        pytest.param(lambda: iter([b"abcdefg"]), id="iterable"),
    ],
)
@pytest.mark.parametrize(
    ("size", "chunks"),
    [
        (3, b"3\r\nabc\r\n3\r\ndef\r\n1\r\ng\r\n0\r\n\r\n"),
        (7, b"7\r\nabcdefg\r\n0\r\n\r\n"),
        (100, b"7\r\nabcdefg\r\n0\r\n\r\n"),
    ],
)
async def test_stream_in_chunks_of_a_size(data: Any, size: int, chunks: bytes) -> None:
    """A size of chunks holds for bodies that come in pieces of other sizes, too."""
    async with Origin(response()) as origin, Session() as session:
        await session.post(origin.url, data=data(), chunked=size)
        assert body_of(origin.request) == chunks


@pytest.mark.parametrize("piece", ["text", None, 1])
async def test_stream_of_something_else(piece: Any) -> None:
    """A piece that isn't bytes is the program's error, and says what was expected."""

    async def pieces() -> AsyncIterator[Any]:
        yield piece

    async with Origin(response()) as origin, Session() as session:
        with pytest.raises(TypeError, match="expected a piece of bytes, not"):
            await session.post(origin.url, data=pieces())


async def test_piece_that_is_filled_anew() -> None:
    """A buffer may be used again as soon as the next piece is asked for, sent or not."""
    size, count = 256 * 1024, 24

    async def pieces() -> AsyncIterator[Any]:
        buffer = bytearray(size)
        for number in range(count):
            buffer[:] = bytes([number]) * size
            yield buffer

    async with Origin(response()) as origin, Session() as session:
        length = {"Content-Length": str(size * count)}
        await session.post(origin.url, data=pieces(), headers=length)
        assert body_of(origin.request) == b"".join(bytes([n]) * size for n in range(count))


@pytest.mark.parametrize(
    "error", [TimeoutError("mine"), ClientPayloadError("mine"), KeyError("mine")]
)
async def test_error_of_the_programs_body_is_its_own(error: Exception) -> None:
    """What the body's iteration raises comes as it is, though it looks like one of ours."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"hello"
        raise error

    async with Origin(response()) as origin, Session() as session:
        with pytest.raises(type(error), match="mine") as caught:
            await session.post(origin.url, data=broken())
        assert caught.value is error
        assert getattr(error, "method", "") == ""


async def test_body_is_held_back() -> None:
    """``expect100`` sends the body when the server has asked for it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nExpect: 100-continue\r\n" in head
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.write(response(await reader.readexactly(5)))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with (
        server,
        Session() as session,
        session.post(url, data=b"hello", expect100=True) as answer,
    ):
        assert await answer.read() == b"hello"


async def test_expectation_that_fails() -> None:
    """After 417 the request is repeated without Expect (RFC 9110, section 10.1.1)."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        if b"\r\nExpect: " in head:
            writer.write(response(status="417 Expectation Failed"))
        else:
            writer.write(response(await reader.readexactly(5)))
        writer.close()

    heads: list[bytes] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    connector = TCPConnector(force_close=True)
    async with server, Session(connector=connector) as session:
        async with session.post(url, data=b"hello", expect100=True) as answer:
            assert (answer.status, await answer.read()) == (200, b"hello")
            assert answer.history == ()
        assert len(heads) == 2
        async with session.post(url, data=pieces_of(b"hello"), expect100=True) as answer:
            assert answer.status == 417


async def test_headers() -> None:
    """A request's fields replace the session's, and those ours, whatever their case."""
    async with (
        Origin(response()) as origin,
        Session(headers={"x-one": "1", "X-Two": "2"}) as session,
    ):
        await session.get(origin.url, headers={"X-ONE": "one", "user-agent": "me"})
        text = origin.request.decode()
        assert "\r\nX-ONE: one\r\n" in text
        assert "x-one: 1" not in text
        assert "\r\nX-Two: 2\r\nX-ONE: one\r\nuser-agent: me\r\n" in text
        assert "User-Agent" not in text


async def test_repeated_fields() -> None:
    """Pairs may say a name twice."""
    async with Origin(response()) as origin, Session() as session:
        await session.get(origin.url, headers=[("X-A", "1"), ("X-A", "2")])
        assert b"\r\nX-A: 1\r\nX-A: 2\r\n" in origin.request


async def test_secrets() -> None:
    """Cookies and credentials become fields; userinfo of the URL, too."""
    async with Origin(response()) as origin, Session() as session:
        await session.get(origin.url, cookies={"a": "1", "b": "2"}, auth=("me", "secret"))
        fields = fields_of(origin.request)
        assert fields["cookie"] == "a=1; b=2"
        assert fields["authorization"] == "Basic bWU6c2VjcmV0"
        await session.get(origin.url.replace("//", "//me:secret@"))
        assert fields_of(origin.request)["authorization"] == "Basic bWU6c2VjcmV0"


async def test_old_version() -> None:
    """HTTP/1.0 is spoken on demand, and asks to keep the connection."""
    async with Origin(response()) as origin, Session(version=(1, 0)) as session:
        await session.get(origin.url)
        assert origin.request.startswith(b"GET / HTTP/1.0\r\n")
        assert fields_of(origin.request)["connection"] == "keep-alive"
        await session.get(origin.url, version=(1, 1))
        assert origin.request.startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"X": "a\r\nY: b"}},
        {"headers": {"X\r\nY": "a"}},
        {"headers": {"Host": "a b\r\n"}},
        {"headers": [("Host", "a"), ("host", "b")]},
        {"version": (2, 0)},
    ],
)
async def test_what_can_not_be_sent(options: Any) -> None:
    """Refused requests leave the connection to others; the error is a ValueError."""
    async with Origin(response()) as origin, Session() as session:
        await session.get(origin.url)
        with pytest.raises(LocalProtocolError):
            await session.get(origin.url, **options)
        await session.get(origin.url)
        assert origin.connections == 1
        assert len(origin.requests) == 2


async def test_unused_connection_is_not_kept() -> None:
    """A connection that was opened for a request that can't be sent is closed again."""
    async with Origin(response()) as origin, Session() as session:
        with pytest.raises(LocalProtocolError):
            await session.get(origin.url, headers={"X": "a\r\nY: b"})
        assert " 0 in use, 0 idle" in repr(session)
        assert session.connector.open_connections == 0


@pytest.mark.parametrize("headers", [{1: "a"}, [("a", "b", "c")], [("a",)], ["ab"], "ab"])
async def test_what_are_no_headers(headers: Any) -> None:
    """The error says what headers are."""
    async with Session() as session:
        with pytest.raises(TypeError, match="headers must be a mapping or pairs"):
            await session.get("http://127.0.0.1/", headers=headers)
    with pytest.raises(TypeError, match="headers must be a mapping or pairs"):
        await Session(headers=headers).get("http://127.0.0.1/")


async def test_one_authorization() -> None:
    """Two would leave it to the server which one counts; the session's is replaced."""
    async with Origin(response()) as origin, Session(headers={"Authorization": "x"}) as session:
        await session.get(origin.url, auth=("me", "secret"))
        assert origin.request.count(b"Authorization: ") == 1
        with pytest.raises(ValueError, match="an Authorization header exclude each other"):
            await session.get(origin.url, auth=("a", "b"), headers={"AUTHORIZATION": "x"})


async def test_one_body_at_a_time() -> None:
    """``json`` and ``data`` exclude each other."""
    async with Session() as session:
        with pytest.raises(ValueError, match="a request has one body"):
            await session.post("http://a/", data=b"x", json={})


async def test_invalid_url() -> None:
    """A malformed URL is told from one that doesn't answer."""
    async with Session() as session:
        for url in ("ftp://a/", "nonsense", ""):
            with pytest.raises(InvalidURL):
                await session.get(url)


# Connections.


async def test_connection_is_kept() -> None:
    """Requests in a row share a connection."""
    async with Origin(echo) as origin, Session() as session:
        for _ in range(5):
            async with session.get(origin.url) as answer:
                await answer.read()
        assert origin.connections == 1
        assert (
            repr(session)
            == "<Session <TCPConnector <Pool 0 in use, 1 idle, 0 waiting, limit 100>>>"
        )


async def test_limit_is_kept() -> None:
    """At no time there are more connections than the limit; everybody is served."""
    async with Origin(echo) as origin, Session(connector=TCPConnector(limit=3)) as session:

        async def get(number: int) -> None:
            async with session.get(f"{origin.url}/{number}") as answer:
                assert (await answer.read()).startswith(b"GET /%d " % number)

        await asyncio.gather(*map(get, range(50)))
        assert origin.connections == 3


async def test_cancelled_requests_lose_no_slot() -> None:
    """Whenever requests are cancelled, the pool still serves its limit."""
    async with Origin(echo) as origin, Session(connector=TCPConnector(limit=3)) as session:

        async def get() -> None:
            async with session.get(origin.url) as answer:
                await answer.read()

        for turns in range(25):
            tasks = [asyncio.create_task(get()) for _ in range(10)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await get()
        assert " 0 in use, " in repr(session)
        assert " 0 waiting, " in repr(session)


async def test_surplus_bytes_are_nobodys_answer() -> None:
    """What comes behind an answer costs the connection, and reaches no other request."""
    answers = iter([response(b"one") + response(b"evil"), response(b"two")])
    async with Origin(lambda _: next(answers)) as origin, Session() as session:
        assert await (await session.get(origin.url)).read() == b"one"
        assert await (await session.get(origin.url)).read() == b"two"
        assert origin.connections == 2


async def test_force_close() -> None:
    """With ``force_close`` each request has a connection of its own, and says so."""
    connector = TCPConnector(force_close=True)
    async with Origin(response()) as origin, Session(connector=connector) as session:
        for _ in range(2):
            await session.get(origin.url)
            assert fields_of(origin.request)["connection"] == "close"
        assert origin.connections == 2


# The reused-connection race.


class ClosingOrigin(Origin):
    """Answers the first request of each connection, and closes at the second."""

    def __init__(self, connections: int = 1) -> None:
        super().__init__(self._close_or_answer)
        self._closing = connections

    def _close_or_answer(self, request: bytes) -> bytes | None:
        if len(self.requests) == self.connections + 1 and self._closing:
            self._closing -= 1
            return None
        return response(request)


async def test_kept_connection_that_was_closed_is_no_problem() -> None:
    """A GET is repeated once on a fresh connection, and counted."""
    async with ClosingOrigin() as origin, Session() as session:
        await session.get(origin.url)
        async with session.get(origin.url + "/again") as answer:
            assert (await answer.read()).startswith(b"GET /again ")
        assert (session.retries, origin.connections) == (1, 2)


@pytest.mark.parametrize("data", [b"x", b""])
async def test_post_is_not_repeated(data: bytes) -> None:
    """A request that may have been served already is the program's to repeat."""
    async with ClosingOrigin() as origin, Session() as session:
        await session.get(origin.url)
        with pytest.raises(ServerDisconnectedError, match="closed the connection before") as caught:
            await session.post(origin.url, data=data)
        assert (caught.value.reused, caught.value.phase, caught.value.attempt) == (True, "head", 1)
        assert session.retries == 0


async def test_stream_is_not_repeated() -> None:
    """A body that is used up can't be sent again, whatever the method."""
    async with ClosingOrigin() as origin, Session() as session:
        await session.get(origin.url)
        with pytest.raises(ServerDisconnectedError):
            await session.put(origin.url, data=pieces_of(b"x"))


async def test_repetition_can_be_switched_off() -> None:
    """``retry=False`` leaves it to the program."""
    async with ClosingOrigin() as origin, Session(retry=False) as session:
        await session.get(origin.url)
        with pytest.raises(ServerDisconnectedError):
            await session.get(origin.url)


class LosingConnector(TCPConnector):
    """Gives connections that their servers have closed by then."""

    async def lease(self, key: ConnectionKey, call: Call) -> ClientHttpProtocol:
        """Return a connection that is closed."""
        connection = await super().lease(key, call)
        connection.eof_received()
        return connection


async def test_fresh_connection_that_is_closed_before_it_is_used_is_an_error() -> None:
    """It is the client's own error with its facts, not the wire's."""
    async with Origin(response()) as origin, Session(connector=LosingConnector()) as session:
        with pytest.raises(ServerDisconnectedError, match="is closed") as caught:
            await session.get(origin.url)
        assert (caught.value.phase, caught.value.reused) == ("send", False)
        assert " 0 in use, 0 idle" in repr(session)


async def test_fresh_connection_that_is_closed_is_an_error() -> None:
    """A server that closes at once is not asked again and again."""
    async with Origin(lambda _: None) as origin, Session() as session:
        with pytest.raises(ServerDisconnectedError) as caught:
            await session.get(origin.url)
        assert not caught.value.reused
        assert isinstance(caught.value.__cause__, PeerDisconnected)
        assert origin.connections == 1


# Answers.


async def test_coded_answer() -> None:
    """Content is decoded, unless that isn't wanted."""
    coded = gzip.compress(b"hello" * 1000)
    async with Origin(response(coded, "Content-Encoding: gzip")) as origin, Session() as session:
        assert await (await session.get(origin.url)).read() == b"hello" * 1000
        plain = await session.get(origin.url, auto_decompress=False)
        assert await plain.read() == coded


async def test_identity_is_asked_for_where_nothing_is_decoded() -> None:
    """A session that doesn't decode doesn't ask for codings."""
    async with Origin(response()) as origin, Session(auto_decompress=False) as session:
        await session.get(origin.url)
        assert fields_of(origin.request)["accept-encoding"] == "identity"


async def test_truncated_coding() -> None:
    """A coded body that breaks off is no short body."""
    coded = gzip.compress(b"hello" * 1000)[:-1]
    async with Origin(response(coded, "Content-Encoding: gzip")) as origin, Session() as session:
        with pytest.raises(ClientPayloadError, match="the body ended before its gzip coding did"):
            await (await session.get(origin.url)).read()


async def test_body_that_breaks_off() -> None:
    """The connection ends before the body does; every way to read says so."""
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhello"
    async with Origin(half) as origin, Session() as session:
        message = "expected a body of 10 bytes, the connection was closed after 5"
        with pytest.raises(ClientPayloadError, match=message) as caught:
            await (await session.get(origin.url)).read()
        assert (caught.value.method, caught.value.phase) == ("GET", "body")
        with pytest.raises(ClientPayloadError, match=message):
            async for _ in (await session.get(origin.url)).content.iter_any():
                pass


async def test_malformed_answer() -> None:
    """What is no HTTP is an error at once; the wire's own error is the cause."""
    async with Origin(b"SSH-2.0-OpenSSH\r\n\r\n") as origin, Session() as session:
        with pytest.raises(MalformedResponseError, match="expected HTTP/1") as caught:
            await session.get(origin.url + "/x?y#z")
        error = caught.value
        assert isinstance(error.__cause__, BadStatusLine)
        assert (error.status, error.url) == (0, URL(origin.url + "/x?y"))
        assert error.peer == ("127.0.0.1", origin.port)


async def test_bad_status() -> None:
    """``raise_for_status`` of the session, of the request, of the response."""
    async with Origin(response(b"no", status="404 Not Found")) as origin:
        async with Session(raise_for_status=True) as session:
            with pytest.raises(ClientResponseError, match="404, message='Not Found'") as caught:
                await session.get(origin.url)
            assert caught.value.headers is not None
            assert caught.value.headers["Content-Length"] == "2"
            answer = await session.get(origin.url, raise_for_status=False)
            assert not answer.ok
            with pytest.raises(ClientResponseError):
                answer.raise_for_status()
        async with Session() as session:
            assert (await session.get(origin.url)).status == 404
            with pytest.raises(ClientResponseError):
                await session.get(origin.url, raise_for_status=True)


# Time.


async def test_total_timeout() -> None:
    """The error is a TimeoutError, and says what was waited for."""
    async with Origin(no_answer) as origin, Session() as session:
        with pytest.raises(TimeoutError, match="waiting for a response from 127") as caught:
            await session.get(origin.url, timeout=0.05)
        assert isinstance(caught.value, ServerTimeoutError)
        assert caught.value.phase == "head"
        assert 0.05 <= caught.value.elapsed < 5
        assert " 0 in use, 0 idle" in repr(session)


async def test_total_timeout_counts_for_the_body() -> None:
    """A body that doesn't come in time is an error of its readers."""
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
    async with Origin(half) as origin, Session(timeout=0.05) as session:
        answer = await session.get(origin.url)
        with pytest.raises(ServerTimeoutError, match="receiving the body from 127"):
            await answer.read()


async def test_read_timeout() -> None:
    """Silence has a limit of its own."""
    timeout = ClientTimeout(sock_read=0.05)
    async with Origin(no_answer) as origin, Session(timeout=timeout) as session:
        with pytest.raises(SocketTimeoutError, match=r"timed out after 0\.1 s waiting for a resp"):
            await session.get(origin.url)


@pytest.mark.parametrize(
    "limits", [ClientTimeout(pool=0.02), ClientTimeout(connect=0.02), ClientTimeout(total=0.02)]
)
async def test_pool_timeout(limits: ClientTimeout) -> None:
    """The wait for a connection is limited; the error says how full the pool is."""
    connector = TCPConnector(limit=1)
    async with Origin(no_answer) as origin, Session(connector=connector) as session:
        hanging = asyncio.create_task(session.get(origin.url))
        await asyncio.sleep(0)
        message = r"waiting for a connection to 127\.0\.0\.1:\d+ \(limit 1, 1 in use\)"
        with pytest.raises(ConnectionTimeoutError, match=message) as caught:
            await session.get(origin.url, timeout=limits)
        assert caught.value.phase == "pool"
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)


# Redirects.


def crossroads(request: bytes) -> bytes:
    """Redirect ``/<status>/<location>`` to the location, and answer anything else with itself."""
    target = request.split(b" ")[1].decode()
    status, _, location = target[1:].partition("/")
    if not status.isdigit():
        return response(request)
    return response(b"moved", f"Location: /{location}", status=f"{status} Moved")


async def test_redirect() -> None:
    """Redirects are followed, on the same connection; the response knows the way."""
    async with Origin(crossroads) as origin, Session() as session:
        async with session.get(origin.url + "/302/301/end#top") as answer:
            assert (await answer.read()).startswith(b"GET /end ")
            assert answer.url == URL(origin.url + "/end")
            assert answer.real_url == URL(origin.url + "/end#top")
            assert [(each.status, each.url.path) for each in answer.history] == [
                (302, "/302/301/end"),
                (301, "/301/end"),
            ]
        assert origin.connections == 1


async def test_redirect_is_not_followed_on_demand() -> None:
    """``allow_redirects=False`` gives the redirect itself; HEAD does so by default."""
    async with Origin(crossroads) as origin, Session() as session:
        answer = await session.get(origin.url + "/302/end", allow_redirects=False)
        assert (answer.status, answer["location"]) == (302, "/end")
        answer = await session.head(origin.url + "/302/end")
        assert (answer.status, await answer.read(), len(origin.requests)) == (302, b"", 2)


async def test_redirect_without_location() -> None:
    """A redirect to nowhere is an ordinary response."""
    async with Origin(response(status="302 Found")) as origin, Session() as session:
        assert (await session.get(origin.url)).status == 302


async def test_too_many_redirects() -> None:
    """A loop ends, with the history of it."""
    async with (
        Origin(response(b"", "Location: /", status="302 Found")) as origin,
        Session() as session,
    ):
        with pytest.raises(TooManyRedirects, match="more than 3 redirects") as caught:
            await session.get(origin.url, max_redirects=3)
        assert len(caught.value.history) == 4
        assert len(origin.requests) == 4


@pytest.mark.parametrize(
    ("given", "error"), [(-1, ValueError), (None, TypeError), ("3", TypeError)]
)
async def test_number_of_redirects(given: Any, error: type[Exception]) -> None:
    """What is no count is refused before anything is sent."""
    async with Origin(response()) as origin, Session() as session:
        with pytest.raises(error, match=r"max_redirects must be a count from 0 on, not .*; to get"):
            await session.get(origin.url, max_redirects=given)
        assert origin.requests == []
        assert (await session.get(origin.url, max_redirects=0)).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_stream_is_dropped_by_303(method: str) -> None:
    """It leads to a request without a body, whatever the method was (RFC 9110, 15.4.4)."""
    async with Origin(crossroads) as origin, Session() as session:
        body = pieces_of(b"hello")
        url = origin.url + "/303/end"
        async with session.request(method, url, data=body, allow_redirects=True) as answer:
            assert answer.status == 200
        assert origin.request.startswith(f"{method} /end ".encode())
        assert fields_of(origin.request).keys() == {
            "host", "accept", "accept-encoding", "user-agent",
        }  # fmt: skip


async def test_post_that_is_repeated() -> None:
    """307 repeats method and body; 303 asks for a GET without one."""
    async with Origin(crossroads) as origin, Session() as session:
        async with session.post(origin.url + "/307/end", data=b"hello") as answer:
            text = await answer.read()
            assert text.startswith(b"POST /end ")
            assert text.endswith(b"\r\n\r\nhello")
        async with session.post(origin.url + "/303/end", data=b"hello") as answer:
            text = await answer.read()
            assert text.startswith(b"GET /end ")
            assert b"content-" not in text.lower()


async def test_stream_can_not_be_repeated() -> None:
    """A redirect that asks for the body of a stream again is a clear error."""
    async with Origin(crossroads) as origin, Session() as session:
        with pytest.raises(ClientPayloadError, match="a stream can be sent only once"):
            await session.post(origin.url + "/307/end", data=pieces_of(b"hello"))
        async with session.post(origin.url + "/303/end", data=pieces_of(b"hello")) as answer:
            assert answer.status == 200


async def test_secrets_stay_with_their_origin() -> None:
    """Another port is another origin: no copy of a secret gets there."""
    async with Origin(response()) as other:
        moved = response(b"", f"Location: {other.url}/", status="302 Found")
        async with Origin(moved) as origin, Session(headers={"authorization": "one"}) as session:
            await session.get(
                origin.url,
                headers=[("AUTHORIZATION", "two"), ("Proxy-Authorization", "three"), ("X", "y")],
                cookies={"a": "b"},
            )
            assert origin.request.lower().count(b"authorization: ") == 2
            assert b"Cookie: a=b" in origin.request
            fields = fields_of(other.request)
            assert fields.keys() == {"host", "accept", "accept-encoding", "user-agent", "x"}
            assert fields["host"] == f"127.0.0.1:{other.port}"


async def test_redirect_to_a_file() -> None:
    """A server can't send a client anywhere else than to http and https."""
    moved = response(b"", "Location: file:///etc/passwd", status="302 Found")
    async with Origin(moved) as origin, Session() as session:
        with pytest.raises(NonHttpUrlRedirectClientError) as caught:
            await session.get(origin.url)
        assert (caught.value.method, caught.value.url) == ("GET", "file:///etc/passwd")


async def test_redirect_with_a_long_body() -> None:
    """The body of a redirect is neither waited for nor decoded."""
    endless = b"HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Encoding: gzip\r\n\r\nnot gzip"

    def answer(request: bytes) -> bytes:
        return endless if request.startswith(b"GET / ") else response(b"end")

    async with Origin(answer) as origin, Session() as session, session.get(origin.url) as found:
        assert await found.read() == b"end"


# Ends.


async def test_closed_session() -> None:
    """Nothing can be asked of a closed session; closing twice is fine."""
    session = Session()
    await session.close()
    session.close()
    assert session.closed
    with pytest.raises(RuntimeError, match="the session is closed"):
        await session.get("http://127.0.0.1/")


async def test_closing_ends_what_is_under_way() -> None:
    """Who waits for an answer, or for a connection, gets an error at once."""
    connector = TCPConnector(limit=1)
    async with Origin(no_answer) as origin:
        session = Session(connector=connector)
        tasks = [asyncio.ensure_future(session.get(origin.url)) for _ in range(2)]
        while not origin.requests:
            await asyncio.sleep(0)
        await session.close()
        first, second = await asyncio.gather(*tasks, return_exceptions=True)
        assert str(first).endswith("was closed on this side")
        assert str(second) == "the session was closed while a request waited"


async def test_closing_ends_a_request_on_a_kept_connection() -> None:
    """What we close ourselves is not the server's doing: it isn't tried again."""

    def once(_: bytes) -> Answer:
        return response() if len(origin.requests) == 1 else no_answer(b"")

    async with Origin(once) as origin:
        session = Session()
        await session.get(origin.url)
        task = asyncio.ensure_future(session.get(origin.url))
        while len(origin.requests) < 2:
            await asyncio.sleep(0)
        session.close()
        with pytest.raises(ClientConnectionError, match="was closed on this side") as caught:
            await task
        assert (caught.value.phase, caught.value.url) == ("head", URL(origin.url))
        assert (session.retries, origin.connections) == (0, 1)


async def test_closing_ends_a_call_between_two_requests() -> None:
    """A redirect isn't followed for a session that was closed when it came."""

    def answer(_: bytes) -> bytes:
        session.close()
        return response(b"", "Location: /", status="302 Found")

    async with Origin(answer) as origin:
        session = Session()
        with pytest.raises(ClientConnectionError) as caught:
            await session.get(origin.url)
        assert (caught.value.method, origin.connections) == ("GET", 1)


async def test_shared_connector_outlives_its_sessions() -> None:
    """Only its owner closes a connector."""
    connector = TCPConnector()
    async with Origin(response()) as origin:
        async with Session(connector=connector, connector_owner=False) as session:
            await session.get(origin.url)
        async with Session(connector=connector, connector_owner=False) as session:
            await session.get(origin.url)
        assert origin.connections == 1
        await connector.close()
    assert connector.closed


def test_session_belongs_to_one_loop() -> None:
    """A second loop gets one clear error, instead of a connection that never answers."""
    session = Session()

    async def get() -> None:
        async with Origin(response()) as origin:
            await session.get(origin.url)

    async def close() -> None:
        await session.close()

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(get())
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            second.run(get())
        first.run(close())


async def test_dropped_session_warns_if_it_left_something_open() -> None:
    """A ResourceWarning tells of connections that nobody closed; a clean end tells nothing."""
    async with Origin(response()) as origin:
        sessions = [Session()]
        connector = sessions[0].connector
        await sessions[0].get(origin.url)
        with pytest.warns(ResourceWarning, match="unclosed session with 1 open connection: use"):
            sessions.clear()
        await connector.close()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Session()
            gc.collect()


# Without a session.


async def test_request_has_a_connection_of_its_own() -> None:
    """``request`` says that its connection ends, and leaves nothing open."""
    async with Origin(echo) as origin:
        answer = await request("GET", origin.url)
        assert b"\r\nConnection: close\r\n" in await answer.read()
        async with request("POST", origin.url, data=b"x") as answer:
            assert (await answer.read()).startswith(b"POST / ")
        assert origin.connections == 2


async def test_request_with_a_session() -> None:
    """``session=`` lends connections, and what the session has."""
    async with Origin(echo) as origin, Session(headers={"X-Mine": "1"}) as session:
        for _ in range(2):
            async with request("GET", origin.url, session=session) as answer:
                assert b"X-Mine: 1" in await answer.read()
        assert origin.connections == 1


async def test_request_follows_redirects() -> None:
    """Each hop has a connection of its own."""
    async with Origin(crossroads) as origin:
        async with request("GET", origin.url + "/302/end") as answer:
            assert (await answer.read()).startswith(b"GET /end ")
        assert origin.connections == 2


def test_two_names_one_class() -> None:
    """The names of both dialects are the same objects."""
    assert ClientSession is Session


async def test_json_with_a_serializer() -> None:
    """``json_serialize`` is used for bodies."""
    async with (
        Origin(response()) as origin,
        Session(json_serialize=lambda value: json.dumps(value, indent=1)) as session,
    ):
        await session.post(origin.url, json=[1])
        assert body_of(origin.request) == b"[\n 1\n]"
