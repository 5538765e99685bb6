"""Connections: opened by name or address, with and without TLS, and never left behind."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

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
from aiohttp.client.call import Call
from aiohttp.client.connector import (
    CLIENT_LIMITS,
    AddrInfoType,
    BaseConnector,
    NamedPipeConnector,
    UnixConnector,
)
from aiohttp.client.destination import ConnectionKey
from aiohttp.client.dial import Dialer
from aiohttp.client.errors import ServerFingerprintMismatch, UnixClientConnectorError
from aiohttp.client.request import HttpRequest
from aiohttp.client.resolver import DefaultResolver
from aiohttp.client.tls import Fingerprint
from aiohttp.protocol.abc import AbstractResolver, ResolveResult
from aiohttp.protocol.http1.client import ClientHttpProtocol
from aiohttp.protocol.limits import Limits
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


class Book(AbstractResolver):
    """A resolver that answers from a book."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = {f"{name}.example": found for name, found in addresses.items()}
        self.asked: list[str] = []
        self.is_closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=6, flags=0)
            for address in self.addresses[host]
        ]

    async def close(self) -> None:
        self.is_closed = True


class SilentBook(Book):
    """A resolver that never answers."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        return cast("list[ResolveResult]", await never())


def connector_of(session: Session) -> BaseConnector:
    """Return the connector of a session that was not detached."""
    connector = session.connector
    if connector is None:
        raise LookupError(f"{session!r} was detached")
    return connector


# Names.


async def test_name_is_looked_up() -> None:
    """A name is resolved; Host says the name."""
    book = Book(server=["127.0.0.1"])
    async with (
        Origin(response(b"hello")) as origin,
        Session(connector=TCPConnector(resolver=book)) as session,
    ):
        async with session.get(f"http://server.example:{origin.port}/") as answer:
            assert await answer.read() == b"hello"
        assert f"\r\nHost: server.example:{origin.port}\r\n".encode() in origin.request
        assert book.asked == ["server.example"]
    assert not book.is_closed  # by whoever made it


async def test_address_is_not_looked_up() -> None:
    """An address needs no resolver."""
    book = Book()
    async with Origin(response()) as origin, Session(connector=TCPConnector(resolver=book)) as s:
        await s.get(origin.url)
    assert book.asked == []


@pytest.mark.parametrize("host", ["127.1", "0x7f.0.0.1", "2130706433"])
async def test_odd_address_is_for_the_resolver(host: str) -> None:
    """What only some systems take for an address can't get past a resolver that refuses it."""
    book = Book()
    async with Session(connector=TCPConnector(resolver=book)) as session:
        with pytest.raises(ClientConnectorDNSError):
            await session.get(f"http://{host}/")
    assert len(book.asked) == 1


async def test_names_are_kept_until_a_connection_fails(closed_port: int) -> None:
    """An answer serves many connections; when one can't be opened it may be out of date."""
    book = Book(server=["127.0.0.1"])
    connector = TCPConnector(resolver=book, force_close=True)
    async with Origin(response()) as origin, Session(connector=connector) as session:
        for _ in range(2):
            await session.get(f"http://server.example:{origin.port}/")
        assert book.asked == ["server.example"]
        assert [*connector.cached_hosts] == [("server.example", origin.port)]
        for _ in range(2):
            with pytest.raises(ClientConnectorError):
                await session.get(f"http://server.example:{closed_port}/")
        assert book.asked == ["server.example"] * 3
        assert [*connector.cached_hosts] == [("server.example", origin.port)]


async def test_names_are_forgotten_on_demand() -> None:
    """One by one, or all at once; a port belongs to a host."""
    book = Book(server=["127.0.0.1"])
    connector = TCPConnector(resolver=book, force_close=True)
    async with Origin(response()) as origin, Session(connector=connector) as session:
        one: list[tuple[str | None, int | None]] = [("server.example", origin.port)]
        for host, port in [(None, None), *one, ("other.example", origin.port)]:
            await session.get(f"http://server.example:{origin.port}/")
            connector.clear_dns_cache(host, port)
        assert [*connector.cached_hosts] == [("server.example", origin.port)]
        with pytest.raises(ValueError, match="expected a host, and maybe a port, got port 80"):
            connector.clear_dns_cache(port=80)
    assert len(book.asked) == 3


