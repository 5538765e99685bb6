"""The limit of a client on an event loop: canned requests, and answers that nobody parses."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

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
    """Open a pool."""
    loop = asyncio.get_running_loop()
    idle: list[Canned] = []

    async def get(url: str) -> tuple[int, bytes]:
        if idle:
            connection = idle.pop()
        else:
            address = urlsplit(url)
            _, connection = await loop.create_connection(Canned, address.hostname, address.port)
        connection.answer = loop.create_future()
        connection.transport.write(REQUEST)
        data = await connection.answer
        idle.append(connection)
        return 200, data[-12:]

    yield Fetcher(get)
    for connection in idle:
        connection.transport.close()


if __name__ == "__main__":
    serve(open_fetcher)
