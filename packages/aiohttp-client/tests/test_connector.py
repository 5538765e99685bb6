"""Connections: leased, given back, and never left behind."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import Any

import pytest

from aiohttp.client import (
    ClientConnectionError,
    ClientConnectorError,
    Session,
    TCPConnector,
)
from aiohttp.client.call import Call
from aiohttp.client.connector import CLIENT_LIMITS, BaseConnector
from aiohttp.client.destination import ConnectionKey
from aiohttp.client.dial import Dialer
from aiohttp.client.request import HttpRequest
from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.limits import Limits
from aiohttp.protocol.timers import deadlines_of
from connectors import SilentBook, connector_of, never
from origin import Origin, response
from wire import connect

# Closing.


@pytest.mark.parametrize("step", ["dial", "create_connection", "resolve"])
async def test_closed_while_connecting(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """What is being opened when a session is closed is given up at once, at whatever step."""
    book = SilentBook()
    if step == "dial":
        monkeypatch.setattr(Dialer, step, never)
    elif step == "create_connection":
        monkeypatch.setattr(asyncio.get_running_loop(), step, never)
    async with Origin(response()) as origin:
        session = Session(connector=TCPConnector(resolver=book))
        host = "server.example" if step == "resolve" else "127.0.0.1"
        task = asyncio.create_task(session.get(f"http://{host}:{origin.port}/"))
        await asyncio.sleep(0.01)
        await session.close()
        with pytest.raises(ClientConnectionError, match="closed while a connection was opened"):
            await task
        assert connector_of(session).open_connections == 0
        await asyncio.sleep(0)
        assert asyncio.all_tasks() - {asyncio.current_task()} == {*origin._tasks}


async def test_closed_at_the_end_of_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is ready in the very turn in which its session is closed is closed."""
    made = ClientHttpProtocol.connection_made

    def close(self: ClientHttpProtocol, transport: asyncio.BaseTransport) -> None:
        made(self, transport)
        session.close()

    monkeypatch.setattr(ClientHttpProtocol, "connection_made", close)
    async with Origin(response()) as origin:
        session = Session()
        with pytest.raises(ClientConnectionError, match="closed while a connection was opened"):
            await session.get(origin.url)
        assert connector_of(session).open_connections == 0


