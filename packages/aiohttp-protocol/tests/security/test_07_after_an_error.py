"""Rule 7: after an error, a refused upgrade or an unread body nothing more is parsed."""

from __future__ import annotations

import asyncio

import pytest

from aiohttp.protocol.http1.server import ServerHttpProtocol
from aiohttp.protocol.http1.server_exchange import ServerExchange
from wire import MemoryTransport, connect, cuts

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


class Server(ServerHttpProtocol):
    """A server that answers each request with 200, without reading its body."""

    __slots__ = ("targets",)

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    async def handle_request(self, exchange: ServerExchange) -> None:
        """Answer, and remember what was asked for."""
        self.targets.append(exchange.head.target)
        await exchange.respond(200, [], b"ok")


async def serve(pieces: list[bytes]) -> tuple[Server, MemoryTransport]:
    """Return a server that got these pieces, each in a turn of the loop of its own."""
    server = Server()
    transport = connect(server)
    for piece in pieces:
        transport.feed(piece)
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    return server, transport


REFUSED: dict[str, tuple[int, bytes]] = {
    "CVE-2023-47641 CL and TE": (
        400,
        (
            b"POST / HTTP/1.1\r\n"
            b"Host: a\r\n"
            b"Content-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n"
            b"\r\n"
            b"0\r\n\r\n"
        ),
    ),
    "bad field": (400, b"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n"),
    "no Host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "no HTTP": (400, b"\x16\x03\x01\r\n\r\n"),
    "bare LF": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "unknown coding": (
        501,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    ),
    "unknown expectation": (417, b"POST / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n"),
    "unknown version": (505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    "long target": (414, b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    "unserved CONNECT": (501, b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
}


@pytest.mark.parametrize(("status", "data"), REFUSED.values(), ids=REFUSED.keys())
async def test_nothing_behind_a_refused_request(status: int, data: bytes) -> None:
    """CVE-2024-49768: one answer, a closed connection, and the next request isn't served."""
    for pieces in cuts(data + SMUGGLED, splits=8):
        server, transport = await serve(pieces)
        transport.feed(SMUGGLED)
        await asyncio.sleep(0)
        assert server.targets == []
        assert transport.written.count(b"\r\nDate: ") == 1
        assert transport.written.startswith(b"HTTP/1.1 %d " % status)
        assert b"\r\nConnection: close\r\n" in transport.written
        assert transport.is_eof_written
        transport.lose()
        await asyncio.sleep(0)


UPGRADES = {
    "CVE-2026-69243 length": (
        b"GET /upgrade HTTP/1.1\r\n"
        b"Host: a\r\n"
        b"Connection: Upgrade\r\n"
        b"Upgrade: websocket\r\n"
        b"Content-Length: %d\r\n"
        b"\r\n"
        b"%b" % (len(SMUGGLED), SMUGGLED)
    ),
    "CVE-2026-69243 chunked": (
        b"GET /upgrade HTTP/1.1\r\n"
        b"Host: a\r\n"
        b"Connection: Upgrade\r\n"
        b"Upgrade: websocket\r\n"
        b"Transfer-Encoding: chunked\r\n"
        b"\r\n"
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
    ),
    "gunicorn 25.3-26.1 unread body": (
        b"POST /unread HTTP/1.1\r\n"
        b"Host: a\r\n"
        b"Content-Length: %d\r\n"
        b"\r\n"
        b"%b" % (len(SMUGGLED), SMUGGLED)
    ),
    "CVE-2024-49768 unread body and close": (
        b"POST /unread HTTP/1.1\r\n"
        b"Host: a\r\n"
        b"Connection: close\r\n"
        b"Content-Length: 0\r\n"
        b"\r\n" + SMUGGLED
    ),
}  # fmt: skip


@pytest.mark.parametrize("data", UPGRADES.values(), ids=UPGRADES.keys())
async def test_body_is_never_a_request(data: bytes) -> None:
    """What is body, or stands behind the last request, isn't parsed as a request, at any cut."""
    for pieces in cuts(data, splits=16):
        server, transport = await serve(pieces)
        assert len(server.targets) == 1
        assert "/smuggled" not in server.targets
        transport.lose()
        await asyncio.sleep(0)


async def test_request_behind_an_unread_body_is_served() -> None:
    """A body that nobody read is dropped, and exactly behind it goes on (pipelining)."""
    body = UPGRADES["gunicorn 25.3-26.1 unread body"]
    for pieces in cuts(body + b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n", splits=16):
        server, transport = await serve(pieces)
        assert server.targets == ["/unread", "/next"]
        transport.lose()
        await asyncio.sleep(0)


async def test_error_behind_a_good_request_leaves_its_answer() -> None:
    """The answer to a good request is sent before the one to the bad request behind it."""
    good = b"GET /good HTTP/1.1\r\nHost: a\r\n\r\n"
    for pieces in cuts(good + b"BAD\r\n\r\n" + SMUGGLED, splits=16):
        server, transport = await serve(pieces)
        assert server.targets == ["/good"]
        first, _, second = transport.written.partition(b"HTTP/1.1 400 ")
        assert first.startswith(b"HTTP/1.1 200 ")
        assert first.endswith(b"ok")
        assert second.count(b"\r\nDate: ") == 1
        transport.lose()
        await asyncio.sleep(0)


async def test_peer_that_vanishes_at_any_byte() -> None:
    """CVE-2024-49769, CVE-2022-31015: a client may go away at any byte; nothing is left behind."""
    data = UPGRADES["CVE-2026-69243 chunked"]
    for place in range(1, len(data)):
        server, transport = await serve([data[:place]])
        transport.lose(ConnectionResetError("gone"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not server._service.connections
        assert not server._service.tasks