async def test_names_are_not_kept_on_demand() -> None:
    """``use_dns_cache=False`` asks for each connection."""
    book = Book(server=["127.0.0.1"])
    connector = TCPConnector(resolver=book, force_close=True, use_dns_cache=False)
    assert not connector.dns_cache
    async with Origin(response()) as origin, Session(connector=connector) as session:
        for _ in range(2):
            await session.get(f"http://server.example:{origin.port}/")
    assert len(book.asked) == 2


async def test_resolver_that_answers_a_name() -> None:
    """A resolver answers addresses; what else it says is neither looked up nor kept."""
    connector = TCPConnector(resolver=Book(server=["localhost"]), ttl_dns_cache=None)
    async with Session(connector=connector) as session:
        with pytest.raises(ClientConnectorDNSError, match="'localhost', which is no address"):
            await session.get("http://server.example/")
        assert not connector.cached_hosts


async def test_default_resolver() -> None:
    """Without a word the default resolver is asked; the connector that made it closes it."""
    connector = TCPConnector()
    async with Origin(response()) as origin, Session(connector=connector) as session:
        await session.get(f"http://localhost:{origin.port}/")
        assert isinstance(connector._own_resolver, DefaultResolver)


@pytest.mark.parametrize(
    ("family", "answers"), [(socket.AF_INET, ["::1"]), (socket.AF_INET6, ["127.0.0.1"])]
)
async def test_address_of_another_family(family: int, answers: list[str]) -> None:
    """Addresses of a family that isn't wanted are not connected to, named or literal."""
    connector = TCPConnector(resolver=Book(server=answers), family=family)
    assert connector.family is family
    literal = f"[{answers[0]}]" if ":" in answers[0] else answers[0]
    async with Session(connector=connector) as session:
        for host in ("server.example", literal):
            with pytest.raises(ClientConnectorDNSError, match="expected an address of AF_INET"):
                await session.get(f"http://{host}/")


# Addresses.


