"""What is under way is told, with where it is."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from wsgiref.types import StartResponse

import pytest

from aiohttp.protocol import Exchange, ServerHttpProtocol, Service
from aiohttp.worker.running import busy_request, describe_running, dump_running
from aiohttp.worker.wsgi.environ import Environ
from wire import MemoryTransport, connect
from wsgi_client import PLAIN, Adapter, until

HERE = __file__


class Application:
    """An application that is one function."""

    def __init__(self, handler: Callable[[Exchange], Awaitable[None]]) -> None:
        self._handler = handler

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Have the function answer."""
        await self._handler(exchange)


def get(target: str) -> bytes:
    """Return a request for this target."""
    return f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode("latin-1")


def client_of(service: Service, target: str = "/path", **extra: object) -> MemoryTransport:
    """Send a request on a connection of its own."""
    transport = connect(ServerHttpProtocol(service), **extra)
    transport.feed(get(target))
    return transport


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let so much time have gone by, for those who look now."""
    now = monotonic()
    monkeypatch.setattr("aiohttp.worker.running.monotonic", lambda: now + seconds)


async def wait(exchange: Exchange) -> None:
    """Handle a request until its client goes."""
    await exchange.wait_disconnected()


async def test_nothing_is_under_way() -> None:
    """A worker that is idle has nothing to tell."""
    service = Service(Application(wait))
    connect(ServerHttpProtocol(service))
    assert describe_running([service], None) == []
    assert busy_request([service]) is None


async def test_request_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is told with its age, its client, and the place in the application."""
    service = Service(Application(wait))
    client = client_of(service, "/path?a=b")
    await asyncio.sleep(0)
    later(monkeypatch, 3.2)
    (line,) = describe_running([service], None)
    place = f"{HERE}:{wait.__code__.co_firstlineno + 2} in wait"
    assert line == f"GET '/path?a=b' for 3.2 s, client 192.0.2.1:50000, at {place}"
    client.lose()


async def test_long_targets_are_cut() -> None:
    """Of a target that is long the beginning is shown."""
    service = Service(Application(wait))
    client = client_of(service, "/" + "x" * 1000)
    (line,) = describe_running([service], None)
    assert line.index("…") == len("GET ") + 200
    client.lose()


@pytest.mark.parametrize(
    ("peername", "shown"),
    [
        (("2001:db8::1", 443, 0, 0), "client [2001:db8::1]:443"),
        ("", "client of a unix socket"),
    ],
)
async def test_other_addresses(peername: object, shown: str) -> None:
    """Clients of IPv6 and of unix sockets are told as what they are."""
    service = Service(Application(wait))
    client = client_of(service, peername=peername)
    (line,) = describe_running([service], None)
    assert f", {shown}, at " in line
    client.lose()


async def test_longest_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of several services are told, those of each that run longest first."""
    services = [Service(Application(wait)) for _ in range(2)]
    clients = [client_of(services[0], "/1"), client_of(services[1], "/2")]
    await asyncio.sleep(0.001)
    clients.append(client_of(services[0], "/3"))
    lines = describe_running(services, None)
    assert [line[:8] for line in lines] == ["GET '/1'", "GET '/3'", "GET '/2'"]
    for client in clients:
        client.lose()


async def test_not_all_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many requests some are told, and how many more there are."""
    monkeypatch.setattr("aiohttp.worker.running.MOST", 2)
    service = Service(Application(wait))
    clients = [client_of(service) for _ in range(5)]
    lines = describe_running([service], None)
    assert len(lines) == 3
    assert lines[-1] == "and 3 more"
    for client in clients:
        client.lose()


async def test_handler_whose_response_is_over() -> None:
    """A handler that goes on after its response is told, too: a drain waits for it."""

    async def answer_and_wait(exchange: Exchange) -> None:
        await exchange.respond(204)
        await forever.wait()

    forever = asyncio.Event()
    service = Service(Application(answer_and_wait))
    client_of(service)
    await asyncio.sleep(0)
    (line,) = describe_running([service], None)
    assert line.startswith(f"A handler whose response is over, at {HERE}:")
    forever.set()


