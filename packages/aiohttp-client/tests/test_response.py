"""What comes back, and how it is read and let go."""

from __future__ import annotations

import asyncio
import codecs
import gc
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import pytest
from yarl import URL

from aiohttp.client import (
    ClientConnectionError,
    ClientPayloadError,
    ClientResponse,
    ClientResponseError,
    ContentTypeError,
    CookieJar,
    HttpResponse,
    Session,
    TCPConnector,
    UploadAbortedError,
    request,
)
from aiohttp.client.destination import StrOrURL
from aiohttp.client.reception import Reception
from aiohttp.protocol.abc import LooseCookies
from aiohttp.protocol.disposition import ContentDisposition
from aiohttp.protocol.errors import LimitExceeded
from origin import Origin, response

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"


Handler: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handle: Handler) -> AsyncGenerator[str]:
    """Serve one connection by a function, until the client closes it; yield the URL."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handle(reader, writer)
        await reader.read()
        writer.close()
        ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await ended.wait()


def in_two(first: bytes, rest: bytes, go_on: asyncio.Event) -> AbstractAsyncContextManager[str]:
    """Serve a response in two parts, the second one when it is told."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        await go_on.wait()
        writer.write(rest)

    return serving(handle)


async def hasty(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve a response before the request has come."""
    writer.write(response(b"enough"))


async def test_head_of_a_response() -> None:
    """Everything that the head says is there, in the words of both dialects."""
    data = response(b"", "X-A: 1", "x-a: 2", status="404 Not Found")
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url + "/p#f")
        assert (answer.status, answer.reason, answer.version) == (404, "Not Found", (1, 1))
        assert (answer.method, answer.host, answer.ok) == ("GET", "127.0.0.1", False)
        assert (answer.url, answer.real_url) == (
            URL(origin.url + "/p"),
            URL(origin.url + "/p#f"),
        )
        assert (answer["x-A"], answer.get("X-B"), answer.get("X-B", "c")) == ("1", None, "c")
        assert (answer.get_all("X-A"), answer.get_all("X-B")) == (["1", "2"], [])
        assert repr(answer) == f"<HttpResponse GET {origin.url}/p [404 Not Found]>"
        info = answer.request_info
        assert (info.method, info.url, info.headers["accept"]) == ("GET", answer.url, "*/*")


async def test_response_is_a_mapping_of_its_fields() -> None:
    """As in 2014 the fields are looked up in the response itself; it is true without any."""
    async with Origin(response(b"", "X-A: 1", "x-c: 2")) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert "x-A" in answer
        assert "X-B" not in answer
        assert list(answer) == list(answer.keys()) == ["Content-Length", "X-A", "x-c"]
        assert list(answer.values()) == ["0", "1", "2"]
        assert list(answer.items())[2] == ("x-c", "2")
        with pytest.raises(KeyError):
            answer["X-B"]
    async with Origin(b"HTTP/1.1 204 No Content\r\n\r\n") as origin, Session() as session:
        answer = await session.get(origin.url)
        assert (dict(answer), bool(answer)) == ({}, True)


async def test_message_is_the_head() -> None:
    """The name of 2014 gives the head as it was parsed."""
    async with Origin(response(b"", "X-A: 1", status="201 Made")) as origin, Session() as session:
        message = (await session.get(origin.url)).message
        assert (message.status, message.reason, message.version) == (201, "Made", (1, 1))
        assert message.headers["X-A"] == "1"


async def test_raw_headers() -> None:
    """The fields are there as octets, in the spelling and order of the wire."""
    async with Origin(response(b"", "x-A:  ä\t")) as origin:
        answer = await request("GET", origin.url)
        assert answer.raw_headers == ((b"Content-Length", b"0"), (b"x-A", "ä".encode()))


async def test_trailers() -> None:
    """The fields behind a body are there when it has come."""
    data = (
        b"HTTP/1.1 200 OK\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\n"
        b"X-Digest: abc\r\n\r\n"
    )
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert await answer.read() == b"hello"
        assert dict(answer.trailers) == {"X-Digest": "abc"}
    async with Origin(response(b"hello")) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert dict(answer.trailers) == {}


async def test_early_hints() -> None:
    """What 103 announced is there, one after the other, with the response that it came with."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: <%s>\r\n\r\n"
    data = hints % b"/1.css" + hints % b"/2.css" + response(b"hello")
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert [dict(fields) for fields in answer.early_hints] == [
            {"Link": "</1.css>"},
            {"Link": "</2.css>"},
        ]
    async with Origin(response()) as origin, Session() as session:
        assert (await session.get(origin.url)).early_hints == ()


async def test_cookies() -> None:
    """Cookies are those that this response sets; always the same object."""
    data = response(b"", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", "Set-Cookie: ;;=")
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert {name: morsel.value for name, morsel in answer.cookies.items()} == {
            "a": "1",
            "b": "2",
        }
        assert answer.cookies["a"]["path"] == "/"
        assert answer.cookies is answer.cookies
    async with Origin(response()) as origin, Session() as session:
        assert not (await session.get(origin.url)).cookies


async def test_links() -> None:
    """Links are resolved against what was requested."""
    data = response(b"", "Link: </p/2>; rel=next", "Link: <1>; rel=prev")
    async with Origin(data) as origin, Session() as session:
        links = (await session.get(origin.url + "/p/x#f")).links
        assert links["next"]["url"] == URL(origin.url + "/p/2")
        assert links["prev"]["url"] == URL(origin.url + "/p/1")
    async with Origin(response()) as origin, Session() as session:
        assert not (await session.get(origin.url)).links


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            ["Content-Disposition: attachment; filename=a.txt"],
            ContentDisposition("attachment", {"filename": "a.txt"}, "a.txt"),
        ),
        (["Content-Disposition: ;;"], None),
        ([], None),
    ],
)
async def test_content_disposition(fields: list[str], expected: ContentDisposition | None) -> None:
    """It is parsed; None says that it isn't there, or malformed."""
    async with Origin(response(b"", *fields)) as origin, Session() as session:
        assert (await session.get(origin.url)).content_disposition == expected


