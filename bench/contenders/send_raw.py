"""The limit of an upload on an event loop: pieces written to a transport whenever it has room."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.contenders.fetch import PIECE, Fetcher, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.contenders.fetch import Body


class Sender(asyncio.Protocol):
    """One connection, which knows whether its transport has room."""

    def __init__(self) -> None:
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def pause_writing(self) -> None:
        """Wait from now on."""
        self.has_room.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self.has_room.set()

    def data_received(self, data: bytes) -> None:
        """Take what comes for the whole answer."""
        self.answer.set_result(data.partition(b"\r\n\r\n")[2])


async def pieces_of(body: bytes) -> AsyncIterator[memoryview]:
    """Yield views of the body."""
    view = memoryview(body)
    for start in range(0, len(body), PIECE):
        yield view[start : start + PIECE]


async def upload(url: str, body: Body) -> bytes:
    """Send a body whose length the URL ends with: without the framing of chunks."""
    address = urlsplit(url)
    size = address.path.rpartition("/")[2]
    loop = asyncio.get_running_loop()
    transport, sender = await loop.create_connection(Sender, address.hostname, address.port)
    head = f"POST {address.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n\r\n"
    transport.write(head.encode())
    async for piece in pieces_of(body) if isinstance(body, bytes) else body:
        transport.write(piece)
        if not sender.has_room.is_set():
            await sender.has_room.wait()
    answer = await sender.answer
    transport.close()
    return answer


@asynccontextmanager
async def open_fetcher() -> AsyncIterator[Fetcher]:
    """Open nothing."""
    yield Fetcher(upload=upload)


if __name__ == "__main__":
    serve(open_fetcher)