async def test_closing_closes_tls_at_once(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """After ``await close()`` the sockets are closed: nobody sleeps for a goodbye."""
    async with Origin(response(), tls=server_tls) as origin:
        session = Session()
        await session.get(origin.url, ssl=client_tls)
        (protocol,) = connector_of(session)._opened
        sock: Any = protocol.get_extra_info("socket")
        await session.close()
        assert sock.fileno() == -1


async def test_closing_after_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child lets its parent's connections alone: the kernel's watch list is shared."""
    async with Origin(response()) as origin:
        session = Session()
        await session.get(origin.url)
        (protocol,) = connector_of(session)._opened
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: -1)
            await session.close()
        assert protocol.is_reusable
        protocol.close()


async def test_connector_closes_itself() -> None:
    """A connector without a session is closed by ``async with``; twice is fine."""
    async with TCPConnector() as connector:
        connector.bind(asyncio.get_running_loop())
    assert connector.closed
    await connector.close()
    with pytest.raises(RuntimeError, match="closed"):
        connector.bind(asyncio.get_running_loop())


async def open_in_memory(connector: TCPConnector, limit: int) -> None:
    """Put ``limit`` connections without sockets into use, and let one more request wait."""
    loop = asyncio.get_running_loop()
    connector.bind(loop)
    for _ in range(limit):
        connection = ClientHttpProtocol(deadlines_of(loop))
        connect(connection)
        connector._opened.add(connection)
        connector._pool.join(ConnectionKey("http", "a", 80), pytest.fail)
    connector._pool.join(ConnectionKey("http", "a", 80), pytest.fail)


def test_closing_after_the_loop() -> None:
    """A session whose loop is closed by then is closed without a word: nobody can be told."""
    connector = TCPConnector(limit=2)
    session = Session(connector=connector)
    with asyncio.Runner() as runner:
        runner.run(open_in_memory(connector, 2))
    assert connector.open_connections == 2
    session.close()
    session.close()
    assert connector.open_connections == 0


# Connections on loan.


def request_to(url: str) -> HttpRequest:
    """Return a request, as a session makes it."""
    return HttpRequest("GET", url)


async def test_loan() -> None:
    """A program may borrow a connection for itself, and gives it back."""
    async with Origin(response()) as origin, TCPConnector(limit=1) as connector:
        connection = await connector.connect(request_to(origin.url))
        assert connection.loop is asyncio.get_running_loop()
        protocol: ClientHttpProtocol | None = connection.protocol
        assert protocol is not None
        assert [connection.transport, connection.closed] == [protocol.transport, False]
        assert " 1 in use" in repr(connector)
        connection.release()
        connection.release()
        connection.close()
        facts: list[object] = [connection.closed, connection.protocol, connection.transport]
        assert facts == [True, None, None]
        assert " 0 in use, 0 idle" in repr(connector)  # it had served nothing


async def test_loan_after_an_exchange() -> None:
    """An exchange gives its connection back by itself: once."""
    async with Origin(response(b"hello")) as origin, TCPConnector(limit=1) as connector:
        connection = await connector.connect(request_to(origin.url))
        assert connection.protocol is not None
        exchange = connection.protocol.start("GET", "/", "a")
        assert (await exchange.response()).status == 200
        assert " 0 in use, 1 idle" in repr(connector)
        again = await connector.connect(request_to(origin.url))
        assert " 1 in use, 0 idle" in repr(connector)
        connection.release()
        assert " 1 in use, 0 idle" in repr(connector)
        again.release()
        assert " 0 in use, 1 idle" in repr(connector)


async def test_closed_loan() -> None:
    """A connection that is closed on loan gives its slot back, whatever it was doing."""
    async with Origin(response()) as origin, TCPConnector(limit=1) as connector:
        for _ in range(2):
            connection = await connector.connect(request_to(origin.url))
            connection.close()
        connection = await connector.connect(request_to(origin.url))
        assert connection.protocol is not None
        exchange = connection.protocol.start("GET", "/", "a")
        connection.close()
        assert not exchange.is_under_way
        with pytest.raises(Exception, match="closed on this side"):
            await exchange.response()
        assert " 0 in use, 0 idle" in repr(connector)


async def test_forgotten_loan() -> None:
    """A connection that nobody gave back is a warning, and its slot is served again."""
    async with Origin(response()) as origin, TCPConnector(limit=1) as connector:
        with pytest.warns(ResourceWarning, match="unreleased <Connection"):
            assert not (await connector.connect(request_to(origin.url))).closed
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert " 0 in use, 0 idle" in repr(connector)


class OwnConnector(BaseConnector):
    """A connector of a program's own, over a socket that somebody else has connected."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(limit_per_host=1)
        self._sock = sock

    async def _create_connection(self, req: HttpRequest, call: Call) -> ClientHttpProtocol:
        return await self._start(self._sock, req.key, call)


async def test_peer_that_has_gone() -> None:
    """Where nobody knows the other end any more the error says what failed, without a peer."""
    sock = socket.socket()  # as after a reset: connected to nobody
    sock.setblocking(False)
    async with Session(connector=OwnConnector(sock)) as session:
        with pytest.raises(ClientConnectorError, match="cannot open TLS") as caught:
            await session.get("https://127.0.0.1/", ssl=False)
        assert caught.value.peer is None


async def test_own_connector() -> None:
    """One method says how a connection is opened; the rest is the same for all."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        theirs.sendall(b"")
        async with Session(connector=OwnConnector(ours)) as session:
            task = asyncio.create_task(session.get("http://a.example/"))
            await asyncio.sleep(0.01)
            assert theirs.recv(65536).startswith(b"GET / HTTP/1.1\r\n")
            theirs.sendall(response(b"hello"))
            async with await task as answer:
                assert await answer.read() == b"hello"


# What it is made of.


@pytest.mark.parametrize(
    ("given", "seconds"),
    [({}, 15), ({"keepalive_timeout": 3}, 3), ({"limits": Limits(keep_alive=60)}, 60)],
)
def test_idle_time(given: dict[str, Any], seconds: float) -> None:
    """Idle connections are kept as the connector says, or else its limits."""
    assert TCPConnector(**given)._limits.keep_alive == seconds


def test_facts() -> None:
    """What it was made with can be read back; what isn't needed is taken without a word."""
    connector = TCPConnector(
        limit=7,
        limit_per_host=2,
        force_close=True,
        verify_ssl=False,
        enable_cleanup_closed=True,
        timeout_ceil_threshold=1,
        ssl_shutdown_timeout=1,
    )
    assert (connector.limit, connector.limit_per_host, connector.force_close) == (7, 2, True)
    assert (connector.ssl, connector.dns_cache, connector.family) == (False, True, 0)
    assert connector._limits is CLIENT_LIMITS
    assert repr(connector) == ("<TCPConnector <Pool 0 in use, 0 idle, 0 waiting, limit 7>>")


async def test_connector_of_another_loop() -> None:
    """A loop that is given is the one that this belongs to."""
    loop = asyncio.new_event_loop()
    loop.close()
    async with TCPConnector(loop=loop) as connector:
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            await connector.connect(request_to("http://a.example/"))


# Closing from elsewhere.


def test_closing_between_two_runs_of_a_loop() -> None:
    """Without a running loop the sockets are closed when ``close`` returns, and nothing warns."""
    loop = asyncio.new_event_loop()
    session = Session()
    origin = Origin(response())

    async def fetch() -> Any:
        await origin.__aenter__()
        await session.get(origin.url)
        (connection,) = connector_of(session)._opened
        return connection.get_extra_info("socket")

    sock = loop.run_until_complete(fetch())
    session.close()
    assert sock.fileno() == -1
    loop.run_until_complete(origin.__aexit__(None, None, None))
    loop.close()


async def test_closing_in_another_thread() -> None:
    """The loop does it itself, in its next turn: nothing of it can be touched from outside."""
    async with Origin(response()) as origin:
        session = Session()
        await session.get(origin.url)
        connector = connector_of(session)
        await asyncio.to_thread(session.close)
        await asyncio.sleep(0)
        assert connector.open_connections == 0
        with pytest.raises(RuntimeError, match="the session is closed"):
            await session.get(origin.url)
