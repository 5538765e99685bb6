"""What aiohttp 3 documents of running an application, called as documented."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from aiohttp import log, web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.test_utils import get_port_socket, unused_port
from aiohttp.web_log import AccessLogger
from documented_server import calls


async def hello(request: web.BaseRequest) -> web.Response:
    """Greet."""
    return web.Response(text="Hello")


def app_of_hello() -> web.Application:
    """Return an application that greets."""
    app = web.Application()
    app.router.add_get("/", hello)
    return app


async def fetch(port: int) -> bytes:
    """Return what is found on this port of 127.0.0.1."""

    def read() -> bytes:
        with urlopen(f"http://127.0.0.1:{port}/") as answer:
            found: bytes = answer.read()
            return found

    return await asyncio.to_thread(read)


@calls("web.BaseRunner")
@calls("web.BaseRunner", "server", "addresses", "sites", "setup", "cleanup")
@calls("web.AppRunner")
@calls("web.AppRunner", "app", "setup", "cleanup")
@calls("web.BaseSite")
@calls("web.BaseSite", "name", "start", "stop")
@calls("web.TCPSite")
@calls("web.TCPSite", "port")
async def test_application_on_a_site() -> None:
    """A runner starts the application, its sites the sockets."""
    app = app_of_hello()
    runner = web.AppRunner(app, handle_signals=False, keepalive_timeout=5)
    assert isinstance(runner, web.BaseRunner)
    assert runner.app is app
    await runner.setup()
    site = web.TCPSite(
        runner,
        "127.0.0.1",
        0,
        ssl_context=None,
        backlog=10,
        reuse_address=None,
        reuse_port=None,
    )
    assert isinstance(site, web.BaseSite)
    await site.start()
    ((_, port),) = runner.addresses
    assert site.port == port
    assert site.name == f"http://127.0.0.1:{port}"
    assert runner.sites == {site}
    assert await fetch(port) == b"Hello"
    assert runner.server is not None
    assert runner.server.requests_count == 1
    await site.stop()
    assert runner.sites == set()
    await runner.cleanup()


@calls("web.Server")
@calls("web.Server", "connections", "requests_count", "shutdown")
@calls("web.ServerRunner")
@calls("web.SockSite")
async def test_server_on_a_socket() -> None:
    """A server of one handler, on a socket that was bound before."""
    server = web.Server(hello)
    assert (server.connections, server.requests_count) == ([], 0)
    runner = web.ServerRunner(server, handle_signals=False)
    await runner.setup()
    sock = get_port_socket("127.0.0.1", 0)
    await web.SockSite(runner, sock, ssl_context=None, backlog=10).start()
    assert await fetch(sock.getsockname()[1]) == b"Hello"
    assert server.requests_count == 1
    await runner.cleanup()

    again = web.Server(hello)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(again, "127.0.0.1", 0)
    assert await fetch(listening.sockets[0].getsockname()[1]) == b"Hello"
    listening.close()
    await again.shutdown(timeout=1.0)
    assert again.connections == []


@calls("web.UnixSite")
@calls("web.NamedPipeSite")
async def test_sites_without_a_port(tmp_path: Path) -> None:
    """A unix socket has a path; a named pipe, too, where there are any."""
    runner = web.AppRunner(app_of_hello())
    await runner.setup()
    path = tmp_path / "socket"
    await web.UnixSite(runner, path, ssl_context=None, backlog=10).start()
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).endswith(b"Hello")
    writer.close()
    if sys.platform != "win32":
        with pytest.raises(RuntimeError, match="Windows"):
            await web.NamedPipeSite(runner, r"\\.\pipe\mine").start()
    await runner.cleanup()


@calls("web.Application", "make_handler")
async def test_handler_of_an_application() -> None:
    """What makes connections can be given to the loop."""
    app = app_of_hello()
    await app.startup()
    handler = app.make_handler()
    listening = await asyncio.get_running_loop().create_server(handler, "127.0.0.1", 0)
    assert await fetch(listening.sockets[0].getsockname()[1]) == b"Hello"
    listening.close()
    await handler.shutdown(1.0)
    await app.shutdown()
    await app.cleanup()


@calls("web.run_app")
@calls("web.GracefulExit")
def test_program_runs_until_it_is_told_to_stop() -> None:
    """run_app serves, prints where, and ends with GracefulExit."""
    printed: list[str] = []
    port = unused_port()
    found: list[bytes] = []

    async def ask(app: web.Application) -> None:
        async def stop() -> None:
            found.append(await fetch(port))
            raise web.GracefulExit

        app[task] = asyncio.create_task(stop())

    task: web.AppKey[asyncio.Task[None]] = web.AppKey("task", asyncio.Task)
    app = app_of_hello()
    app.on_startup.append(ask)
    with get_port_socket("127.0.0.1", port) as sock:
        web.run_app(
            app,
            host=None,
            port=None,
            path=None,
            sock=sock,
            shutdown_timeout=1.0,
            keepalive_timeout=5.0,
            ssl_context=None,
            print=printed.append,
            backlog=10,
            access_log_class=AccessLogger,
            access_log_format="%r",
            access_log=None,
            handle_signals=False,
            reuse_address=None,
            reuse_port=None,
            handler_cancellation=False,
        )
    assert found == [b"Hello"]
    assert str(port) in "".join(printed)


@calls("web_log.AccessLogger")
@calls("abc.AbstractAccessLogger")
@calls("abc.AbstractAccessLogger", "log", "enabled")
async def test_access_loggers(caplog: pytest.LogCaptureFixture) -> None:
    """Ours writes a line by its format; one of one's own is told of request and response."""
    told: list[Any] = []

    class Teller(AbstractAccessLogger):
        @property
        def enabled(self) -> bool:
            return True

        def log(self, request: Any, response: Any, time: float) -> None:
            told.append((request.path, response.status, time >= 0, self.log_format))

    async def serve(**options: Any) -> None:
        runner = web.AppRunner(app_of_hello(), **options)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await fetch(runner.addresses[0][1])
        await runner.cleanup()

    await serve(access_log_class=Teller, access_log_format="mine")
    assert told == [("/", 200, True, "mine")]
    assert isinstance(AccessLogger(logging.getLogger("mine")), AbstractAccessLogger)
    assert AccessLogger(logging.getLogger("mine"), log_format="%s").log_format == "%s"
    with caplog.at_level(logging.INFO, "aiohttp.access"):
        await serve(access_log_format='%a "%r" %s %b')
    assert '127.0.0.1 "GET / HTTP/1.1" 200 5' in caplog.text


@calls("log.access_logger")
@calls("log.client_logger")
@calls("log.internal_logger")
@calls("log.server_logger")
@calls("log.web_logger")
def test_loggers() -> None:
    """Each logger has the name that is documented."""
    assert log.access_logger is logging.getLogger("aiohttp.access")
    assert log.client_logger is logging.getLogger("aiohttp.client")
    assert log.internal_logger is logging.getLogger("aiohttp.internal")
    assert log.server_logger is logging.getLogger("aiohttp.server")
    assert log.web_logger is logging.getLogger("aiohttp.web")
