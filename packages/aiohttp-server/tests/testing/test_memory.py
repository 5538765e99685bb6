"""``MemoryClient``: an application is asked as on a network, but without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from aiohttp.protocol import Exchange, HttpVersion10, InvalidUse, Limits, PeerDisconnected
from aiohttp.test_utils import MemoryClient
from served import Application, Handler


async def echo(exchange: Exchange) -> None:
    """Answer with the request's fields as fields, and its body."""
    fields = [(f"X-{name}", value) for name, value in exchange.head.headers.items()]
    body = await exchange.body.read()
    await exchange.respond(200, [("X-Target", exchange.head.target), *fields], body)


def client_of(handler: Handler = echo, **options: object) -> MemoryClient:
    """Return a client of an application that is one function."""
    return MemoryClient(Application(handler), **options)  # type: ignore[arg-type]


async def test_only_what_is_given_is_sent() -> None:
    """A request has Host, and nothing that the test doesn't say."""
    async with client_of() as client:
        response = await client.get("/a?b=c")
    assert (response.status, response.reason, response.body) == (200, "OK", b"")
    assert response.headers["X-Target"] == "/a?b=c"
    assert [name for name in response.headers if name.startswith("X-")] == ["X-Target", "X-Host"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"data": {"a": "ü", "b": [1, 2]}}, "application/x-www-form-urlencoded"),
        ({"data": [("a", "1"), ("a", "2")]}, "application/x-www-form-urlencoded"),
        ({"data": "text"}, "text/plain; charset=utf-8"),
        ({"data": b"bytes"}, "application/octet-stream"),
        ({"json": [1, None]}, "application/json"),
    ],
)
async def test_body_brings_its_type(body: dict[str, object], content_type: str) -> None:
    """What is sent as a body decides its Content-Type, with a length."""
    async with client_of() as client:
        response = await client.post("/", **body)
    assert response.headers["X-Content-Type"] == content_type
    assert response.headers["X-Content-Length"] == str(len(response.body))


async def test_iterable_is_sent_as_it_comes() -> None:
    """Pieces of an asynchronous iterable are sent as chunks, while the answer comes."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    async def relay(exchange: Exchange) -> None:
        await exchange.start(200)
        async for piece in exchange.body.iter_any():
            await exchange.write(piece)
        await exchange.finish([("X-Sum", "2")])

    async with client_of(relay) as client:
        response = await client.put("/", data=pieces())
    assert response.body == b"onetwo"
    assert response.trailers["X-Sum"] == "2"


async def test_response_is_read_while_it_comes() -> None:
    """A stream gives its head before its end, and pieces when they are written."""
    go_on = asyncio.Event()

    async def tell(exchange: Exchange) -> None:
        await exchange.inform(103, [("Link", "</style.css>; rel=preload")])
        await exchange.start(200, [("Content-Type", "text/plain; charset=latin-1")])
        await exchange.write(b"first")
        await go_on.wait()
        await exchange.write(b"\xfc")
        await exchange.finish()

    async with client_of(tell) as client:
        async with client.stream("GET", "/") as response:
            assert [head.status for head in response.informational] == [103]
            assert await response.content.readany() == b"first"
            go_on.set()
            assert await response.read() == b"\xfc"
        assert (await client.get("/")).text() == "firstü"


async def test_leaving_a_stream_tells_the_application() -> None:
    """Who leaves before the end of the body is gone for the application, too."""
    told = asyncio.Event()

    async def endless(exchange: Exchange) -> None:
        exchange.cancel_on_disconnect = False
        await exchange.start(200)
        await exchange.write(b"x")
        await exchange.wait_disconnected()
        told.set()

    async with client_of(endless) as client:
        async with client.stream("GET", "/") as response:
            assert response.status == 200
        await told.wait()


async def test_large_bodies_wait_for_their_reader() -> None:
    """Neither end gets ahead of the other by more than its buffers."""
    big = bytes(5_000_000)
    async with client_of() as client:
        assert (await client.post("/", data=big)).body == big


async def test_connection_is_used_again() -> None:
    """Requests that follow each other share a connection, concurrent ones don't."""
    async with client_of() as client:
        await client.get("/")
        await client.get("/")
        assert client.books.connections == 1
        await asyncio.gather(client.get("/"), client.get("/"))
        assert client.books.connections == 2


async def test_application_starts_and_ends_with_the_block() -> None:
    """startup, shutdown and cleanup are called, in this order."""
    told: list[str] = []

    class Told(Application):
        async def startup(self) -> None:
            told.append("startup")

        async def shutdown(self) -> None:
            told.append("shutdown")

        async def cleanup(self) -> None:
            told.append("cleanup")

    client = MemoryClient(Told(echo))
    with pytest.raises(InvalidUse, match="async with"):
        await client.get("/")
    async with client:
        await client.get("/")
        assert told == ["startup"]
    await client.close()
    assert told == ["startup", "shutdown", "cleanup"]
    with pytest.raises(InvalidUse, match="async with"):
        await client.get("/")


async def test_cut_response_is_an_error() -> None:
    """A part is not taken for the whole."""

    async def half(exchange: Exchange) -> None:
        await exchange.start(200, [("Content-Length", "10")])
        await exchange.write(b"12345")
        raise ConnectionError("the database has gone")

    async with client_of(half) as client:
        with pytest.raises(PeerDisconnected, match="5 bytes"):
            await client.get("/")


async def test_silence_is_an_error() -> None:
    """A response that doesn't come is a TimeoutError, not a test that hangs."""

    async def wait(exchange: Exchange) -> None:
        await exchange.wait_disconnected()

    async with client_of(wait, timeout=0.001) as client:
        with pytest.raises(TimeoutError, match="the application"):
            await client.get("/")


async def test_addresses_and_scheme_are_those_given() -> None:
    """An application sees the addresses and the scheme that the test wants."""

    async def tell(exchange: Exchange) -> None:
        await exchange.respond(200, (), f"{exchange.scheme} {exchange.peername}".encode())

    async with client_of(tell, scheme="https", peername=("192.0.2.1", 9)) as client:
        assert (await client.get("/")).text() == "https ('192.0.2.1', 9)"


async def test_limits_and_versions_are_the_real_ones() -> None:
    """What an application is served with is what refuses requests."""
    async with client_of(limits=Limits(fields=3)) as client:
        refused = await client.get("/", headers={"A": "1", "B": "2", "C": "3"})
        assert refused.status == 431
        old = await client.get("/", version=HttpVersion10)
        assert old.headers["Connection"] == "keep-alive"


async def test_raw_bytes_are_answered_with_raw_bytes() -> None:
    """What no client sends can be sent, and what comes back is not touched."""
    async with client_of() as client:
        answer = await client.raw(b"GET /\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        answer = await client.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
        assert answer.count(b"HTTP/1.1 200 OK\r\n") == 2


async def test_params_become_a_query() -> None:
    """Parameters are joined to those of the path, and what isn't ASCII is encoded."""
    async with client_of() as client:
        response = await client.get("/ü?a=1", params={"b": "ü&"})
        assert response.headers["X-Target"] == "/%C3%BC?a=1&b=%C3%BC%26"
        with pytest.raises(InvalidUse, match="both"):
            await client.post("/", data=b"", json=1)