@pytest.mark.parametrize("data", [HALF, response(b"hello")])
async def test_connection_can_be_looked_at(data: bytes) -> None:
    """Whom the response comes from can be seen, even when all of it has come at once."""
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url)
        connection = answer.connection
        assert connection.transport is not None
        assert connection.transport.get_extra_info("peername") == ("127.0.0.1", origin.port)
        assert connection.closed is answer.closed is (data is not HALF)
        assert f"{origin.port} " in repr(connection)
        connection.release()
        connection.close()
        assert connection.closed


@pytest.mark.parametrize("pieces", [1, 2])
async def test_body_can_be_read_again(pieces: int) -> None:
    """``read`` gives the same bytes as often as it is asked, whether they came at once or not."""
    whole = response(b"hello")
    go_on = asyncio.Event()
    async with in_two(
        whole[: None if pieces == 1 else -2], whole[-2:] * (pieces - 1), go_on
    ) as url:
        answer = await request("GET", url)
        go_on.set()
        assert await answer.read() == await answer.read() == b"hello"
        assert await answer.text() == "hello"


@pytest.mark.parametrize(
    ("content_type", "body", "encoding", "text"),
    [
        ("text/plain", "ä".encode(), None, "ä"),
        ("text/plain; charset=latin-1", b"\xe4", None, "ä"),
        ('text/plain; Charset="ISO-8859-1"', b"\xe4", None, "ä"),
        ("text/plain; charset=nonsense", "ä".encode(), None, "ä"),
        ("text/plain; charset=hex", "ä".encode(), None, "ä"),
        ("text/plain; charset=utf-16-le", b"\xe4\0", None, "ä"),
        ("text/plain; charset=utf-16", b"\xff\xfe\xe4\0", None, "ä"),
        ("text/plain; title; charset = latin-1", b"\xe4", None, "ä"),
        ('text/plain; a="; charset=latin-1"', "ä".encode(), None, "ä"),
        ('text/plain; a="\\"; charset=latin-1', "ä".encode(), None, "ä"),
        ('text/plain; a="; charset=hex"; charset="latin-1"', b"\xe4", None, "ä"),
        ("text/plain; charset=utf-8", b"\xe4", "latin-1", "ä"),
    ],
)
async def test_text(content_type: str, body: bytes, encoding: str | None, text: str) -> None:
    """The charset is the argument's, or Content-Type's, or UTF-8."""
    data = response(body, f"Content-Type: {content_type}")
    async with Origin(data) as origin, Session() as session:
        assert await (await session.get(origin.url)).text(encoding) == text


