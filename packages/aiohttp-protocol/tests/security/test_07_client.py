"""Rules 6 to 8 at the client's end: what a server says ends, and nothing behind an error counts."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc

import pytest

from aiohttp.protocol.errors import (
    DecompressionBomb,
    HttpException,
    LimitExceeded,
    PeerDisconnected,
)
from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.http1.client_exchange import ClientExchange
from aiohttp.protocol.limits import KIB, MIB
from aiohttp.protocol.timers import Deadlines
from wire import HandClock, MemoryTransport, connect, cuts

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
BOMB = gzip.compress(bytes(64 * MIB))


class Client:
    """A connection, and how often it was told to be over."""

    def __init__(self) -> None:
        self.released = 0
        self.connection = ClientHttpProtocol(Deadlines(HandClock()), released=self._release)
        self.transport: MemoryTransport = connect(self.connection)

    def _release(self, _: ClientHttpProtocol) -> None:
        self.released += 1

    def ask(self) -> ClientExchange:
        """Start an exchange."""
        return self.connection.start("GET", "/", "a")


async def content(exchange: ClientExchange) -> bytes:
    """Return the whole body of the response."""
    await exchange.response()
    return await exchange.read_all()


REFUSED = {
    "CVE-2023-47641 CL and TE": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "CVE-2026-34520 NUL in a value": b"HTTP/1.1 200 OK\r\nA: b\x00\r\nContent-Length: 0\r\n\r\n",
    "CVE-2023-37276 CR in a value": b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\nContent-Length: 0\r\n\r\n",
    "CVE-2019-16792 two lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n"
    ),
    "CVE-2024-6827 unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "CVE-2025-43859 chunk terminator": CHUNKED + b"2\r\nokXX0\r\n\r\n",
    "CVE-2024-52304 LF in an extension": CHUNKED + b"2;a\n\r\nok\r\n0\r\n\r\n",
    "CVE-2025-53643 trailer": CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
    "unasked upgrade": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
async def test_nothing_behind_a_refused_response(data: bytes) -> None:
    """One error, a closed connection, and what comes behind it answers nothing."""
    for pieces in cuts(data + SMUGGLED, splits=32):
        client = Client()
        exchange = client.ask()
        for piece in [*pieces, SMUGGLED]:
            client.transport.feed(piece)
        with pytest.raises(HttpException):
            await content(exchange)
        assert client.transport.is_aborted
        assert client.released == 1
        with pytest.raises(PeerDisconnected):
            client.ask()


async def test_nothing_behind_a_good_response() -> None:
    """A response that nobody asked for isn't the answer to the next request."""
    for pieces in cuts(GOOD + SMUGGLED, splits=64):
        client = Client()
        exchange = client.ask()
        for piece in pieces:
            client.transport.feed(piece)
        assert await content(exchange) == b"ok"
        with pytest.raises(PeerDisconnected):
            client.ask()


ENDLESS = {
    "head": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "line": (b"HTTP/1.1 200 OK\r\nA: ", b"x"),
    "informational": (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "CVE-2026-22815 trailers": (CHUNKED + b"0\r\n", b"A: b\r\n"),
    "chunk line": (CHUNKED, b"0"),
    "chunk extensions": (CHUNKED, b"1;a=b\r\nx\r\n"),
}


@pytest.mark.parametrize(("first", "again"), ENDLESS.values(), ids=ENDLESS.keys())
async def test_endless_response(first: bytes, again: bytes) -> None:
    """What has no end is refused after a bounded number of bytes."""
    client = Client()
    exchange = client.ask()
    client.transport.feed(first)
    sent = 0
    while not client.transport.is_aborted and sent < 256 * KIB:
        client.transport.feed(again)
        sent += len(again)
    assert client.transport.is_aborted
    with pytest.raises(HttpException):
        await content(exchange)


async def test_bomb_ends_its_connection() -> None:
    """CVE-2025-69223, GHSA-mgf9-4vpg-hj56: a bomb is refused while it comes, and no more of it."""
    client = Client()
    exchange = client.ask()
    client.transport.feed(GZIP % (2 * len(BOMB)))
    client.transport.feed(BOMB)
    assert not client.transport.is_aborted
    with pytest.raises(DecompressionBomb):
        await content(exchange)
    assert client.transport.is_aborted


async def test_each_step_of_a_bomb_is_bounded() -> None:
    """CVE-2026-84382: a read bound to so many bytes inflates one step more at most."""
    client = Client()
    exchange = client.ask()
    client.transport.feed(GZIP % len(BOMB) + BOMB)
    await exchange.response()
    tracemalloc.start()
    with pytest.raises(LimitExceeded):
        await exchange.read_all(256 * KIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MIB


async def test_unread_bomb_is_not_inflated() -> None:
    """CVE-2026-54278, CVE-2026-21441, CVE-2026-44432: what is let go is dropped as it came."""
    client = Client()
    exchange = client.ask()
    client.transport.feed(GZIP % len(BOMB))
    await exchange.response()
    tracemalloc.start()
    exchange.discard()
    for start in range(0, len(BOMB), KIB):
        client.transport.feed(BOMB[start : start + KIB])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert client.connection.is_reusable
    assert peak < 256 * KIB


@pytest.mark.parametrize("data", [GOOD, CHUNKED + b"2\r\nok\r\n0\r\nA: b\r\n\r\n"])
async def test_server_that_vanishes_at_any_byte(data: bytes) -> None:
    """CVE-2024-49769: whatever is missing is an error, told once; nothing is left behind."""
    for place in range(len(data)):
        client = Client()
        exchange = client.ask()
        if place:
            client.transport.feed(data[:place])
        client.transport.lose(ConnectionResetError("gone"))
        await asyncio.sleep(0)
        with pytest.raises(HttpException):
            await content(exchange)
        assert client.released == 1
