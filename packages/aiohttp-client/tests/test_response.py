"""What comes back, and how it is read and let go."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from aiohttp.client import (
    ClientConnectionError,
    ClientResponse,
    ContentTypeError,
    HttpResponse,
    Session,
    TCPConnector,
    request,
)
from origin import Origin, response

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"


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


@pytest.mark.parametrize("pieces", [1, 2])
async def test_body_can_be_read_again(pieces: int) -> None:
    """``read`` gives the same bytes as often as it is asked, whether they came at once or not."""
    whole = response(b"hello")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(whole if pieces == 1 else whole[:-2])
        if pieces == 2:
            await asyncio.sleep(0.01)
            writer.write(whole[-2:])
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        answer = await request("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
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
        ("text/plain; charset=utf-8", b"\xe4", "latin-1", "ä"),
    ],
)
async def test_text(content_type: str, body: bytes, encoding: str | None, text: str) -> None:
    """The charset is the argument's, or Content-Type's, or UTF-8."""
    data = response(body, f"Content-Type: {content_type}")
    async with Origin(data) as origin, Session() as session:
        assert await (await session.get(origin.url)).text(encoding) == text


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

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"enough"))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, Session() as session:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
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