@pytest.mark.parametrize(
    "name", ["punycode", "IDNA", "unicode_escape", "raw-unicode-escape", "x" * 8000]
)
async def test_charset_that_is_none(name: str) -> None:
    """Codecs of Python's own, of which punycode takes square time, are no charsets."""
    data = response(rb"\u0041-", f"Content-Type: text/plain; charset={name}")
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert (answer.charset, answer.get_encoding()) == (name, "utf-8")
        assert await answer.text() == r"\u0041-"


async def test_names_of_charsets_are_short() -> None:
    """Python keeps each unknown name for good, so it isn't asked for what can be none."""
    asked: list[str] = []
    ask = asked.append
    codecs.register(ask)
    try:
        for name in ("x" * 45, "y" * 46):
            data = response(b"", f"Content-Type: text/plain; charset={name}")
            async with Origin(data) as origin, Session() as session:
                assert (await session.get(origin.url)).get_encoding() == "utf-8"
    finally:
        codecs.unregister(ask)
    assert set(asked) == {"x" * 45}


async def test_text_of_unknown_charset() -> None:
    """A session may have its own rule for text that doesn't say its encoding."""
    seen: list[tuple[HttpResponse, bytes]] = []

    def resolve(answer: HttpResponse, body: bytes) -> str:
        seen.append((answer, body))
        return "latin-1"

    async with (
        Origin(response(b"\xe4", "Content-Type: text/plain")) as origin,
        Session(fallback_charset_resolver=resolve) as session,
    ):
        answer = await session.get(origin.url)
        with pytest.raises(RuntimeError, match=r"await read\(\) first"):
            answer.get_encoding()
        assert await answer.text() == "ä"
        assert answer.get_encoding() == "latin-1"
        assert seen == [(answer, b"\xe4")] * 2


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/hal+json", "text/plain; charset=utf-8"]
)
async def test_encoding_that_is_known(content_type: str) -> None:
    """The session's rule isn't asked about JSON, nor where a charset is named."""

    def resolve(answer: HttpResponse, body: bytes) -> str:
        raise AssertionError

    async with (
        Origin(response("ä".encode(), f"Content-Type: {content_type}")) as origin,
        Session(fallback_charset_resolver=resolve) as session,
    ):
        answer = await session.get(origin.url)
        assert answer.get_encoding() == "utf-8"
        assert await answer.text() == "ä"


async def test_text_with_errors() -> None:
    """What can't be decoded is an error, unless the program wants it otherwise."""
    async with Origin(response(b"\xff")) as origin, Session() as session:
        answer = await session.get(origin.url)
        with pytest.raises(UnicodeDecodeError):
            await answer.text()
        assert await answer.text(errors="replace") == "\ufffd"


@pytest.mark.parametrize("content_type", ["application/json", "application/problem+json; x=y"])
async def test_json(content_type: str) -> None:
    """JSON is what says it is JSON."""
    data = response(b'{"a": [1]}', f"Content-Type: {content_type}")
    async with Origin(data) as origin, Session() as session:
        assert await (await session.get(origin.url)).json() == {"a": [1]}


