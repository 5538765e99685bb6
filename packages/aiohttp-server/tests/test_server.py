"""web.Server: one handler for everything, and a factory of connections."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aiohttp.protocol import Exchange, Limits
from aiohttp.server import web
from aiohttp.server.server import Server
from aiohttp.test_utils import MemoryClient
from served import Application


async def tell_path(request: web.BaseRequest) -> web.StreamResponse:
    """Answer with method and path."""
    return web.Response(text=f"{request.method} {request.path}")


async def test_handler_gets_every_request() -> None:
    """Whatever its method and path."""
    async with MemoryClient(Server(tell_path)) as client:
        assert (await client.get("/a")).text() == "GET /a"
        assert (await client.post("/b", data=b"x")).text() == "POST /b"


async def test_handler_may_raise_an_answer() -> None:
    """An HTTPException is one; an error in a request's body is answered by its status."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/body":
            return web.Response(text=await request.text())
        raise web.HTTPForbidden(text="not you")

    async with MemoryClient(Server(handle), limits=Limits(body=3)) as client:
        answer = await client.get("/")
        assert (answer.status, answer.text()) == (403, "not you")
        answer = await client.post("/body", data=b"four")
        assert answer.status == 413


async def test_error_of_a_handler_is_a_plain_500(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the traceback, the client doesn't."""

    async def fail(request: web.BaseRequest) -> web.StreamResponse:
        raise ValueError("a secret")

    async with MemoryClient(Server(fail)) as client:
        answer = await client.get("/")
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert "a secret" in caplog.text


async def test_requests_may_be_of_the_programs_own_class() -> None:
    """request_factory makes one out of an exchange."""

    class OwnRequest(web.BaseRequest):
        pass

    async def tell_class(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=type(request).__name__)

    async with MemoryClient(Server(tell_class, request_factory=OwnRequest)) as client:
        assert (await client.get("/")).text() == "OwnRequest"


async def test_cancellation_is_as_wanted() -> None:
    """A handler goes on when its client leaves, unless handler_cancellation is set."""
    seen: list[bool] = []

    async def look(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.exchange.cancel_on_disconnect)
        return web.Response()

    for server in (Server(look), Server(look, handler_cancellation=True)):
        async with MemoryClient(server) as client:
            await client.get("/")
    assert seen == [False, True]


def test_application_learns_of_cancellation() -> None:
    """An application that asks for it by its attribute gets the option's value."""

    class Asking(Application):
        handler_cancellation: bool | None = None

    application = Asking(lambda exchange: exchange.respond(200))
    Server.serving(application)
    assert application.handler_cancellation is False
    Server.serving(application, handler_cancellation=True)
    assert application.handler_cancellation is True


async def test_server_is_a_factory_of_connections() -> None:
    """It counts those of loop.create_server, and ends them."""
    server = Server(tell_path, keepalive_timeout=7, lingering_time=0)
    assert (server.connections, server.requests_count) == ([], 0)
    sockets = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*sockets.sockets[0].getsockname())
    writer.write(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"GET /x")
    assert b"\r\nKeep-Alive: timeout=7" in head
    assert len(server.connections) == 1
    assert server.requests_count == 1
    assert repr(server) == "<Server, 1 connections, 1 requests>"
    await server.shutdown(1)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    sockets.close()


async def test_server_is_prepared_once() -> None:
    """Its connections belong to one event loop."""
    server = Server(tell_path)
    assert server.prepare() is server.listener
    with pytest.raises(RuntimeError, match=r"a server is served once: make another web\.Server"):
        server.prepare()


@pytest.mark.parametrize("given", [None, "handler"])
def test_handler_must_be_callable(given: Any) -> None:
    """The mistake is told where it is made."""
    with pytest.raises(TypeError, match="expected a coroutine function as handler, got"):
        Server(given)
    with pytest.raises(TypeError, match=r"expected an application, such as web\.Application\(\)"):
        Server.serving(given)


async def test_exchange_keeps_its_request() -> None:
    """An access log finds it there."""
    seen: list[str] = []

    def look(exchange: Exchange) -> None:
        seen.append(exchange.request.path)

    async with MemoryClient(Server(tell_path), on_exchange=look) as client:
        await client.get("/x")
    assert seen == ["/x"]
