"""aiohttp 3's client: one session, as many connections as there are requests at once."""

from contextlib import asynccontextmanager

import aiohttp
from bench.contenders.fetch import PIECE, Fetcher, serve


@asynccontextmanager
async def open_fetcher():
    """Open a session."""
    async with aiohttp.ClientSession() as session:

        async def get(url):
            async with session.get(url) as response:
                return response.status, await response.read()

        async def iterate(url):
            async with session.get(url) as response:
                async for piece in response.content.iter_chunked(PIECE):
                    yield piece

        async def keep(url):
            async with session.get(url) as response:
                return await response.read()

        yield Fetcher(get, iterate, keep)


if __name__ == "__main__":
    serve(open_fetcher)
