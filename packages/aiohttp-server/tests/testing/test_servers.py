"""Servers for the length of a test."""

from __future__ import annotations

import asyncio
import socket
import ssl
from urllib.request import urlopen

import pytest
from yarl import URL

from aiohttp import web
from aiohttp.protocol import Exchange, Limits
from aiohttp.test_utils import BaseTestServer, RawTestServer, TestServer
from house import REPOSITORY

CERTIFICATE = REPOSITORY / "packages" / "aiohttp-protocol" / "tests" / "localhost.pem"


class Hello:
    """Answer with the target."""

    async def handle_exchange(self, exchange: Exchange) -> None:
        await exchange.respond(200, (), exchange.head.target.encode())


async def fetch(url: URL, context: ssl.SSLContext | None = None) -> bytes:
    """Return what is found there."""

    def read() -> bytes:
        with urlopen(str(url), context=context) as answer:
            found: bytes = answer.read()
            return found

    return await asyncio.to_thread(read)


async def test_server_answers_under_its_url() -> None:
    """A URL of make_url leads to the application."""
    async with TestServer(Hello()) as server:
        assert server.started
        assert await fetch(server.make_url("/a?b=c")) == b"/a?b=c"
        assert await fetch(server.make_url(URL("/%2F?b=%26"))) == b"/%2F?b=%26"
        assert server.handler is not None
        assert server.handler.requests_count == 2


async def test_raw_server_has_one_handler() -> None:
    """Every request gets to the handler, whatever its path."""

    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(text=f"{request.method} {request.path}")

    async with RawTestServer(handler) as server:
        assert await fetch(server.make_url("/any/path")) == b"GET /any/path"


async def test_closing_twice_is_fine() -> None:
    """A closed server can be closed again, and one that never started too."""
    server = TestServer(Hello())
    await server.close()
    server = TestServer(Hello())
    await server.start_server()
    await server.start_server()
    assert server.listener is server.server is not None
    await server.close()
    await server.close()
    assert server.closed
    assert server.listener is None


async def test_tls_makes_the_scheme_https() -> None:
    """With a context, the server speaks TLS, and its URLs say so."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    trust = ssl.create_default_context(cafile=str(CERTIFICATE))
    server = TestServer(Hello(), host="localhost")
    await server.start_server(ssl=context)
    try:
        url = server.make_url("/")
        assert (url.scheme, url.host) == ("https", "localhost")
        assert await fetch(url, trust) == b"/"
    finally:
        await server.close()


async def test_options_are_those_of_runners() -> None:
    """Limits and their like are given to ``start_server``; a wrong name is an error."""
    server = TestServer(Hello())
    await server.start_server(limits=Limits(fields=7))
    try:
        assert server.listener is not None
        assert server.listener.service.limits.fields == 7
    finally:
        await server.close()
    with pytest.raises(TypeError, match="acces_log"):
        await TestServer(Hello()).start_server(acces_log=None)


async def test_socket_can_be_the_tests_own() -> None:
    """The socket is made by ``socket_factory``, for host, port and family."""
    asked: list[tuple[str, int, socket.AddressFamily]] = []

    def make(host: str, port: int, family: socket.AddressFamily) -> socket.socket:
        asked.append((host, port, family))
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.bind((host, port))
        return sock

    async with TestServer(Hello(), socket_factory=make) as server:
        assert server.socket_factory is make
        assert await fetch(server.make_url("/")) == b"/"
    assert asked == [("127.0.0.1", 0, socket.AF_INET)]


async def test_port_in_use_leaves_nothing_behind() -> None:
    """When a server can't listen, its application is cleaned up."""
    told: list[str] = []

    class Told(Hello):
        async def startup(self) -> None:
            told.append("startup")

        async def cleanup(self) -> None:
            told.append("cleanup")

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        server = TestServer(Told(), port=port)
        with pytest.raises(OSError, match="in use"):
            await server.start_server()
    assert told == ["startup", "cleanup"]
    assert server.closed


def test_path_must_begin_with_a_slash() -> None:
    """make_url refuses a relative path, and a server without a port."""
    server: BaseTestServer = TestServer(Hello(), host="::1", port=80)
    with pytest.raises(ValueError, match="begins with /"):
        server.make_url("a")
    assert server.make_url("/a") == URL("http://[::1]:80/a")
    with pytest.raises(RuntimeError, match="start_server"):
        TestServer(Hello()).make_url("/")
