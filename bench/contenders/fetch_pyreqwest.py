"""pyreqwest: the client of Rust's reqwest, on threads of its own."""

from contextlib import asynccontextmanager

from pyreqwest.client import ClientBuilder

from bench.contenders.fetch import Fetcher, serve


@asynccontextmanager
async def open_fetcher():
    """Open a client."""
    async with ClientBuilder().build() as client:

        async def get(url):
            response = await client.get(url).build().send()
            return response.status, bytes(await response.bytes())

        yield Fetcher(get)


if __name__ == "__main__":
    serve(open_fetcher)