async def test_json_of_another_type() -> None:
    """Another type is an error that names both; None accepts it."""
    async with Origin(response(b"[1]", "Content-Type: text/html")) as origin, Session() as session:
        answer = await session.get(origin.url)
        with pytest.raises(ContentTypeError, match="of type application/json, got text/html"):
            await answer.json()
        assert await answer.json(content_type=None) == [1]
        assert await answer.json(content_type="text/html") == [1]


async def test_error_of_a_long_type_is_short() -> None:
    """What a server may say at length is cut."""
    data = response(b"[1]", f"Content-Type: {'x' * 5000}")
    async with Origin(data) as origin, Session() as session:
        with pytest.raises(ContentTypeError) as caught:
            await (await session.get(origin.url)).json()
        assert len(str(caught.value)) < 400


async def test_json_with_another_parser() -> None:
    """``loads`` is given the text; a byte order mark isn't part of it."""
    data = response("\ufeff[1.5]".encode(), "Content-Type: application/json")
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert await answer.json(loads=lambda text: json.loads(text, parse_float=str)) == ["1.5"]
        assert await answer.json() == [1.5]


async def test_json_that_is_none() -> None:
    """A body that only claims to be JSON is a ValueError."""
    async with (
        Origin(response(b"{", "Content-Type: application/json")) as origin,
        Session() as session,
    ):
        with pytest.raises(ValueError, match="Expecting property name"):
            await (await session.get(origin.url)).json()


async def test_json_of_nothing() -> None:
    """An empty body has no value."""
    async with (
        Origin(response(b" ", "Content-Type: application/json")) as origin,
        Session() as session,
    ):
        assert await (await session.get(origin.url)).json() is None


async def test_read_and_decode() -> None:
    """2014's ``read(decode=True)`` decodes JSON, and leaves the rest as bytes."""
    async with (
        Origin(response(b"[1]", "Content-Type: application/json")) as origin,
        Session() as session,
    ):
        assert await (await session.get(origin.url)).read(decode=True) == [1]
    async with Origin(response(b"[1]")) as origin, Session() as session:
        assert await (await session.get(origin.url)).read(decode=True) == b"[1]"


async def test_content_is_a_stream() -> None:
    """A body can be read in pieces, by lines, and to its end."""
    async with Origin(response(b"one\ntwo\n")) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert [line async for line in answer.content] == [b"one\n", b"two\n"]
        assert answer.content.at_eof()


