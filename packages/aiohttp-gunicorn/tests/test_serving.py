"""All listeners of a worker: how they open together, and how they end."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from aiohttp.protocol import Application, Exchange, Limits
from aiohttp.worker.application import Workshop
from aiohttp.worker.serving import Place, Serving

LOG = logging.getLogger("test_serving")


class Native:
    """An application of protocol's kind that notes what happens to it."""

    def __init__(self, events: list[str], name: str = "it", **faults: Exception) -> None:
        self._events = events
        self._name = name
        self._faults = faults

    def _note(self, what: str) -> None:
        self._events.append(f"{self._name} {what}")
        if what in self._faults:
            raise self._faults[what]

    async def startup(self) -> None:
        self._note("startup")

    async def shutdown(self) -> None:
        self._note("shutdown")

    async def cleanup(self) -> None:
        self._note("cleanup")

    async def handle_exchange(self, exchange: Exchange) -> None:
        self._note("request")
        if exchange.head.target == "/endless":
            await asyncio.Event().wait()
        await exchange.respond(200, (), self._name.encode())


class Shop:
    """A workshop for applications that are ready."""

    pool = None

    def __init__(self, close: Callable[[], Any] = lambda: asyncio.sleep(0)) -> None:
        self.close = close

    async def finish(self, made: object) -> Application:
        return cast(Application, made)


def serving(shop: Any = None) -> Serving:
    return Serving(cast(Workshop, shop or Shop()), LOG)


def bound() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


async def opened(*applications: Native, shop: Any = None) -> tuple[Serving, list[Any]]:
    """Serve each on a socket of its own; return where."""
    sockets = [bound() for _ in applications]
    addresses = [sock.getsockname() for sock in sockets]
    served = serving(shop)
    places = [Place(a, [sock]) for a, sock in zip(applications, sockets, strict=True)]
    await served.open(places, tls=None, backlog=16, limits=Limits(linger=0.01))
    return served, addresses


async def ask(address: Any, target: str = "/") -> bytes:
    """Return all that is answered."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_each_application_answers_where_it_is_served() -> None:
    """Two applications, two sockets, one end."""
    events: list[str] = []
    served, addresses = await opened(Native(events, "site"), Native(events, "admin"))
    assert [(await ask(each))[-5:] for each in addresses] == [b"\nsite", b"admin"]
    assert len(served.services) == 2
    await served.close(5, 1)
    assert sorted(events[-4:]) == [
        "admin cleanup", "admin shutdown", "site cleanup", "site shutdown"
    ]  # fmt: skip


async def test_nobody_is_served_before_all_have_started() -> None:
    """An application that can't start has the others clean up, and no socket stays open."""
    events: list[str] = []
    applications = Native(events, "site"), Native(events, "admin", startup=LookupError("no way"))
    sockets = [bound(), bound()]
    served = serving()
    with pytest.raises(LookupError, match="no way"):
        await served.open(
            [Place(a, [s]) for a, s in zip(applications, sockets, strict=True)],
            tls=None,
            backlog=16,
        )
    assert events == [
        "site startup",
        "admin startup",
        "admin cleanup",
        "site shutdown",
        "site cleanup",
    ]
    for sock in sockets:
        sock.close()


async def test_what_runs_is_logged_before_it_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """Its method and target, and for how long."""
    events: list[str] = []
    served, (address,) = await opened(Native(events))
    asking = asyncio.create_task(ask(address, "/endless"))
    while not served.services[0].exchanges:
        await asyncio.sleep(0)
    with caplog.at_level("WARNING", LOG.name):
        await served.close(0.01, 1)
    assert "graceful_timeout is over" in caplog.text
    assert "GET '/endless' for 0.0 s" in caplog.text
    assert await asking == b""
    assert events[-1] == "it cleanup"


async def test_cut_waits_for_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Not in a drain that has begun; and the application cleans up all the same."""
    events: list[str] = []
    served, (address,) = await opened(Native(events))
    asking = asyncio.create_task(ask(address, "/endless"))
    while not served.services[0].exchanges:
        await asyncio.sleep(0)
    closing = asyncio.create_task(served.close(60, 1))
    await asyncio.sleep(0)
    assert served.cut()
    assert not served.cut()
    await closing
    assert await asking == b""
    assert events[-1] == "it cleanup"
    assert not caplog.text


async def test_failing_cleanup_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The other applications clean up, too."""
    events: list[str] = []
    served, _ = await opened(
        Native(events, "bad", cleanup=LookupError("left open")), Native(events, "good")
    )
    with caplog.at_level("ERROR", LOG.name):
        await served.close(5, 1)
    assert "good cleanup" in events
    assert "Error while stopping" in caplog.text
    assert "LookupError: left open" in caplog.text


async def test_endless_cleanup_is_given_up() -> None:
    """It has its part of the time, and no more."""

    class Endless(Native):
        async def cleanup(self) -> None:
            await asyncio.Event().wait()

    served, _ = await opened(Endless([]))
    await served.close(0.01, 0.01)


async def test_blocked_threads_are_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """They end with the process, which the log says."""
    served, _ = await opened(Native([]), shop=Shop(asyncio.Event().wait))
    with caplog.at_level("WARNING", LOG.name):
        await served.close(5, 0.01)
    assert "Threads that are still blocked end with the process" in caplog.text


async def test_any_thread_may_ask_who_is_busy() -> None:
    """Also while an application starts, which may block the loop by that."""
    busy: list[str | None] = []

    class Blocking(Native):
        async def startup(self) -> None:
            asking = threading.Thread(target=lambda: busy.append(served.busy()))
            asking.start()
            asking.join()

    served = serving()
    await served.open([Place(Blocking([]), [])], tls=None, backlog=16)
    await served.close(5, 1)
    assert busy == [None]


async def test_nothing_is_busy_where_nothing_is_served() -> None:
    """Before it is open a serving has no services, and a dump of the loop's thread alone."""
    served = serving(SimpleNamespace(pool=None))
    assert served.services == []
    assert served.busy() is None
    assert served.dump(None).startswith("The event loop's thread")
