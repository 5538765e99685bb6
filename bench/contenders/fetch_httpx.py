"""httpx: one client."""

from contextlib import asynccontextmanager

import httpx

from bench.contenders.fetch import PIECE, Fetcher, serve


@asynccontextmanager
async def open_fetcher():
    """Open a client."""
    async with httpx.AsyncClient() as client:

        async def get(url):
            response = await client.get(url)
            return response.status_code, response.content

        async def iterate(url):
            async with client.stream("GET", url) as response:
                async for piece in response.aiter_bytes(PIECE):
                    yield piece

        async def keep(url):
            return (await client.get(url)).content

        yield Fetcher(get, iterate, keep)


if __name__ == "__main__":
    serve(open_fetcher)
