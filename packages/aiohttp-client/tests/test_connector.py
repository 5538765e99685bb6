"""Connections: opened by name or address, with and without TLS, and never left behind."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohappyeyeballs
import pytest

from aiohttp.client import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientTimeout,
    ConnectionTimeoutError,
    Session,
    TCPConnector,
)
from aiohttp.client.destination import ConnectionKey
from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.timers import deadlines_of
from origin import Origin, response
from wire import connect

PEM = Path(__file__).parent / "localhost.pem"


@pytest.fixture
def server_tls() -> ssl.SSLContext:
    """A server's context with the certificate of localhost, 127.0.0.1 and other.example."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(PEM)
    return context


@pytest.fixture
def client_tls() -> ssl.SSLContext:
    """A client's context that trusts that certificate, and no other."""
    return ssl.create_default_context(cafile=str(PEM))


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


class Names:
    """Answers for a name server, in place of ``loop.getaddrinfo``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, list[str]] = {}
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._look_up)

    async def _look_up(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        stream = socket.SOCK_STREAM
        return [
            found
            for address in self.answers[host]
            for found in socket.getaddrinfo(address, port, type=stream)
        ]


async def test_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is resolved; Host says the name."""
    names = Names(monkeypatch)
    names.answers["server.example"] = ["127.0.0.1"]
    async with Origin(response(b"hello")) as origin, Session() as session:
        async with session.get(f"http://server.example:{origin.port}/") as answer:
            assert await answer.read() == b"hello"
        assert f"\r\nHost: server.example:{origin.port}\r\n".encode() in origin.request
        assert names.asked == ["server.example"]


async def test_address_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address needs no name server, and no thread."""
    names = Names(monkeypatch)
    async with Origin(response()) as origin, Session() as session:
        await session.get(origin.url)
        assert names.asked == []


async def test_next_address_is_tried(monkeypatch: pytest.MonkeyPatch, closed_port: int) -> None:
    """A host with several addresses is reached if one of them answers."""
    names = Names(monkeypatch)
    names.answers["server.example"] = ["::1", "127.0.0.1"]
    async with (
        Origin(response()) as origin,
        Session() as session,
        session.get(f"http://server.example:{origin.port}/") as answer,
    ):
        assert answer.status == 200


async def test_ipv6() -> None:
    """An IPv6 literal is a host like any other."""
    try:
        async with Origin(response(), host="::1") as origin, Session() as session:
            await session.get(origin.url)
            assert f"\r\nHost: [::1]:{origin.port}\r\n".encode() in origin.request
    except OSError as exc:
        assert exc.errno  # noqa: PT017 this machine has no IPv6: then the request fails as it should


async def test_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without address is an error of its own, with the phase in which it came."""
    Names(monkeypatch)
    async with Session() as session:
        with pytest.raises(ClientConnectorDNSError, match="cannot resolve nobody") as caught:
            await session.get("http://nobody.example/")
        assert (caught.value.phase, caught.value.host) == ("dns", "nobody.example")
        assert " 0 in use, 0 idle" in repr(session)


async def test_refused_connection(closed_port: int) -> None:
    """Nobody listens: the error says where, and the slot is free again."""
    async with Session(connector=TCPConnector(limit=1)) as session:
        for _ in range(2):
            with pytest.raises(ClientConnectorError, match="cannot connect to 127") as caught:
                await session.get(f"http://127.0.0.1:{closed_port}/")
            assert isinstance(caught.value, OSError)
            assert caught.value.errno
            assert caught.value.phase == "connect"
        assert " 0 in use, 0 idle, 0 waiting" in repr(session)


async def never(*_: object, **__: object) -> Any:
    """Stand in for a step that never ends."""
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    "limits",
    [ClientTimeout(sock_connect=0.02), ClientTimeout(connect=0.02), ClientTimeout(total=0.02)],
)
async def test_connecting_takes_too_long(
    monkeypatch: pytest.MonkeyPatch, limits: ClientTimeout
) -> None:
    """Each limit that covers connecting ends it; the slot is free again."""
    monkeypatch.setattr(aiohappyeyeballs, "start_connection", never)
    async with Session(timeout=limits) as session:
        with pytest.raises(ConnectionTimeoutError, match="connecting to 127") as caught:
            await session.get("http://127.0.0.1/")
        assert caught.value.phase == "connect"
        assert " 0 in use, 0 idle" in repr(session)


async def test_looking_up_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name server's time counts, too."""
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    async with Session(timeout=0.02) as session:
        with pytest.raises(ConnectionTimeoutError, match=r"resolving server\.example"):
            await session.get("http://server.example/")


