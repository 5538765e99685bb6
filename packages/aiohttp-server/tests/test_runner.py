"""Runners: the life of what they run, from setup to cleanup."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from aiohttp.protocol import Exchange
from aiohttp.server import web
from aiohttp.server.runner import AppRunner, BaseRunner, GracefulExit, ServerRunner
from aiohttp.server.server import Server
from aiohttp.server.sites import TCPSite
from served import GET, Application, settle


class Told(Application):
    """An application that notes what it is told."""

    def __init__(self, failing: str = "") -> None:
        super().__init__(self.answer)
        self.told: list[str] = []
        self.failing = failing

    async def startup(self) -> None:
        await self._note("startup")

    async def shutdown(self) -> None:
        await self._note("shutdown")

    async def cleanup(self) -> None:
        await self._note("cleanup")

    async def _note(self, what: str) -> None:
        await settle(2)
        self.told.append(what)
        if what == self.failing:
            raise ValueError(what)

    async def answer(self, exchange: Exchange) -> None:
        """Answer; "/endless" has no end of its own, and "/wait" ends at the drain."""
        if exchange.head.target == "/endless":
            await exchange.start(200)
            await exchange.write(b"begun")
            await asyncio.Event().wait()
        if exchange.head.target == "/wait":
            await exchange.start(200)
            await exchange.write(b"begun")
            await exchange.wait_draining()
            await exchange.write(b"drained")
            await exchange.finish()
        else:
            await exchange.respond(200, (), b"ready" if not exchange.is_draining else b"draining")


@pytest.fixture
async def run() -> AsyncGenerator[Callable[[BaseRunner], Any]]:
    """What sets a runner up at a free port and returns a client; all of it is cleaned up."""
    runners: list[BaseRunner] = []
    writers: list[asyncio.StreamWriter] = []

    async def start(runner: BaseRunner) -> Callable[[], Any]:
        await runner.setup()
        runners.append(runner)
        await TCPSite(runner, "127.0.0.1", 0).start()
        address = runner.addresses[0]

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection(*address)
            writers.append(writer)
            return reader, writer

        return connect

    yield start
    for runner in runners:
        await runner.cleanup()
    for writer in writers:
        writer.transport.abort()
    await settle()


def get(target: str) -> bytes:
    """Return a request."""
    return GET.replace(b" / ", f" {target} ".encode())


# Life.


async def test_life_of_an_application(run: Callable[[BaseRunner], Any]) -> None:
    """It starts with setup, is served at a site, and is told of the end once."""
    application = Told()
    runner = AppRunner(application, lingering_time=0)
    assert (runner.app, runner.server, runner.addresses) == (application, None, [])
    assert repr(runner) == "<AppRunner not set up>"
    connect = await run(runner)
    assert application.told == ["startup"]
    reader, writer = await connect()
    writer.write(GET)
    assert await reader.readuntil(b"ready")
    assert isinstance(runner.server, Server)
    assert runner.server.requests_count == 1
    assert repr(runner) == "<AppRunner <Server, 1 connections, 1 requests>>"
    await runner.cleanup()
    await runner.cleanup()
    assert application.told == ["startup", "shutdown", "cleanup"]
    assert repr(runner) == "<AppRunner not set up>"
    assert (runner.addresses, runner.sites) == ([], set())


async def test_life_of_a_web_application(run: Callable[[BaseRunner], Any]) -> None:
    """All its signals are sent, and its contexts entered and left."""
    told: list[str] = []

    def note(what: str) -> Callable[[web.Application], Any]:
        async def tell(app: web.Application) -> None:
            told.append(what)

        return tell

    async def context(app: web.Application) -> AsyncGenerator[None]:
        told.append("entered")
        yield
        told.append("left")

    app = web.Application(handler_args={"keepalive_timeout": 5})
    app.on_startup.append(note("startup"))
    app.on_shutdown.append(note("shutdown"))
    app.on_cleanup.append(note("cleanup"))
    app.cleanup_ctx.append(context)
    runner = AppRunner(app, handler_cancellation=True, lingering_time=0)
    connect = await run(runner)
    assert app.handler_cancellation
    reader, writer = await connect()
    writer.write(GET)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404")
    assert b"timeout=5" in head  # of handler_args
    await runner.cleanup()
    assert told == ["entered", "startup", "shutdown", "cleanup", "left"]


async def test_server_runner_runs_a_server(run: Callable[[BaseRunner], Any]) -> None:
    """One handler for everything."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="mine")

    server = Server(handle, lingering_time=0)
    runner = ServerRunner(server, shutdown_timeout=1)
    connect = await run(runner)
    assert runner.server is server
    reader, writer = await connect()
    writer.write(GET)
    assert await reader.readuntil(b"mine")


async def test_setup_that_fails_leaves_nothing_behind() -> None:
    """The application is cleaned up, and the error is its own."""
    application = Told("startup")
    runner = AppRunner(application, handle_signals=True)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ValueError, match="startup"):
        await runner.setup()
    assert application.told == ["startup", "cleanup"]
    assert runner.server is None
    assert signal.getsignal(signal.SIGTERM) is before


