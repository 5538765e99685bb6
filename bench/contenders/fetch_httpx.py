"""httpx: one client."""

from contextlib import asynccontextmanager

import httpx

from bench.certificate import for_client
from bench.contenders.fetch import PIECE, Fetcher, serve

PATIENT = httpx.Timeout(60)  # 256 requests at once wait for a connection longer than the usual 5 s


@asynccontextmanager
async def open_fetcher():
    """Open a client, and one that keeps no connection."""
    none_kept = httpx.Limits(max_connections=100, max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(verify=for_client(), timeout=PATIENT) as client,
        httpx.AsyncClient(limits=none_kept, timeout=PATIENT) as forgetful,
    ):

        async def get(url):
            response = await client.get(url)
            return response.status_code, response.content

        async def fresh(url):
            response = await forgetful.get(url)
            return response.status_code, response.content

        async def json(url):
            response = await client.get(url)
            return response.status_code, response.json()

        async def iterate(url):
            async with client.stream("GET", url) as response:
                async for piece in response.aiter_bytes(PIECE):
                    yield piece

        async def keep(url):
            return (await client.get(url)).content

        async def upload(url, body):
            return (await client.post(url, content=body)).content

        yield Fetcher(get, fresh, json, iterate, keep, upload)


if __name__ == "__main__":
    serve(open_fetcher)
