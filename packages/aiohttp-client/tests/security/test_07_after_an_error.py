"""Rule 7: after an error, and after a body that nobody read, no byte of a connection counts."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from aiohttp.client import ClientError, ClientTimeout, Session
from odd import SMUGGLED, refusal
from origin import Answer, Origin, response

LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 1000


async def answers_of_its_own(origin: Origin, session: Session) -> bool:
    """Whether the next request gets the answer that is meant for it."""
    async with session.get(origin.url) as answer:
        return await answer.read() == b"good"


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"<html>HTTP/0.9</html>",
        b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80",
        b"\x15\x03\x03\0\x02\x02\x50",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"\r\n\r\n",
    ],
    ids=["SSH", "HTTP/0.9", "HTTP/2", "TLS", "version", "status", "empty"],
)
async def test_what_is_no_response(data: bytes) -> None:
    """CVE-2024-49768: it ends the exchange at once, and the connection with it."""
    await refusal(data)
    await refusal(data, behind=b"")


@pytest.mark.parametrize(
    "first",
    [
        response(b"ok"),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
        response(b"", "Location: /next", status="302 Found"),
        response(b"x", status="500 Oh"),
    ],
)
async def test_nobody_asked_for_a_second_answer(first: bytes) -> None:
    """A surplus answer, in the same segment or later, is never that of the next request."""
    answers = iter([first + SMUGGLED, response(b"good"), response(b"good")])
    async with Origin(lambda _: next(answers)) as origin, Session() as session:
        async with session.get(origin.url) as answer:
            assert "X-Evil" not in answer.headers
        assert await answers_of_its_own(origin, session)
        assert origin.connections == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_answer_on_an_idle_connection(method: str) -> None:
    """What came while nobody asked condemns the connection, before the loop has told of it, too.

    But for the first millisecond, in which what comes could as well come behind the next request.
    """
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            sock, _ = server.accept()
            accepted.append(sock)
            sock.recv(65536)
            sock.sendall(response(b"good"))

        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        async with Session(timeout=5) as session:
            for _ in range(3):
                thread = asyncio.to_thread(serve)
                _, answer = await asyncio.gather(thread, session.request(method, url))
                assert await answer.read() == b"good"
                accepted[-1].sendall(SMUGGLED)
                time.sleep(0.002)  # noqa: ASYNC251 the loop must not learn of it
    for sock in accepted:
        sock.close()


@pytest.mark.parametrize("leave", ["close", "release", "drop", "half"])
async def test_body_that_nobody_read(leave: str) -> None:
    """CVE-2024-49768: a response that was left half-read takes its connection along."""
    answers = iter([LONG, response(b"good")])
    async with Origin(lambda _: next(answers)) as origin, Session() as session:
        answer = await session.get(origin.url)
        if leave == "half":
            await answer.content.read(10)
        if leave == "close":
            answer.close()
        elif leave != "drop":
            answer.release()
        del answer
        assert await answers_of_its_own(origin, session)
        assert origin.connections == 2


@pytest.mark.parametrize("limit", [ClientTimeout(total=0.05), ClientTimeout(sock_read=0.05)])
async def test_answer_that_comes_too_late(limit: ClientTimeout) -> None:
    """After a limit in time nobody waits for the answer, nor takes it for another one's."""
    late = asyncio.Event()

    async def hold() -> bytes:
        await late.wait()
        return SMUGGLED

    answers: Iterator[Callable[[], Answer]] = iter([hold, lambda: response(b"good")])

    def answer(_: bytes) -> Answer:
        return next(answers)()

    async with Origin(answer) as origin, Session() as session:
        with pytest.raises(TimeoutError):
            await session.get(origin.url, timeout=limit)
        late.set()
        assert await answers_of_its_own(origin, session)
        assert origin.connections == 2


async def test_answer_to_a_cancelled_request() -> None:
    """Likewise after a request was cancelled."""
    asked, late = asyncio.Event(), asyncio.Event()

    async def hold() -> bytes:
        asked.set()
        await late.wait()
        return SMUGGLED

    answers: Iterator[Callable[[], Answer]] = iter([hold, lambda: response(b"good")])

    def answer(_: bytes) -> Answer:
        return next(answers)()

    async with Origin(answer) as origin, Session() as session:
        task = asyncio.ensure_future(session.get(origin.url))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        late.set()
        assert await answers_of_its_own(origin, session)
        assert origin.connections == 2


async def test_reader_of_what_failed_fails_again() -> None:
    """No second read gets what the first one refused."""
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nXX\r\n"
    async with Origin(data + SMUGGLED) as origin, Session() as session:
        answer = await session.get(origin.url)
        for _ in range(3):
            with pytest.raises(ClientError):
                await answer.read()