async def test_runner_is_set_up_once() -> None:
    """And its listener is there from then on."""
    runner = AppRunner(Told())
    with pytest.raises(RuntimeError, match=r"call runner\.setup\(\) first"):
        _ = runner.listener
    await runner.setup()
    assert runner.listener is (runner.server and runner.server.listener)
    with pytest.raises(RuntimeError, match="set up already"):
        await runner.setup()
    await runner.cleanup()


async def test_error_while_stopping_is_raised_when_all_is_done() -> None:
    """That of shutdown is logged, that of cleanup raised; nothing is left out for them."""
    runner = AppRunner(application := Told("cleanup"))
    await runner.setup()
    with pytest.raises(ValueError, match="cleanup"):
        await runner.cleanup()
    assert application.told == ["startup", "shutdown", "cleanup"]
    assert runner.server is None


# Arguments.


def test_application_must_be_one() -> None:
    """The mistake is told where it is made."""
    given: Any = "app"
    with pytest.raises(TypeError, match=r"expected an application, .*web\.Application\(\), got 'a"):
        AppRunner(given)
    given = web.Application  # the class itself
    with pytest.raises(TypeError, match=r"expected an application, .*, got <class"):
        AppRunner(given)
    given = "app"
    with pytest.raises(TypeError, match=r"expected a web\.Server, got 'app': AppRunner runs"):
        ServerRunner(given)


async def test_unknown_option_is_refused() -> None:
    """It has the name that was given, and the one that was meant."""
    options: dict[str, Any] = {"keepalive": 1}
    with pytest.raises(TypeError, match="'keepalive' is no option of a connection: did you mean"):
        await AppRunner(Told(), **options).setup()


def test_delay_is_part_of_the_time_that_there_is() -> None:
    """Otherwise nobody would have any time left to finish."""
    with pytest.raises(ValueError, match="expected less than 5 s, got 5 s"):
        AppRunner(Told(), shutdown_timeout=5, shutdown_delay=5)


# Stopping.


async def test_handlers_are_told_and_may_finish(run: Callable[[BaseRunner], Any]) -> None:
    """A response without an end ends itself when it is told to, and is complete."""
    connect = await run(runner := AppRunner(Told(), lingering_time=0))
    reader, writer = await connect()
    writer.write(get("/wait"))
    await reader.readuntil(b"begun")
    assert runner.running_handlers == 1
    await runner.cleanup()
    assert (await reader.read()).endswith(b"drained\r\n0\r\n\r\n")
    assert runner.running_handlers == 0


async def test_what_has_no_end_is_cut_at_the_timeout(run: Callable[[BaseRunner], Any]) -> None:
    """The application is cleaned up all the same."""
    connect = await run(runner := AppRunner(application := Told(), shutdown_timeout=0.01))
    reader, writer = await connect()
    writer.write(get("/endless"))
    await reader.readuntil(b"begun")
    await runner.cleanup()
    assert await reader.read() == b"\r\n"  # of the first chunk; there is no last one
    assert application.told == ["startup", "shutdown", "cleanup"]


async def test_cut_ends_the_waiting(run: Callable[[BaseRunner], Any]) -> None:
    """Of a cleanup that has begun; the application is told everything, though."""
    connect = await run(runner := AppRunner(application := Told(), shutdown_timeout=1000))
    reader, writer = await connect()
    writer.write(get("/endless"))
    await reader.readuntil(b"begun")
    stopping = asyncio.create_task(runner.cleanup())
    await settle(20)
    assert not stopping.done()
    runner.cut()
    await stopping
    assert application.told == ["startup", "shutdown", "cleanup"]


async def test_readiness_ends_before_listening_does(run: Callable[[BaseRunner], Any]) -> None:
    """In the delay new clients are served, and those who ask learn that the end has begun."""
    runner = AppRunner(Told(), shutdown_timeout=1000, shutdown_delay=999)
    connect = await run(runner)
    stopping = asyncio.create_task(runner.cleanup())
    await settle()
    reader, writer = await connect()
    writer.write(GET)
    answer = await reader.read()
    assert answer.endswith(b"draining")
    assert b"\r\nConnection: close\r\n" in answer
    runner.cut()
    await stopping


# Sites.


async def test_sites_are_known_while_they_are_open() -> None:
    """They come with start and go with stop."""
    runner = AppRunner(Told())
    await runner.setup()
    site = TCPSite(runner, "127.0.0.1", 0)
    assert runner.sites == set()
    await site.start()
    assert runner.sites == {site}
    with pytest.raises(RuntimeError, match="is started already"):
        await site.start()
    await site.stop()
    assert (runner.sites, runner.addresses) == (set(), [])
    with pytest.raises(RuntimeError, match="is not started"):
        await site.stop()
    await runner.cleanup()


# Signals.


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_loop(number: int) -> None:
    """Where they are handled, they raise GracefulExit, whose code is 1; later, as before."""
    before = signal.getsignal(number)
    runner = AppRunner(application := Told(), handle_signals=True)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(runner.setup())
    os.kill(os.getpid(), number)
    with pytest.raises(GracefulExit) as caught:
        loop.run_forever()
    assert caught.value.code == 1
    loop.run_until_complete(runner.cleanup())
    loop.close()
    assert application.told == ["startup", "shutdown", "cleanup"]
    assert signal.getsignal(number) is before
