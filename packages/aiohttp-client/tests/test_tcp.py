"""Connections over TCP: by name or address, with and without TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aiohttp.client import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientTimeout,
    ConnectionTimeoutError,
    Session,
    TCPConnector,
)
from aiohttp.client.connector import CLIENT_LIMITS
from aiohttp.client.dial import AddrInfoType, Dialer
from aiohttp.client.errors import ServerFingerprintMismatch
from aiohttp.client.resolver import DefaultResolver
from aiohttp.client.tls import Fingerprint
from aiohttp.protocol.http1.client import ClientHttpProtocol
from connectors import Book, SilentBook, connector_of, never
from origin import Origin, response

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


@pytest.mark.parametrize("given", ["127.0.0.1", ("127.0.0.1",), ("127.0.0.1", "0"), (None, 0)])
def test_local_address_without_a_port(given: Any) -> None:
    """It is a pair of text and number; the error shows one."""
    with pytest.raises(TypeError, match=r"tuple .*, such as \('127\.0\.0\.1', 0\), not "):
        TCPConnector(local_addr=given)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"ttl_dns_cache": -1}, ValueError, "ttl_dns_cache must be seconds from 0 on or None"),
        ({"ttl_dns_cache": "10"}, TypeError, "ttl_dns_cache must be seconds from 0 on or None"),
        ({"limit": None}, TypeError, r"limit must be a count from 0 on \(0: no limit\), not None"),
    ],
)
def test_what_is_no_number(options: Any, error: type[Exception], message: str) -> None:
    """Arguments are looked at when they are given, not when a connection is needed."""
    with pytest.raises(error, match=message):
        TCPConnector(**options)


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
        assert caught.value.peer == ("127.0.0.1", origin.port)
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
    pem = Path(__file__).with_name("localhost.pem")
    certificate = "-----BEGIN CERT" + pem.read_text("ascii").split("-----BEGIN CERT")[1]
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
        assert caught.value.peer == ("127.0.0.1", origin.port)
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
        assert caught.value.peer == ("127.0.0.1", origin.port)
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
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ClientConnectorSSLError) as caught:
            await session.get(f"https://127.0.0.1:{port}/", ssl=False)
        assert caught.value.peer == ("127.0.0.1", port)


@asynccontextmanager
async def speechless() -> AsyncGenerator[int]:
    """Accept connections, and say nothing until the client has gone; yield the port."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_handshake_takes_too_long() -> None:
    """A limit that is hit while shaking hands names the other end."""
    async with speechless() as port, Session(timeout=0.05) as session:
        with pytest.raises(ConnectionTimeoutError, match="shaking hands") as caught:
            await session.get(f"https://127.0.0.1:{port}/", ssl=False)
        assert (caught.value.phase, caught.value.peer) == ("tls", ("127.0.0.1", port))


async def test_handshake_is_given_up() -> None:
    """The connector's own limit for the handshake is an error of the connection, with its peer."""
    connector = TCPConnector(limits=replace(CLIENT_LIMITS, handshake_time=0.02))
    async with speechless() as port, Session(connector=connector) as session:
        with pytest.raises(ClientConnectorError, match="cannot open TLS") as caught:
            await session.get(f"https://127.0.0.1:{port}/", ssl=False)
        assert (caught.value.phase, caught.value.peer) == ("tls", ("127.0.0.1", port))


async def test_peer_of_a_failed_address_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes too long is not the machine whose TLS failed before."""
    dial = Dialer.dial

    async def dial_once(self: Dialer) -> socket.socket:
        monkeypatch.setattr(Dialer, "dial", never)
        return await dial(self)

    def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    monkeypatch.setattr(Dialer, "dial", dial_once)
    connector = TCPConnector(resolver=Book(server=["127.0.0.1", "127.0.0.2"]))
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server, Session(connector=connector, timeout=0.05) as session:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionTimeoutError) as caught:
            await session.get(f"https://server.example:{port}/", ssl=False)
        assert (caught.value.phase, caught.value.peer) == ("connect", None)


# By the loop itself, as with uvloop.


@pytest.fixture
def by_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the loop connect, whichever it is."""
    monkeypatch.setattr(Dialer, "leaves_it_to_the_loop", True)


@pytest.mark.usefixtures("by_the_loop")
async def test_connection_that_the_loop_opens() -> None:
    """It is used again, and what comes on it unasked condemns it before the next request."""
    async with Origin(response(b"hello")) as origin, Session() as session:
        for _ in range(2):
            assert await (await session.get(origin.url)).read() == b"hello"
        assert origin.connections == 1
        (connection,) = connector_of(session)._opened
        (writer,) = origin._tasks.values()
        writer.transport.get_extra_info("socket")._sock.send(response(b"evil"))
        assert await (await session.get(origin.url)).read() == b"hello"
        assert origin.connections == 2
        assert connection not in connector_of(session)._opened


@pytest.mark.usefixtures("by_the_loop")
async def test_connection_that_the_loop_can_not_open(closed_port: int) -> None:
    """The error, and what is left of it, are the same."""
    async with Session() as session:
        with pytest.raises(ClientConnectorError, match="cannot connect to 127") as caught:
            await session.get(f"http://127.0.0.1:{closed_port}/")
        assert caught.value.phase == "connect"
        assert " 0 in use, 0 idle" in repr(session)


@pytest.mark.usefixtures("by_the_loop")
async def test_cancelled_while_the_loop_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slot is given back."""
    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    async with Session() as session:
        task = asyncio.create_task(session.get("http://127.0.0.1:1/"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert " 0 in use, 0 idle" in repr(session)