@pytest.mark.parametrize("step", ["start_connection", "create_connection"])
async def test_cancelled_while_connecting(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Wherever connecting is cancelled, the slot is given back and no socket is left."""
    owner: Any = aiohappyeyeballs
    if step == "create_connection":
        owner = asyncio.get_running_loop()
    monkeypatch.setattr(owner, step, never)
    async with Origin(response()) as origin, Session(connector=TCPConnector(limit=1)) as session:
        task = asyncio.create_task(session.get(origin.url))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert " 0 in use, 0 idle, 0 waiting" in repr(session)
        monkeypatch.undo()
        await session.get(origin.url)


async def test_closed_while_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is opened for a session that was closed meanwhile is closed, too."""
    go_on = asyncio.Event()
    start_connection: Any = vars(aiohappyeyeballs)["start_connection"]

    async def wait(*arguments: Any, **options: Any) -> socket.socket:
        await go_on.wait()
        sock: socket.socket = await start_connection(*arguments, **options)
        return sock

    monkeypatch.setattr(aiohappyeyeballs, "start_connection", wait)
    async with Origin(response()) as origin:
        session = Session()
        task = asyncio.create_task(session.get(origin.url))
        await asyncio.sleep(0)
        await session.close()
        go_on.set()
        with pytest.raises(ClientConnectionError, match="closed while a connection was opened"):
            await task
        assert session.connector.open_connections == 0


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


async def test_system_timeout_is_no_limit_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """ETIMEDOUT, a TimeoutError of the system, is told as what it is."""

    async def time_out(*_: object, **__: object) -> Any:
        raise TimeoutError(110, "Connection timed out")

    monkeypatch.setattr(aiohappyeyeballs, "start_connection", time_out)
    async with Session() as session:
        with pytest.raises(ClientConnectorError, match="Connection timed out"):
            await session.get("http://127.0.0.1/")


# TLS.


async def test_tls(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    """An own context decides whom to trust; connections are kept as without TLS."""
    async with Origin(response(b"hello"), tls=server_tls) as origin, Session() as session:
        for _ in range(2):
            async with session.get(origin.url, ssl=client_tls) as answer:
                assert await answer.read() == b"hello"
        assert origin.connections == 1


async def test_context_of_the_connector(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """A context can be given for all requests."""
    async with (
        Origin(response(), tls=server_tls) as origin,
        Session(connector=TCPConnector(ssl=client_tls)) as session,
    ):
        await session.get(origin.url)


async def test_large_body_over_tls(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    """Bodies are received into their final buffer through TLS, too."""
    body = bytes(range(256)) * 8192
    async with (
        Origin(response(body), tls=server_tls) as origin,
        Session() as session,
        session.get(origin.url, ssl=client_tls) as answer,
    ):
        assert await answer.read() == body


async def test_untrusted_certificate(server_tls: ssl.SSLContext) -> None:
    """By default a certificate that nobody vouches for is refused."""
    async with Origin(response(), tls=server_tls) as origin, Session() as session:
        with pytest.raises(ClientConnectorCertificateError, match="cannot open TLS to") as caught:
            await session.get(origin.url)
        assert caught.value.phase == "tls"
        assert isinstance(caught.value.certificate_error, ssl.SSLCertVerificationError)
        assert origin.requests == []
        assert " 0 in use, 0 idle" in repr(session)


async def test_no_verification_on_demand(server_tls: ssl.SSLContext) -> None:
    """``ssl=False`` trusts everybody."""
    async with Origin(response(), tls=server_tls) as origin, Session() as session:
        assert (await session.get(origin.url, ssl=False)).status == 200


async def test_name_that_ends_in_a_dot(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """A name that is written as a whole is in certificates without its dot (RFC 6066, 3)."""
    async with Origin(response(), tls=server_tls) as origin, Session() as session:
        await session.get(origin.url, ssl=client_tls, server_hostname="other.example.")


@pytest.mark.parametrize("nothing", [None, 0, ""])
async def test_only_false_switches_verification_off(nothing: Any) -> None:
    """What is false in some other way is refused, not taken for consent."""
    with pytest.raises(TypeError, match=f"not {type(nothing).__name__}"):
        TCPConnector(ssl=nothing)
    async with Session() as session:
        with pytest.raises(TypeError, match="ssl must be True"):
            await session.get("https://127.0.0.1/", ssl=nothing)


async def test_cancelled_at_the_end_of_the_handshake(
    monkeypatch: pytest.MonkeyPatch, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """The socket's number is watched for nobody when another connection gets it."""
    made = ClientHttpProtocol.connection_made

    def cancel(self: ClientHttpProtocol, transport: asyncio.BaseTransport) -> None:
        made(self, transport)
        task.cancel()

    async with Origin(response(), tls=server_tls) as origin, Session() as session:
        with monkeypatch.context() as patch:
            patch.setattr(ClientHttpProtocol, "connection_made", cancel)
            task = asyncio.ensure_future(session.get(origin.url, ssl=client_tls))
            with pytest.raises(asyncio.CancelledError):
                await task
        await session.get(origin.url, ssl=client_tls)
        assert session.connector.open_connections == 1


async def test_certificate_of_another_host(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """The name in the certificate must be the one that was asked for."""
    async with Origin(response(), tls=server_tls) as origin, Session() as session:
        await session.get(origin.url, ssl=client_tls, server_hostname="other.example")
        with pytest.raises(ClientConnectorCertificateError):
            await session.get(origin.url, ssl=client_tls, server_hostname="evil.example")


async def test_tls_settings_keep_connections_apart(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """A connection that was opened with other checks is never reused (GHSA-4m7w-qmgq-4wj5)."""
    async with Origin(response(), tls=server_tls) as origin, Session() as session:
        await session.get(origin.url, ssl=False)
        with pytest.raises(ClientConnectorCertificateError):
            await session.get(origin.url)
        await session.get(origin.url, ssl=client_tls)
        with pytest.raises(ClientConnectorCertificateError):
            await session.get(origin.url, ssl=client_tls, server_hostname="evil.example")
        await session.get(origin.url, ssl=client_tls, server_hostname="other.example")
        assert origin.connections >= 3


async def test_server_without_tls() -> None:
    """A plain server behind an https URL is an error of TLS."""

    def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server, Session() as session:
        with pytest.raises(ClientConnectorSSLError):
            await session.get(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", ssl=False)
