"""pyreqwest: the client of Rust's reqwest, on threads of its own."""

from contextlib import asynccontextmanager

from pyreqwest.client import ClientBuilder

from bench.contenders.fetch import Fetcher, serve


def builder():
    """Return what makes clients."""
    # Its TLS library wants a certificate signed by another one, which that of the tests isn't.
    return ClientBuilder().default_cookie_store(True).danger_accept_invalid_certs(True)


@asynccontextmanager
async def open_fetcher():
    """Open a client, and one that keeps no connection."""
    async with (
        builder().build() as client,
        builder().pool_max_idle_per_host(0).build() as forgetful,
    ):

        async def get(url):
            response = await client.get(url).build().send()
            return response.status, bytes(await response.bytes())

        async def fresh(url):
            response = await forgetful.get(url).build().send()
            return response.status, bytes(await response.bytes())

        async def json(url):
            response = await client.get(url).build().send()
            return response.status, await response.json()

        async def upload(url, body):
            request = client.post(url)
            request = request.body_bytes(body) if type(body) is bytes else request.body_stream(body)
            return bytes(await (await request.build().send()).bytes())

        yield Fetcher(get, fresh, json, upload=upload)


if __name__ == "__main__":
    serve(open_fetcher)