async def test_next_address_is_tried() -> None:
    """A host with several addresses is reached if one of them answers."""
    book = Book(server=["::1", "127.0.0.2", "127.0.0.1"])
    async with (
        Origin(response()) as origin,
        Session(connector=TCPConnector(resolver=book)) as session,
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


async def test_no_address_answers(closed_port: int) -> None:
    """The error names each address with its reason, in one line."""
    book = Book(server=["127.0.0.1", "127.0.0.2"])
    async with Session(connector=TCPConnector(resolver=book)) as session:
        with pytest.raises(ClientConnectorError) as caught:
            await session.get(f"http://server.example:{closed_port}/")
    assert str(caught.value) == (
        f"cannot connect to server.example:{closed_port}: "
        "127.0.0.1: Connection refused; 127.0.0.2: Connection refused"
    )
    assert isinstance(caught.value.os_error, ConnectionRefusedError)


async def test_local_address_and_socket_factory() -> None:
    """Where sockets are bound, and what they are made by, is for the program to say."""
    made: list[socket.socket] = []

    def make(info: AddrInfoType) -> socket.socket:
        made.append(socket.socket(info[0], info[1], info[2]))
        return made[-1]

    connector = TCPConnector(local_addr=("127.0.0.3", 0), socket_factory=make)
    async with Origin(response()) as origin, Session(connector=connector) as session:
        await session.get(origin.url)
        assert made[0].getsockname()[0] == "127.0.0.3"


def test_local_name() -> None:
    """A local address is an address: a socket is bound to one interface, not to a name."""
    with pytest.raises(ValueError, match=r"must be an address and a port, not \('localhost', 0\)"):
        TCPConnector(local_addr=("localhost", 0))


async def test_unknown_name() -> None:
    """A name without address is an error of its own, with the phase in which it came."""
    async with Session(connector=TCPConnector(resolver=Book())) as session:
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
    monkeypatch.setattr(Dialer, "dial", never)
    async with Session(timeout=limits) as session:
        with pytest.raises(ConnectionTimeoutError, match="connecting to 127") as caught:
            await session.get("http://127.0.0.1/")
        assert caught.value.phase == "connect"
        assert " 0 in use, 0 idle" in repr(session)


async def test_looking_up_takes_too_long() -> None:
    """The resolver's time counts, too."""
    connector = TCPConnector(resolver=SilentBook())
    async with Session(timeout=0.02, connector=connector) as session:
        with pytest.raises(ConnectionTimeoutError, match=r"resolving server\.example"):
            await session.get("http://server.example/")


@pytest.mark.parametrize("step", ["dial", "create_connection"])
async def test_cancelled_while_connecting(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Wherever connecting is cancelled, the slot is given back and no socket is left."""
    owner: Any = Dialer
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


async def test_system_timeout_is_no_limit_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """ETIMEDOUT, a TimeoutError of the system, is told as what it is."""

    async def time_out(*_: object, **__: object) -> Any:
        raise TimeoutError(110, "Connection timed out")

    monkeypatch.setattr(Dialer, "dial", time_out)
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


def fingerprint_of_pem() -> Fingerprint:
    """Return the fingerprint of the certificate of localhost."""
    certificate = "-----BEGIN CERT" + PEM.read_text("ascii").split("-----BEGIN CERT")[1]
    return Fingerprint(sha256(ssl.PEM_cert_to_DER_cert(certificate)).digest())


async def test_fingerprint(server_tls: ssl.SSLContext) -> None:
    """Whoever has the pinned certificate is trusted, and kept; whatever authorities say."""
    pin = fingerprint_of_pem()
    async with (
        Origin(response(), tls=server_tls) as origin,
        Session(connector=TCPConnector(fingerprint=pin.digest)) as session,
    ):
        for _ in range(2):
            await session.get(origin.url)
        await session.get(origin.url, ssl=pin)
        assert origin.connections == 2


async def test_another_fingerprint(server_tls: ssl.SSLContext) -> None:
    """Nothing is sent to a server with another certificate, and no connection is left."""
    async with Origin(response(), tls=server_tls) as origin, Session() as session:
        await session.get(origin.url, ssl=fingerprint_of_pem())
        with pytest.raises(ServerFingerprintMismatch, match=bytes(32).hex()) as caught:
            await session.get(origin.url, ssl=Fingerprint(bytes(32)))
        assert caught.value.phase == "tls"
        assert (caught.value.host, caught.value.port) == ("127.0.0.1", origin.port)
        assert (len(origin.requests), connector_of(session).open_connections) == (1, 1)
        assert " 0 in use" in repr(session)


async def test_next_address_for_tls(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    """A machine whose TLS is out of order doesn't hide the others of the same name."""

    def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    book = Book(server=["127.0.0.2", "127.0.0.1"])
    async with Origin(response(), tls=server_tls) as origin:
        broken = await asyncio.start_server(hang_up, "127.0.0.2", origin.port)
        async with broken, Session(connector=TCPConnector(resolver=book)) as session:
            url = f"https://server.example:{origin.port}/"
            await session.get(url, ssl=client_tls, server_hostname="localhost")
            assert connector_of(session).open_connections == 1


async def test_no_address_does_tls(server_tls: ssl.SSLContext) -> None:
    """Where TLS failed with one address and nothing answers at the others, TLS is the reason."""
    book = Book(server=["127.0.0.1", "127.0.0.2"])
    async with (
        Origin(response(), tls=server_tls) as origin,
        Session(connector=TCPConnector(resolver=book)) as session,
    ):
        with pytest.raises(ClientConnectorCertificateError) as caught:
            await session.get(f"https://server.example:{origin.port}/")
        assert caught.value.phase == "tls"
        assert " 0 in use, 0 idle" in repr(session)


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
        assert connector_of(session).open_connections == 1


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


# Other ways to connect.


async def unix_server(path: Path) -> asyncio.Server:
    """Return a server on a Unix socket, which answers one request a connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(response(head.split(b"\r\n")[1], "Connection: close"))
        writer.close()

    return await asyncio.start_unix_server(answer, path)


async def test_unix_socket(tmp_path: Path) -> None:
    """A Unix socket takes requests for any host; Host says which."""
    path = tmp_path / "socket"
    connector = UnixConnector(path)
    async with await unix_server(path), Session(connector=connector) as session:
        assert connector.path == str(path)
        async with session.get("http://a.example/") as answer:
            assert await answer.read() == b"Host: a.example"


async def test_nobody_at_the_unix_socket(tmp_path: Path) -> None:
    """The error names the path; the slot is free again."""
    path = str(tmp_path / "socket")
    async with Session(connector=UnixConnector(path, limit=1)) as session:
        for _ in range(2):
            with pytest.raises(UnixClientConnectorError, match=f"to {path}: No such") as caught:
                await session.get("http://a.example/")
            assert (caught.value.path, caught.value.phase) == (path, "connect")


@pytest.fixture
def full_unix_socket(tmp_path: Path) -> Iterator[socket.socket]:
    """A Unix socket whose queue of connections to be accepted is full."""
    path = str(tmp_path / "full")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen(0)
        client.connect(path)
        yield server


async def test_full_unix_socket(full_unix_socket: socket.socket) -> None:
    """The limit of the connector ends the wait for room in the queue; no socket is left."""
    connector = UnixConnector(full_unix_socket.getsockname(), conn_timeout=0.02)
    async with Session(connector=connector) as session:
        with pytest.raises(ConnectionTimeoutError, match=r"connecting to a\.example:80"):
            await session.get("http://a.example/")


async def test_room_at_the_unix_socket(full_unix_socket: socket.socket) -> None:
    """Whoever waits for room in the queue is connected when there is some."""
    connector = UnixConnector(full_unix_socket.getsockname())
    async with Session(connector=connector) as session:
        request = asyncio.ensure_future(session.post("http://a.example/", data=b"body"))
        await asyncio.sleep(0.01)
        first, _ = full_unix_socket.accept()
        with first:
            second, _ = await asyncio.to_thread(full_unix_socket.accept)
        with second:
            assert await asyncio.to_thread(second.recv, 9) == b"POST / HT"
            second.sendall(response(b"hello"))
            assert await (await request).read() == b"hello"


def test_system_without_unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to use instead."""
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(RuntimeError, match="use TCPConnector"):
        UnixConnector("/socket")


def test_system_without_named_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to use instead."""
    monkeypatch.delattr(asyncio, "ProactorEventLoop", raising=False)
    with pytest.raises(RuntimeError, match="on Windows only: use UnixConnector"):
        NamedPipeConnector(r"\\.\pipe\name")


async def test_named_pipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pipe takes requests for any host, by the one method that Windows' loop adds."""
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(asyncio, "ProactorEventLoop", type(loop), raising=False)
    path = str(tmp_path / "pipe")
    connector = NamedPipeConnector(path)
    assert connector.path == path
    async with Session(connector=connector) as session:
        with pytest.raises(RuntimeError, match="need a ProactorEventLoop"):
            await session.get("http://a.example/")
        create: Any = loop.create_unix_connection
        monkeypatch.setattr(loop, "create_pipe_connection", create, raising=False)
        with pytest.raises(UnixClientConnectorError, match=f"to {path}: No such"):
            await session.get("http://a.example/")
        async with await unix_server(Path(path)), session.get("http://a.example/") as answer:
            assert await answer.read() == b"Host: a.example"
        assert connector_of(session).open_connections == 0


class OwnConnector(BaseConnector):
    """A connector of a program's own, over a socket that somebody else has connected."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(limit_per_host=1)
        self._sock = sock

    async def _create_connection(self, req: HttpRequest, call: Call) -> ClientHttpProtocol:
        return await self._start(self._sock, req.key, call)


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