@pytest.mark.parametrize(
    "data",
    [response(b"hello"), b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"],
    ids=["whole", "stream"],
)
async def test_body_is_there_once(data: bytes) -> None:
    """What the stream gave, ``read`` doesn't give again, nor the other way round."""
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert await answer.content.read() == b"hello"
        assert await answer.read() == b""
        answer = await session.get(origin.url)
        assert await answer.read() == b"hello"
        assert await answer.content.read() == b""


async def test_empty_body() -> None:
    """No body is an empty one."""
    async with Origin(response()) as origin, Session() as session:
        answer = await session.get(origin.url)
        assert await answer.read() == b""
        assert await answer.content.read() == b""


@pytest.mark.parametrize(
    "data",
    [
        response(b"hello"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
    ids=["whole", "announced", "chunked"],
)
async def test_read_has_a_bound(data: bytes) -> None:
    """What is kept in memory is bounded, and refused before the rest has come."""
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url)
        answer._call.reception = Reception(max_read=4)
        for _ in range(2):
            with pytest.raises(ClientPayloadError, match="expected a body of at most 4 bytes"):
                await answer.read()


async def test_read_that_is_cancelled_loses_nothing() -> None:
    """Whoever gave up waiting can ask again, and gets all of it."""
    go_on = asyncio.Event()
    async with in_two(HALF, b"world", go_on) as url, Session() as session:
        answer = await session.get(url)
        reading = asyncio.create_task(answer.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        go_on.set()
        assert await answer.read() == b"helloworld"


async def test_body_that_broke_off_stays_broken() -> None:
    """A part of a body never passes for the whole, however often it is asked for."""
    data = HALF.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url)
        with pytest.raises(ClientPayloadError, match="expected a body of 10 bytes") as caught:
            await answer.read()
        assert (caught.value.method, caught.value.phase) == ("GET", "body")
        with pytest.raises(ClientPayloadError, match="expected a body of 10 bytes"):
            await answer.read()


# Errors that the status stands for.


async def test_raise_for_status() -> None:
    """A status of 400 or more is an error with all facts; others are none."""
    data = response(b"why", "X-A: 1", status="404 Not Found")
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url + "/p")
        with pytest.raises(ClientResponseError) as caught:
            answer.raise_for_status()
        error = caught.value
        assert str(error) == f"404, message='Not Found', url='{origin.url}/p'"
        assert (error.status, error.message, error.history) == (404, "Not Found", ())
        assert (error.headers or {})["X-A"] == "1"
        assert (error.method, error.url, error.phase) == ("GET", answer.url, "body")
    async with Origin(response(status="304 Not Modified")) as origin, Session() as session:
        (await session.get(origin.url)).raise_for_status()


async def test_raise_for_status_lets_go() -> None:
    """Outside of a block nobody else would: the response is released."""
    data = HALF.replace(b"200 OK", b"500 Oops").replace(b"10", b"1000000")
    async with Origin(data) as origin, Session() as session:
        answer = await session.get(origin.url)
        with pytest.raises(ClientResponseError):
            answer.raise_for_status()
        assert answer.closed


@pytest.mark.parametrize("is_awaited", [False, True])
async def test_body_of_an_error_can_be_read_in_the_block(is_awaited: bool) -> None:
    """Inside of ``async with`` the end of the block lets go, and the server may explain."""
    go_on = asyncio.Event()
    first = HALF.replace(b"200 OK", b"400 No")
    async with in_two(first, b" you!", go_on) as url, Session() as session:
        coming = session.get(url)
        async with await coming if is_awaited else coming as answer:
            with pytest.raises(ClientResponseError):
                answer.raise_for_status()
            assert not answer.closed
            go_on.set()
            assert await answer.text() == "hello you!"


@pytest.mark.parametrize(
    ("size", "limit"), [(300_000, "Limits.read_buffer=262144"), (20, "max_size=8")]
)
async def test_line_too_long(size: int, limit: str) -> None:
    """A line over its limit is an error of the client, with all facts; the body can be read."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = head + b"%x\r\n%s\r\n" % (size, b"x" * size)
    ending = asyncio.Event()
    async with in_two(data, b"0\r\n\r\n", ending) as url, Session() as session:
        answer = await session.get(url)
        with pytest.raises(ClientPayloadError, match=r"expected b'\\n' within") as caught:
            if limit == "max_size=8":
                await answer.content.readuntil(max_size=8)
            async for _ in answer.content:
                pass
        error = caught.value
        assert (error.method, error.url, error.phase) == ("GET", URL(url), "body")
        assert (error.limit, error.peer) == (limit, ("127.0.0.1", URL(url).port))
        assert isinstance(error.__cause__, LimitExceeded)
        ending.set()
        assert await answer.read() == b"x" * size


async def test_error_of_a_redirect_is_about_the_redirect() -> None:
    """A response of the history speaks of its own request, not of the last one."""

    def answer(request: bytes) -> bytes:
        if request.startswith(b"POST"):
            return response(
                b"[]", "Location: /b", "Content-Type: text/html", status="303 See Other"
            )
        return response(b"")

    async with Origin(answer) as origin, Session() as session:
        final = await session.post(origin.url + "/a", data=b"x")
        (first,) = final.history
        with pytest.raises(ContentTypeError) as caught:
            await first.json()
        assert (caught.value.method, caught.value.url) == ("POST", URL(origin.url + "/a"))


async def test_redirect_has_its_own_connection() -> None:
    """Where a redirect came from stays to be seen, in its errors, too."""
    async with Origin(response(b"")) as last:
        data = response(b"[]", f"Location: {last.url}", status="302 Found")
        async with Origin(data) as origin, Session() as session:
            final = await session.get(origin.url)
            (first,) = final.history
            for answer, port in [(first, origin.port), (final, last.port)]:
                assert f":{port} " in repr(answer.connection)
                with pytest.raises(ContentTypeError) as caught:
                    await answer.json()
                assert caught.value.peer == ("127.0.0.1", port)


async def test_class_of_ones_own() -> None:
    """A subclass is made like ours, and may have attributes."""

    class Traced(HttpResponse):
        label = ""

        async def read(self, decode: bool = False) -> bytes:
            body: bytes = await super().read()
            self.label = f"{self.method} {len(body)}"
            return body

    async with Origin(response(b"hello")) as origin, Session(response_class=Traced) as session:
        answer = await session.get(origin.url)
        assert isinstance(answer, Traced)
        assert repr(answer).startswith("<Traced GET ")
        assert await answer.text() == "hello"
        assert answer.label == "GET 5"


@pytest.mark.parametrize("culprit", ["class", "jar"])
async def test_failure_of_the_program_lets_go(
    culprit: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Where its own class or jar raises, nobody gets the response, and no connection is lost."""

    class Broken(HttpResponse):
        def __init__(self, *_: object) -> None:
            raise LookupError("broken")

    class BrokenJar(CookieJar):
        def update_cookies(
            self, cookies: LooseCookies, response_url: StrOrURL | None = None
        ) -> None:
            raise LookupError("broken")

    session = Session(
        response_class=Broken if culprit == "class" else HttpResponse,
        cookie_jar=BrokenJar() if culprit == "jar" else None,
    )
    data = HALF.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=1\r\n\r\n")
    async with Origin(data) as origin, session:
        with pytest.raises(LookupError, match="broken"):
            await session.get(origin.url)
        assert " 0 in use, 0 idle" in repr(session)
    assert caplog.messages == []


# Letting go.


async def test_read_and_close_keeps_the_connection() -> None:
    """A body that was read whole leaves its connection to others."""
    async with Origin(response(b"hello")) as origin, Session() as session:
        for _ in range(2):
            assert await (await session.get(origin.url)).read_and_close() == b"hello"
        assert origin.connections == 1


async def test_close_gives_up_the_rest() -> None:
    """Closing before the end closes the connection at once; reading on is an error."""
    async with Origin(HALF) as origin, Session() as session:
        answer = await session.get(origin.url)
        answer.close()
        answer.close(True)
        assert answer.closed
        assert " 0 in use, 0 idle" in repr(session)
        with pytest.raises(ClientConnectionError, match="closed before its body had been read"):
            await answer.read()


async def test_close_gives_up_the_upload() -> None:
    """A response may be complete before its request: closing ends the sending, too."""
    ended = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0)
        finally:
            ended.set()

    async with serving(hasty) as url, Session() as session:
        answer = await session.post(url, data=endless())
        assert await answer.read() == b"enough"
        assert " 1 in use" in repr(session)
        answer.close()
        await ended.wait()
        assert answer.closed
        assert " 0 in use, 0 idle" in repr(session)


