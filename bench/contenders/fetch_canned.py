"""The limit of a client on an event loop: canned requests, and answers that nobody parses."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.certificate import for_client
from bench.contenders.fetch import Fetcher, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Canned(asyncio.Protocol):
    """One pooled connection; a future is all that waits for an answer."""

    transport: asyncio.Transport
    answer: asyncio.Future[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Take what comes for the whole answer."""
        self.answer.set_result(data)


@asynccontextmanager
async def open_fetcher() -> AsyncIterator[Fetcher]:
    """Open a pool for each URL."""
    loop = asyncio.get_running_loop()
    context = for_client()
    pools: dict[str, list[Canned]] = {}

    async def connect(url: str) -> Canned:
        address = urlsplit(url)
        tls = context if address.scheme == "https" else None
        host, port = address.hostname, address.port
        _, connection = await loop.create_connection(Canned, host, port, ssl=tls)
        return connection

    async def ask(connection: Canned) -> bytes:
        connection.answer = loop.create_future()
        connection.transport.write(REQUEST)
        return await connection.answer

    async def get(url: str) -> tuple[int, bytes]:
        idle = pools.setdefault(url, [])
        connection = idle.pop() if idle else await connect(url)
        data = await ask(connection)
        idle.append(connection)
        return 200, data[-12:]

    async def fresh(url: str) -> tuple[int, bytes]:
        connection = await connect(url)
        data = await ask(connection)
        connection.transport.close()
        return 200, data[-12:]

    yield Fetcher(get, fresh)
    for idle in pools.values():
        for connection in idle:
            connection.transport.close()


if __name__ == "__main__":
    serve(open_fetcher)
