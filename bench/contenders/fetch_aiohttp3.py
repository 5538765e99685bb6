"""aiohttp 3's client: one session, as many connections as there are requests at once."""

from contextlib import asynccontextmanager

import aiohttp
from bench.certificate import for_client
from bench.contenders.fetch import PIECE, Fetcher, serve


@asynccontextmanager
async def open_fetcher():
    """Open a session, and one that keeps no connection."""
    kept = aiohttp.TCPConnector(ssl=for_client())
    closing = aiohttp.TCPConnector(force_close=True)
    async with (
        aiohttp.ClientSession(connector=kept) as session,
        aiohttp.ClientSession(connector=closing) as forgetful,
    ):

        async def get(url):
            async with session.get(url) as response:
                return response.status, await response.read()

        async def fresh(url):
            async with forgetful.get(url) as response:
                return response.status, await response.read()

        async def json(url):
            async with session.get(url) as response:
                return response.status, await response.json()

        async def iterate(url):
            async with session.get(url) as response:
                async for piece in response.content.iter_chunked(PIECE):
                    yield piece

        async def keep(url):
            async with session.get(url) as response:
                return await response.read()

        async def upload(url, body):
            async with session.post(url, data=body) as response:
                return await response.read()

        yield Fetcher(get, fresh, json, iterate, keep, upload)


if __name__ == "__main__":
    serve(open_fetcher)