async def test_close_of_a_complete_response_harms_nobody() -> None:
    """The connection may serve somebody else by then."""
    async with Origin(response(b"hello")) as origin, Session() as session:
        first = await session.get(origin.url)
        second = asyncio.create_task(session.get(origin.url))
        await asyncio.sleep(0)
        first.close()
        first.release()
        assert await (await second).read() == b"hello"
        assert origin.connections == 1


async def test_leaving_the_block_lets_go() -> None:
    """After ``async with`` nothing is held, whatever was read."""
    connector = TCPConnector(limit=1)
    async with (
        Origin(HALF.replace(b"10", b"1000000")) as origin,
        Session(connector=connector) as session,
    ):
        for _ in range(2):
            async with session.get(origin.url, timeout=5) as answer:
                assert await answer.content.readexactly(2) == b"he"
            async with await session.get(origin.url, timeout=5) as answer:
                pass


async def test_release_can_be_awaited() -> None:
    """As in aiohttp 3, ``await response.release()`` works; nothing warns if it isn't awaited."""
    async with Origin(response(b"x")) as origin, Session() as session:
        answer = await session.get(origin.url)
        await answer.release()
        answer.release()


async def test_wait_for_close() -> None:
    """It returns when request and response are complete."""
    async with Origin(response(b"hello")) as origin, Session() as session:
        answer = await session.post(origin.url, data=b"x" * 100_000)
        await answer.wait_for_close()
        assert answer.closed