async def test_busy_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request whose handler blocks the loop is known to any thread, and where it blocks."""

    async def block(exchange: Exchange) -> None:
        if exchange.head.target == "/wait":
            await wait(exchange)
        with ThreadPoolExecutor(1) as executor:
            found.append(executor.submit(busy_request, [service]).result())
            found.extend(executor.submit(describe_running, [service], None).result())
        await exchange.respond(204)

    found: list[str | None] = []
    service = Service(Application(block))
    waiting = client_of(service, "/wait")
    await asyncio.sleep(0)
    later(monkeypatch, 2.0)
    client_of(service, "/block")
    await asyncio.sleep(0)
    busy, first, second = found
    assert busy == "GET '/block' for 2.0 s, client 192.0.2.1:50000"
    assert first is not None
    assert first.endswith(" in wait")
    assert second is not None
    assert second.startswith(f"{busy}, at {HERE}:")
    assert second.endswith(" in block")
    waiting.lose()


async def test_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal's handler dumps the loop's stack, and that of each request, waiting or not."""

    async def block(exchange: Exchange) -> None:
        # As a signal's handler is called: with the innermost frame of what it interrupts.
        dumps.append(dump_running([service], None, sys._getframe()))
        await exchange.respond(204)

    async def handle(exchange: Exchange) -> None:
        await (wait if exchange.head.target == "/wait" else block)(exchange)

    dumps: list[str] = []
    service = Service(Application(handle))
    waiting = client_of(service, "/wait")
    await asyncio.sleep(0)
    later(monkeypatch, 2.0)
    client_of(service, "/block")
    await asyncio.sleep(0)
    loop, waits, blocks = dumps[0].split("\n\n")
    assert loop.startswith("The event loop's thread:\n  File ")
    assert " in test_dump\n" in loop or " in run_forever\n" in loop
    assert " in block\n" in loop
    assert waits.startswith("GET '/wait' for 2.0 s, client 192.0.2.1:50000:\n  File ")
    assert "    await exchange.wait_disconnected()\n" in waits
    assert blocks.startswith("GET '/block' for 2.0 s")
    assert "    dumps.append(dump_running([service], None, sys._getframe()))\n" in blocks
    waiting.lose()


async def test_threads(wsgi: Adapter) -> None:
    """A request of WSGI is where its thread is; or it waits for one, or for its client."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", PLAIN)
        is_there.set()
        go_on.wait(10)
        return [b"x" * 200_000]

    is_there, go_on = threading.Event(), threading.Event()
    client = await wsgi.connect(application, threads=1)
    (pool,), service = wsgi.pools, client.service
    client.transport.hold()
    client.send(get("/1"))
    await asyncio.to_thread(is_there.wait)
    second = client_of(service, "/2")
    await asyncio.sleep(0)
    first, waiting = describe_running([service], pool)
    assert first.startswith("GET '/1' for ")
    assert f", at {HERE}:" in first
    assert first.endswith(" in application")
    assert waiting.startswith("GET '/2' for ")
    assert waiting.endswith(", waiting for a thread")
    assert "    go_on.wait(10)\n" in dump_running([service], pool)
    second.lose()
    await until(lambda: len(service.exchanges) == 1)
    go_on.set()
    await until(lambda: not pool.running() and bool(client.transport.written))
    (line,) = describe_running([service], pool)
    assert line.startswith("GET '/1' for ")
    assert line.endswith(", sending the response")
    client.transport.lose()


async def test_thread_whose_request_is_over(wsgi: Adapter) -> None:
    """A thread that goes on without its client is told, with the request that it was for."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        is_there.set()
        go_on.wait(10)
        start_response("200 OK", PLAIN)
        return []

    is_there, go_on = threading.Event(), threading.Event()
    client = await wsgi.connect(application)
    client.send(get("/1"))
    await asyncio.to_thread(is_there.wait)
    client.transport.lose()
    await until(lambda: not client.service.exchanges and not client.service.tasks)
    (line,) = describe_running([client.service], wsgi.pools[0])
    assert line.startswith(f"<Call GET '/1'>, whose request is over, at {HERE}:")
    go_on.set()
