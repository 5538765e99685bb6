"""Minutes of clients who behave, vanish, dawdle and send nonsense: the server stays as it was.

``make soak`` runs this; ``SOAK_SECONDS`` says for how long.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
CLIENTS = 64

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Client: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return status and body of a response whose length is known."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.splitlines()[1:-1])
    return int(head[9:12]), await reader.readexactly(int(fields[b"content-length"]))


async def stays(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask fifty times on one connection."""
    for _ in range(50):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await answer(reader) == (200, b"hello")


async def pipelines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask ten times at once."""
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
    for _ in range(10):
        assert await answer(reader) == (200, b"hello")


async def uploads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a chunked body, piece by piece."""
    writer.write(b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        writer.write(b"2710\r\n" + bytes(10_000) + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    assert await answer(reader) == (200, b"200000")


async def downloads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a large response."""
    writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    status, body = await answer(reader)
    assert (status, len(body)) == (200, 1_000_000)


async def vanishes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Go away in the middle of a response."""
    target = random.choice([b"/large", b"/pieces"])
    writer.write(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
    await reader.readexactly(1000)
    writer.transport.abort()


async def stops_half_way(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Go away in the middle of a head, or of a body."""
    head = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegin"
    writer.write(head[: random.randrange(1, len(head))])
    await writer.drain()


async def smuggles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send two lengths, and a request behind them."""
    writer.write(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    received = await reader.read()
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1") == 1


CLIENT_KINDS: list[Client] = [
    stays, pipelines, uploads, downloads, vanishes, stops_half_way, smuggles,
]  # fmt: skip


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[Streams, None]:
    """Open a connection, and close it whatever happens."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def load(port: int, seconds: float) -> None:
    """Keep the server busy with all kinds of clients."""
    end = time.monotonic() + seconds

    async def client() -> None:
        while time.monotonic() < end:
            async with connected(port) as streams:
                await random.choice(CLIENT_KINDS)(*streams)

    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(client())


async def state(port: int) -> dict[str, int]:
    """Ask the server how it is, when everybody else has left."""
    async with asyncio.timeout(10), connected(port) as (reader, writer):
        while True:
            writer.write(b"GET /state HTTP/1.1\r\nHost: a\r\n\r\n")
            found: dict[str, int] = json.loads((await answer(reader))[1])
            if found["connections"] == 1:
                return found
            await asyncio.sleep(0.05)


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
async def test_server_stays_as_it_was() -> None:
    """After warming up, neither memory nor files nor tasks grow; and it stops cleanly."""
    program = Path(__file__).with_name("soak_server.py")
    server = await asyncio.create_subprocess_exec(
        sys.executable, program, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        port = int(await server.stdout.readline())
        await load(port, SECONDS / 4)
        before = await state(port)
        await load(port, SECONDS * 3 / 4)
        after = await state(port)
        print(f"{before}\n{after}")
        assert after["requests"] > before["requests"]
        assert after["files"] == before["files"]
        assert after["tasks"] == before["tasks"]
        assert after["bytes"] < before["bytes"] + 8_000_000
    finally:
        server.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(server.wait(), 30) == 0
