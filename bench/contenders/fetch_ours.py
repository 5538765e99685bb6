"""Our client: one session, as many connections as there are requests at once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp.client import Session, TCPConnector
from bench.certificate import for_client
from bench.contenders.fetch import PIECE, Fetcher, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.contenders.fetch import Body


@asynccontextmanager
async def open_fetcher() -> AsyncIterator[Fetcher]:
    """Open a session, and one that keeps no connection."""
    kept, closing = TCPConnector(ssl=for_client()), TCPConnector(force_close=True)
    async with Session(connector=kept) as session, Session(connector=closing) as forgetful:

        async def get(url: str) -> tuple[int, bytes]:
            async with session.get(url) as response:
                return response.status, await response.read()

        async def fresh(url: str) -> tuple[int, bytes]:
            async with forgetful.get(url) as response:
                return response.status, await response.read()

        async def json(url: str) -> tuple[int, Any]:
            async with session.get(url) as response:
                return response.status, await response.json()

        async def iterate(url: str) -> AsyncIterator[bytes]:
            async with session.get(url) as response:
                async for piece in response.content.iter_chunked(PIECE):
                    yield piece

        async def keep(url: str) -> bytes:
            async with session.get(url) as response:
                return await response.read()

        async def upload(url: str, body: Body) -> bytes:
            async with session.post(url, data=body) as response:
                return await response.read()

        yield Fetcher(get, fresh, json, iterate, keep, upload)


if __name__ == "__main__":
    serve(open_fetcher)
