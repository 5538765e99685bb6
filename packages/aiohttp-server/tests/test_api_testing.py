"""What aiohttp 3 documents for tests, called as documented."""

from __future__ import annotations

import asyncio
import inspect
import unittest
from collections.abc import Awaitable, Callable
from typing import Any

from yarl import URL

import aiohttp
from aiohttp import test_utils, web
from aiohttp.protocol import StreamReader
from documented import agrees
from documented_server import SERVER, calls

pytest_plugins = ["aiohttp.server.pytest_plugin"]  # whether or not it is installed


async def tell(request: web.BaseRequest) -> web.Response:
    """Answer with the method."""
    return web.Response(text=request.method, headers={"X-Method": request.method})


def app_of_tell() -> web.Application:
    """Return an application that answers at the root."""
    app = web.Application()
    app.router.add_route("*", "/", tell)
    return app


def takes_what_is_documented(fixture: str, given: Callable[..., object]) -> bool:
    """Whether what a fixture gives can be called as documented: one way is enough to be shown."""
    ours = inspect.signature(given).parameters
    theirs = [row.parameters or {} for row in SERVER.rows if row.path == fixture]
    # A first parameter has a name for each kind of thing that it takes.
    return all(
        agrees(ours, dict([*list(ours.items())[:1], *list(each.items())[1:]])) for each in theirs
    )


@calls("aiohttp_server")
@calls("aiohttp_raw_server")
@calls("aiohttp_client")
@calls("aiohttp_unused_port")
async def test_fixtures(
    aiohttp_server: Callable[..., Awaitable[Any]],
    aiohttp_raw_server: Callable[..., Awaitable[Any]],
    aiohttp_client: Callable[..., Awaitable[Any]],
    aiohttp_unused_port: Callable[[], int],
) -> None:
    """They give functions, which take what is documented."""
    server = await aiohttp_server(app_of_tell(), port=aiohttp_unused_port())
    raw_server = await aiohttp_raw_server(tell, port=None)
    for of in (server, raw_server, app_of_tell()):
        client = await aiohttp_client(of, headers={"A": "1"})
        assert (await client.get("/")).status == 200
    client = await aiohttp_client(app_of_tell(), server_kwargs={"keepalive_timeout": 5})
    assert (await client.get("/")).status == 200
    given: dict[str, Callable[..., object]] = {
        "aiohttp_client": aiohttp_client,
        "aiohttp_raw_server": aiohttp_raw_server,
        "aiohttp_server": aiohttp_server,
        "aiohttp_unused_port": aiohttp_unused_port,
    }
    for name, function in given.items():
        assert takes_what_is_documented(name, function)


@calls("test_utils.AioHTTPTestCase")
@calls("test_utils.AioHTTPTestCase", "client", "server", "app", "get_client", "get_server")
@calls("test_utils.AioHTTPTestCase", "get_application", "asyncSetUp", "asyncTearDown")
def test_case() -> None:
    """A class of tests has application, server and client, made by methods."""
    told: list[object] = []

    class Case(test_utils.AioHTTPTestCase):
        async def get_application(self) -> web.Application:
            return app_of_tell()

        async def asyncSetUp(self) -> None:
            await super().asyncSetUp()
            told.append(await (await self.client.get("/")).text())

        async def asyncTearDown(self) -> None:
            told.append(self.server.closed)
            await super().asyncTearDown()
            told.append(self.server.closed)

        async def test_it(self) -> None:
            assert isinstance(await self.get_server(self.app), test_utils.TestServer)
            assert isinstance(await self.get_client(self.server), test_utils.TestClient)

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])
    assert told == ["GET", False, True]


@calls("test_utils.make_mocked_request")
@calls("test_utils.make_mocked_coro")
async def test_mocks() -> None:
    """A request that nobody has sent, and a coroutine function that is none."""
    app = app_of_tell()
    request = test_utils.make_mocked_request(
        "POST",
        "/a?b=c",
        headers={"Content-Length": "1"},
        version=aiohttp.HttpVersion(1, 1),
        closing=True,
        app=app,
        match_info={"x": "1"},
        payload=StreamReader.complete(b"1"),
        sslcontext=None,
    )
    assert (request.method, request.path, request.match_info["x"]) == ("POST", "/a", "1")
    assert request.app is app
    assert await request.read() == b"1"
    assert (await tell(request)).text == "POST"
    mocked: Any = test_utils.make_mocked_coro(7)
    assert await mocked(1) == 7
    mocked.assert_called_with(1)


@calls("test_utils.BaseTestServer")
@calls("test_utils.BaseTestServer", "scheme", "host", "port", "handler", "server")
@calls("test_utils.BaseTestServer", "socket_factory", "start_server", "close", "make_url")
@calls("test_utils.TestServer")
@calls("test_utils.TestServer", "app")
@calls("test_utils.RawTestServer")
async def test_servers() -> None:
    """A server on a free port."""
    app = app_of_tell()
    server = test_utils.TestServer(app, scheme="http", host="127.0.0.1")
    raw = test_utils.RawTestServer(tell, scheme="http", host="127.0.0.1")
    assert server.app is app
    for each in (server, raw):
        assert isinstance(each, test_utils.BaseTestServer)
        assert (each.scheme, each.host, each.port) == ("http", "127.0.0.1", None)
        assert each.socket_factory is test_utils.get_port_socket
        await each.start_server(loop=None, keepalive_timeout=5)
        assert each.handler is not None
        assert each.server is not None
        assert each.server.sockets[0].getsockname() == ("127.0.0.1", each.port)
        assert each.make_url("/a") == URL(f"http://127.0.0.1:{each.port}/a")
        async with aiohttp.request("GET", each.make_url("/")) as response:
            assert await response.text() == "GET"
        await each.close()


@calls("test_utils.TestClient")
@calls("test_utils.TestClient", "scheme", "host", "port", "server", "app", "session")
@calls("test_utils.TestClient", "start_server", "close", "make_url", "request", "get", "post")
@calls("test_utils.TestClient", "options", "head", "put", "patch", "delete")
async def test_client() -> None:
    """A session that asks a server by path."""
    app = app_of_tell()
    jar = aiohttp.CookieJar()
    client = test_utils.TestClient(app, scheme="http", host="127.0.0.1", cookie_jar=jar, timeout=9)
    await client.start_server(keepalive_timeout=5)
    assert client.app is app
    assert (client.scheme, client.host) == ("http", "127.0.0.1")
    assert client.port == client.server.port
    assert client.session.cookie_jar is jar
    assert client.make_url("/") == client.server.make_url("/")
    for response in (
        await client.get("/"),
        await client.post("/", data=b"x"),
        await client.options("/"),
        await client.head("/"),
        await client.put("/"),
        await client.patch("/"),
        await client.delete("/"),
        await client.request("REPORT", "/"),
    ):
        assert response.headers["X-Method"] == response.method
    await client.close()
    assert client.session.closed


@calls("test_utils.unused_port")
@calls("test_utils.loop_context")
@calls("test_utils.setup_test_loop")
@calls("test_utils.teardown_test_loop")
def test_loops_and_ports() -> None:
    """Loops that are closed in the end, and a port that nobody has."""
    with test_utils.loop_context(asyncio.new_event_loop) as loop:
        assert loop.run_until_complete(asyncio.sleep(0, 7)) == 7
    loop = test_utils.setup_test_loop(asyncio.new_event_loop)
    test_utils.teardown_test_loop(loop)
    assert loop.is_closed()
    test_utils.get_port_socket("127.0.0.1", test_utils.unused_port()).close()
