"""Our client: one session, as many connections as there are requests at once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp.client import Session
from bench.contenders.fetch import PIECE, Fetcher, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def open_fetcher() -> AsyncIterator[Fetcher]:
    """Open a session."""
    async with Session() as session:

        async def get(url: str) -> tuple[int, bytes]:
            async with session.get(url) as response:
                return response.status, await response.read()

        async def iterate(url: str) -> AsyncIterator[bytes]:
            async with session.get(url) as response:
                async for piece in response.content.iter_chunked(PIECE):
                    yield piece

        async def keep(url: str) -> bytes:
            async with session.get(url) as response:
                return await response.read()

        yield Fetcher(get, iterate, keep)


if __name__ == "__main__":
    serve(open_fetcher)