async def test_wait_for_close_lets_go_of_what_nobody_reads() -> None:
    """A body larger than any buffer doesn't keep it waiting."""
    data = response(b"x" * 3_000_000)
    async with Origin(data) as origin, Session() as session:
        answer = await session.post(origin.url, data=b"x" * 100_000)
        await answer.wait_for_close()
        assert answer.closed


async def test_wait_for_close_tells_of_an_upload_that_failed() -> None:
    """The response had come, so nobody else learns what the program's iterable raised."""
    answered = asyncio.Event()

    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        await answered.wait()
        raise LookupError("no more")

    async with serving(hasty) as url, Session() as session:
        answer = await session.post(url, data=broken())
        assert await answer.read() == b"enough"
        answered.set()
        with pytest.raises(LookupError, match="no more"):
            await answer.wait_for_close()
        assert answer.closed


async def test_upload_goes_on_behind_an_early_response() -> None:
    """Also where the connection is to be closed then, as by ``request()`` without a session."""
    received = asyncio.get_running_loop().create_future()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response(b"enough"))
        await writer.drain()
        received.set_result(len(await reader.readexactly(4_000_000)))

    async with serving(handle) as url:
        answer = await request("POST", url, data=b"x" * 4_000_000)
        assert await answer.read() == b"enough"
        await answer.wait_for_close()
        assert await received == 4_000_000


async def test_wait_for_close_tells_of_an_upload_that_was_cut() -> None:
    """A body that didn't arrive whole is no success, although there is a response."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response(b"enough"))
        await writer.drain()
        writer.transport.abort()

    async with serving(handle) as url:
        answer = await request("POST", url, data=b"x" * 8_000_000)
        assert await answer.read() == b"enough"
        with pytest.raises(UploadAbortedError, match="before the body was sent whole") as caught:
            await answer.wait_for_close()
        assert caught.value.method == "POST"


async def test_dropped_response_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A response that nobody read is logged with method and URL, and its connection closed."""
    async with Origin(HALF) as origin, Session() as session:
        answer = await session.get(origin.url.replace("//", "//me:secret@") + "/p")
        with caplog.at_level(logging.WARNING, "aiohttp.client"):
            del answer
            gc.collect()
        (message,) = caplog.messages
        assert message.startswith("response dropped unread, its connection is closed: GET")
        assert f" {origin.url}/p: read it" in message
        await asyncio.sleep(0)
        assert " 0 in use, 0 idle" in repr(session)


@pytest.mark.parametrize("data", [HALF, response(b"hello")])
async def test_response_that_was_let_go_is_not_told(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Who closes, releases or has it all is left in peace."""
    async with Origin(data) as origin, Session() as session:
        (await session.get(origin.url)).close()
        (await session.get(origin.url)).release()
        async with session.get(origin.url):
            pass
        gc.collect()
        assert caplog.messages == []


def test_two_names_one_class() -> None:
    """The names of both dialects are the same objects."""
    assert ClientResponse is HttpResponse


async def test_line_of_a_small_body_that_is_too_long() -> None:
    """Whether a body came with its head or not, its errors are the client's."""
    async with Origin(response(b"hello\n")) as origin, Session() as session:
        answer = await session.get(origin.url)
        with pytest.raises(ClientPayloadError, match="within 3 bytes of the body") as caught:
            await answer.content.readuntil(max_size=3)
        assert str(caught.value.url) == origin.url
