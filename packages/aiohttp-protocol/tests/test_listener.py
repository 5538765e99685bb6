"""A listener: real sockets, TLS, draining in order, and what must never stay behind."""

from __future__ import annotations

import asyncio
import errno
import gzip
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

import pytest

import aiohttp.protocol.listener as module
from aiohttp.protocol.doors import take_connection
from aiohttp.protocol.exchange import Exchange
from aiohttp.protocol.forwarded import TrustedProxies
from aiohttp.protocol.limits import Limits
from aiohttp.protocol.listener import Listener
from aiohttp.protocol.proxy_protocol import Proxied
from served import GET, Application, Handler, request, settle, tell_target

CERTIFICATE = Path(__file__).with_name("localhost.pem")


class Recorder(Application):
    """An application that notes when it is called, and fails where it is told to."""

    def __init__(self, handler: Handler = tell_target, *, failing: str = "") -> None:
        super().__init__(handler)
        self.calls: list[str] = []
        self._failing = failing

    async def startup(self) -> None:
        self._note("startup")

    async def shutdown(self) -> None:
        self._note("shutdown")

    async def cleanup(self) -> None:
        self._note("cleanup")

    def _note(self, name: str) -> None:
        self.calls.append(name)
        if name == self._failing:
            raise RuntimeError(f"{name} failed on purpose")


class Client:
    """One connection to a listener."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)

    async def answer(self) -> bytes:
        """Return one answer that has a Content-Length."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        return head + await self._reader.readexactly(int(length))

    async def get(self, target: str = "/") -> bytes:
        """Ask and return the answer."""
        self.send(request(target))
        return await self.answer()

    async def rest(self) -> bytes:
        """Return all that comes until the server closes."""
        return await self._reader.read()

    async def close(self) -> None:
        """Close, whatever the server did."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return


@pytest.fixture
def tls() -> ssl.SSLContext:
    """A server's context, with a certificate of localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: that of a unix socket has 108 bytes at most."""
    with TemporaryDirectory() as name:
        yield Path(name)


def trusting() -> ssl.SSLContext:
    """A client's context that trusts the server of these tests."""
    return ssl.create_default_context(cafile=CERTIFICATE)


async def connected(address: str | tuple[Any, ...], tls: ssl.SSLContext | None = None) -> Client:
    """Return a client of this address."""
    if isinstance(address, str):
        return Client(*await asyncio.open_unix_connection(address))
    return Client(*await asyncio.open_connection(address[0], address[1], ssl=tls))


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until this is true."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


# Where one can listen.


async def test_tcp_is_served() -> None:
    """Port 0 finds a free one, and tells it."""
    async with Listener(Application(tell_target)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        assert listener.addresses == [address]
        assert repr(listener) == f"<Listener on 127.0.0.1:{address[1]}>"
        client = await connected(address)
        assert (await client.get("/x")).endswith(b"\r\n\r\n/x")
        await client.close()
    assert repr(listener) == "<Listener on nowhere>"
    assert listener.books.requests == 1


async def test_all_families_share_the_port_that_was_free() -> None:
    """Of localhost, or of all addresses; where there is no IPv6 it is left out."""
    async with Listener(Application(tell_target)) as listener:
        for host in ("localhost", None):
            addresses = await listener.listen_tcp(host, 0)
            assert len({address[1] for address in addresses}) == 1
            for address in addresses:
                client = await connected(("::1" if len(address) == 4 else "127.0.0.1", address[1]))
                assert (await client.get()).startswith(b"HTTP/1.1 200")
                await client.close()


async def test_machine_without_ipv6_listens_on_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A family that the kernel lacks is no error as long as another is there."""

    async def both(*args: object, **options: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    async with Listener(Application(tell_target)) as listener:
        (address,) = await listener.listen_tcp("here", 0)
        assert address[0] == "127.0.0.1"


async def test_address_in_use_is_an_error_that_names_it() -> None:
    """Nothing is left open then, and the listener may try another."""
    async with Listener(Application(tell_target)) as listener:
        with closing(socket.create_server(("127.0.0.1", 0))) as other:
            port = other.getsockname()[1]
            with pytest.raises(OSError, match=f"can't listen on 127.0.0.1 port {port}: Address"):
                await listener.listen_tcp("127.0.0.1", port)
        assert listener.sockets == []
        await listener.listen_tcp("127.0.0.1", port)


async def test_unknown_host_is_an_error_that_names_it() -> None:
    """As an address that can't be had is."""
    async with Listener(Application(tell_target)) as listener:
        with pytest.raises(socket.gaierror, match=r"can't listen on host\.invalid: "):
            await listener.listen_tcp("host.invalid", 0)


async def test_open_socket_is_taken() -> None:
    """As an arbiter hands it to its workers."""
    sock = socket.create_server(("127.0.0.1", 0))
    async with Listener(Application(tell_target)) as listener:
        await listener.listen_socket(sock)
        client = await connected(sock.getsockname())
        assert (await client.get()).startswith(b"HTTP/1.1 200")
        await client.close()
    assert sock.fileno() == -1


async def test_unix_socket_replaces_a_dead_one_and_is_removed(folder: Path) -> None:
    """A file that a dead server left is in nobody's way."""
    path = folder / "s"
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(path))
    dead.close()
    async with Listener(Application(tell_target)) as listener:
        assert await listener.listen_unix(path) == str(path)
        client = await connected(str(path))
        assert (await client.get()).startswith(b"HTTP/1.1 200")
        await client.close()
    assert not path.exists()


async def test_path_that_is_too_long_is_told_so(folder: Path) -> None:
    """Python refuses it without a word of the system's."""
    async with Listener(Application(tell_target)) as listener:
        with pytest.raises(OSError, match=r"can't listen on .*xxx: AF_UNIX path too long"):
            await listener.listen_unix(folder / (200 * "x"))


async def test_unix_socket_of_a_living_server_stays(folder: Path) -> None:
    """Nor is any other file removed."""
    path = folder / "s"
    async with Listener(Application(tell_target)) as first:
        await first.listen_unix(path)
        async with Listener(Application(tell_target)) as second:
            with pytest.raises(OSError, match=r"can't listen on .*: Address already in use"):
                await second.listen_unix(path)
        assert path.exists()
    path.write_text("a file")
    async with Listener(Application(tell_target)) as third:
        with pytest.raises(OSError, match="Address already in use"):
            await third.listen_unix(path)
    assert path.read_text() == "a file"


async def test_unix_socket_of_a_successor_stays(folder: Path) -> None:
    """Who took the path in the meantime keeps it."""
    path = folder / "s"
    async with Listener(Application(tell_target)) as old, Listener(Application(tell_target)) as new:
        await old.listen_unix(path)
        path.unlink()
        await new.listen_unix(path)
        await old.drain(1)
        client = await connected(str(path))
        assert (await client.get()).startswith(b"HTTP/1.1 200")
        await client.close()


async def test_connection_has_nodelay_and_keepalive() -> None:
    """Small answers leave at once, and the kernel finds out about clients that vanished."""
    options: list[int] = []

    async def answer(exchange: Exchange) -> None:
        sock = exchange.get_extra_info("socket")
        options.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        options.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        await exchange.respond(200)

    for tcp_keepalive in (True, False):
        async with Listener(Application(answer), tcp_keepalive=tcp_keepalive) as listener:
            (address,) = await listener.listen_tcp("127.0.0.1", 0)
            client = await connected(address)
            await client.get()
            await client.close()
    assert [bool(option) for option in options] == [True, True, True, False]


# TLS.


async def test_tls_is_served(tls: ssl.SSLContext) -> None:
    """With its scheme, large bodies both ways, and the end of the connection announced."""

    async def answer(exchange: Exchange) -> None:
        body = await exchange.body.read()
        await exchange.respond(200, [("X-Scheme", exchange.scheme)], body)

    async with Listener(Application(answer)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0, tls=tls)
        client = await connected(address, trusting())
        body = os.urandom(1_000_000)
        client.send(request("/", "Content-Length: 1000000", method="POST") + body)
        text = await client.answer()
        assert b"\r\nX-Scheme: https\r\n" in text
        assert text.endswith(body)
        client.send(request("/", "Connection: close"))
        await client.answer()
        assert await client.rest() == b""
        await client.close()


async def test_handshake_that_fails_or_stays_silent_ends(tls: ssl.SSLContext) -> None:
    """It is counted, and makes room again where the limit of connections is reached."""
    limits = Limits(handshake_time=0.05, connections=1)
    async with Listener(Application(tell_target), limits=limits) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0, tls=tls)
        plain = await connected(address)
        plain.send(GET)
        assert b"HTTP" not in await plain.rest()
        silent = await connected(address)
        client = await connected(address, trusting())
        assert (await client.get()).startswith(b"HTTP/1.1 200")
        assert listener.books.limits_hit["handshake"] == 2
        for each in (plain, silent, client):
            await each.close()


async def test_silent_handshake_does_not_hold_up_draining(tls: ssl.SSLContext) -> None:
    """Idle connections are closed and handlers are told, whoever else is silent."""

    async def answer(exchange: Exchange) -> None:
        await exchange.wait_draining()
        await exchange.respond(200)

    listener = Listener(Application(answer))
    (plain,) = await listener.listen_tcp("127.0.0.1", 0)
    (secure,) = await listener.listen_tcp("127.0.0.1", 0, tls=tls)
    silent, client = await connected(secure), await connected(plain)
    client.send(GET)
    await until(lambda: listener.service.tasks)
    drain = asyncio.create_task(listener.drain(30))
    assert b"Connection: close" in await client.answer()
    await silent.close()
    await client.close()
    assert await drain is True


# The PROXY protocol.

LOOPBACK = TrustedProxies(["127.0.0.0/8", "unix"])
PROXY_LINE = b"PROXY TCP4 192.0.2.1 192.0.2.2 50000 8443\r\n"
PROXY_TLS = bytes.fromhex(
    "0d0a0d0a000d0a515549540a 21 11 0014 c0000201 c0000202 c350 20fb 20 0005 01 00000000"
)


async def tell_names(exchange: Exchange) -> None:
    """Answer with what is known of the client."""
    names = (exchange.peername, exchange.sockname, exchange.scheme)
    await exchange.respond(200, (), repr(names).encode())


async def through_proxy(
    address: tuple[Any, ...], header: bytes, tls: ssl.SSLContext | None = None
) -> Client:
    """Return a client that a proxy connects, which begins with this header."""
    sock = socket.socket()
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, address)
    await loop.sock_sendall(sock, header)
    name = None if tls is None else "localhost"
    return Client(*await asyncio.open_connection(sock=sock, ssl=tls, server_hostname=name))


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(("header", "over_tls"), [(PROXY_LINE, False), (PROXY_TLS, True)])
async def test_trusted_proxy_tells_whom_its_connection_is_for(
    header: bytes, over_tls: bool, secure: bool, tls: ssl.SSLContext
) -> None:
    """Before TLS, for all requests of the connection."""
    async with Listener(Application(tell_names), proxy_protocol=LOOPBACK) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0, tls=tls if secure else None)
        client = await through_proxy(address, header, trusting() if secure else None)
        for _ in range(2):
            told = (await client.get()).partition(b"\r\n\r\n")[2].decode()
            scheme = "https" if secure or over_tls else "http"
            assert told == f"(('192.0.2.1', 50000), ('192.0.2.2', 8443), {scheme!r})"
        await client.close()


async def test_proxy_speaks_for_itself() -> None:
    """Such as for its own health checks: then the addresses are the transport's."""
    async with Listener(Application(tell_names), proxy_protocol=LOOPBACK) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        client = await through_proxy(address, b"PROXY UNKNOWN\r\n")
        assert b"('127.0.0.1', " in await client.get()
        await client.close()


async def test_fields_of_a_request_are_believed_of_whom_the_proxy_speaks_for() -> None:
    """The client behind the proxy is trusted, not the proxy in front of it."""
    inner = TrustedProxies(["192.0.2.0/24"])
    options: dict[str, Any] = {"proxy_protocol": LOOPBACK, "trusted_proxies": inner}
    async with Listener(Application(tell_names), **options) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        client = await through_proxy(address, PROXY_LINE)
        client.send(request("/", "X-Forwarded-For: 198.51.100.7"))
        assert b"('198.51.100.7', 0)" in await client.answer()
        await client.close()


async def test_stranger_is_not_believed() -> None:
    """Its header is a bad request; without one it is served as anybody."""
    nobody = TrustedProxies(["192.0.2.0/24"])
    async with Listener(Application(tell_names), proxy_protocol=nobody) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        for header in (PROXY_LINE, PROXY_TLS):
            liar = await through_proxy(address, header)
            liar.send(GET)
            assert (await liar.rest()).startswith(b"HTTP/1.1 400")
            await liar.close()
        client = await connected(address)
        assert b"('127.0.0.1', " in await client.get()
        await client.close()


async def test_trusted_peer_without_a_header_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody guesses; whoever set it up finds the reason in the log, but not for mere probes."""
    limits = Limits(handshake_time=0.05)
    async with Listener(
        Application(tell_names), proxy_protocol=LOOPBACK, limits=limits
    ) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        plain = await connected(address)
        plain.send(GET)
        with suppress(ConnectionResetError):
            assert await plain.rest() == b""
        assert "of the PROXY protocol, version 1 or 2, got b'GET / HTTP/1.1" in caplog.text
        assert listener.books.limits_hit == {"proxy_protocol": 1}
        caplog.clear()
        silent = await through_proxy(address, b"PROXY TCP4")
        assert await silent.rest() == b""
        probe = await connected(address)
        await probe.close()
        await until(lambda: not listener._handshakes)
        assert listener.books.limits_hit == {"proxy_protocol": 1, "handshake": 1}
        assert not caplog.text
        for each in (plain, silent):
            await each.close()


async def test_proxy_speaks_the_version_that_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """A header of the other one is as good as none."""
    async with Listener(
        Application(tell_names), proxy_protocol=LOOPBACK, proxy_versions=(2,)
    ) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        client = await through_proxy(address, PROXY_TLS)
        assert b"('192.0.2.1', 50000)" in await client.get()
        old = await through_proxy(address, PROXY_LINE)
        with suppress(ConnectionResetError):
            assert await old.rest() == b""
        assert "of the PROXY protocol, version 2, got b'PROXY" in caplog.text
        for each in (client, old):
            await each.close()


async def test_exchange_knows_what_its_connection_began_with() -> None:
    """As it was said, and None where nothing was."""
    told: list[Any] = []

    async def note(exchange: Exchange) -> None:
        told.append(exchange.get_extra_info("proxied"))
        await exchange.respond(200)

    trusting_nobody = TrustedProxies([])
    for trusted in (LOOPBACK, trusting_nobody):
        async with Listener(Application(note), proxy_protocol=trusted) as listener:
            (address,) = await listener.listen_tcp("127.0.0.1", 0)
            client = await through_proxy(address, PROXY_LINE if trusted is LOOPBACK else b"")
            await client.get()
            await client.close()
    assert told == [Proxied(("192.0.2.1", 50000), ("192.0.2.2", 8443)), None]


async def test_proxy_on_a_unix_socket_is_trusted_where_it_is_named(folder: Path) -> None:
    """Such as one on the same machine."""
    async with Listener(Application(tell_names), proxy_protocol=LOOPBACK) as listener:
        client = await connected(await listener.listen_unix(folder / "socket"))
        client.send(PROXY_LINE)
        assert b"('192.0.2.1', 50000)" in await client.get()
        await client.close()


# Files.


@pytest.mark.parametrize("secure", [False, True])
async def test_file_is_sent(secure: bool, tls: ssl.SSLContext, folder: Path) -> None:
    """By the kernel where it can, whole or a part, and the connection goes on behind it."""
    content = os.urandom(400_000)
    path = folder / "file"
    path.write_bytes(content)

    async def answer(exchange: Exchange) -> None:
        with path.open("rb") as file:
            sock = exchange.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32_768)
            await exchange.start(200, [("Content-Length", str(len(content) + 200_000))])
            await exchange.write(content[:200_000])  # much of it is still in the transport
            await exchange.sendfile(file)
            await exchange.finish()
        assert exchange.body_sent == len(content) + 200_000

    async with Listener(Application(answer)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0, tls=tls if secure else None)
        client = await connected(address, trusting() if secure else None)
        for _ in range(2):
            assert (await client.get()).endswith(content[:200_000] + content)
        await client.close()


async def test_file_whose_client_goes_leaves_nothing_behind(folder: Path) -> None:
    """Not even where the handler would not be cancelled."""
    path = folder / "file"
    path.write_bytes(b"x" * 30_000_000)
    ended: list[type[BaseException]] = []

    async def answer(exchange: Exchange) -> None:
        exchange.cancel_on_disconnect = False
        try:
            with path.open("rb") as file:
                await exchange.start(200, [("Content-Length", "30000000")])
                await exchange.sendfile(file)
        except BaseException as exc:
            ended.append(type(exc))
            raise

    async with Listener(Application(answer)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        client = await connected(address)
        client.send(GET)
        await until(lambda: listener.books.bytes_sent > 1000)
        client._writer.transport.abort()
        await until(lambda: not listener.service.connections)
    assert [error.__name__ for error in ended] == ["PeerDisconnected"]


async def test_client_that_does_not_take_a_file_is_cut(folder: Path) -> None:
    """The kernel's way has the time limit of all writing."""
    path = folder / "file"
    path.write_bytes(b"x" * 30_000_000)

    async def answer(exchange: Exchange) -> None:
        with path.open("rb") as file:
            await exchange.start(200, [("Content-Length", "30000000")])
            await exchange.sendfile(file)

    async with Listener(Application(answer), limits=Limits(write_time=0.1)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        with closing(socket.create_connection(address)) as client:
            client.sendall(GET)
            await until(lambda: listener.books.limits_hit["write_time"])
            await until(lambda: not listener.service.connections)


async def test_file_that_is_read_through_something_is_not_sent_by_its_descriptor(
    folder: Path,
) -> None:
    """A gzip file's descriptor is that of the compressed bytes; what it reads is sent."""
    path = folder / "file.gz"
    path.write_bytes(gzip.compress(b"content"))

    async def answer(exchange: Exchange) -> None:
        with gzip.open(path) as file:
            await exchange.start(200, [("Content-Length", "7")])
            await exchange.sendfile(cast("IO[bytes]", file), 0, 7)
            await exchange.finish()

    async with Listener(Application(answer)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        client = await connected(address)
        assert (await client.get()).endswith(b"\r\n\r\ncontent")
        await client.close()


async def test_part_of_a_response_that_ends_with_its_connection_does_not_pass_for_the_whole() -> (
    None
):
    """A client of HTTP/1.0 gets a reset, not an end, when the handler fails half way."""

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200)
        await exchange.write(b"a part")
        await exchange.body.read()
        raise RuntimeError("half way")

    async with Listener(Application(answer)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()


# Accepting.


async def test_connections_beyond_the_limit_wait_in_the_backlog() -> None:
    """They are served as soon as another one ends."""
    async with Listener(Application(tell_target), limits=Limits(connections=2)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        clients = [await connected(address) for _ in range(3)]
        for client in clients[:2]:
            await client.get()
        clients[2].send(GET)
        await settle(20)
        assert listener.books.connections == 2
        assert listener.books.limits_hit == {"connections": 1}
        await clients[0].close()
        assert (await clients[2].answer()).startswith(b"HTTP/1.1 200")
        for client in clients[1:]:
            await client.close()


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EBADF])
async def test_accept_that_fails_is_tried_again_after_a_breath(
    code: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at once and for ever, which would stop the loop."""
    failures = [OSError(code, "not now"), OSError(code, "not now")]
    take = take_connection

    async def fail(sock: socket.socket) -> socket.socket:
        if failures:
            raise failures.pop()
        return await take(sock)

    monkeypatch.setattr(module, "take_connection", fail)
    monkeypatch.setattr(module, "_BREATHE", 0.01)
    async with Listener(Application(tell_target)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        client = await connected(address)
        assert (await client.get()).startswith(b"HTTP/1.1 200")
        await client.close()
    assert caplog.text.count("can't accept connections for a moment") == 2


async def test_client_that_goes_before_it_is_accepted_is_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The next one is taken without a pause."""
    failures = [ConnectionAbortedError(errno.ECONNABORTED, "gone")]
    take = take_connection

    async def fail(sock: socket.socket) -> socket.socket:
        if failures:
            raise failures.pop()
        return await take(sock)

    monkeypatch.setattr(module, "take_connection", fail)
    async with Listener(Application(tell_target)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        client = await connected(address)
        assert (await client.get()).startswith(b"HTTP/1.1 200")
        await client.close()
    assert caplog.text == ""


# The application's life.


async def test_application_is_called_in_order() -> None:
    """startup, exchanges, shutdown, cleanup; each once, however often one drains."""
    application = Recorder()
    async with Listener(application) as listener:
        await asyncio.gather(listener.start(), listener.listen_tcp("127.0.0.1", 0))
        assert application.calls == ["startup"]
        assert await listener.drain() is True
        assert await listener.drain() is True
    assert application.calls == ["startup", "shutdown", "cleanup"]
    with pytest.raises(RuntimeError, match="has been drained: make a new one"):
        await listener.listen_tcp("127.0.0.1", 0)


async def test_listening_waits_for_the_end_of_startup() -> None:
    """Whoever else began it."""
    release = asyncio.Event()

    class Slow(Recorder):
        async def startup(self) -> None:
            await release.wait()

    listener = Listener(Slow())
    tasks = [asyncio.create_task(listener.listen_tcp("127.0.0.1", 0)) for _ in range(2)]
    await settle()
    assert listener.sockets == []
    release.set()
    await asyncio.gather(*tasks)
    assert len(listener.sockets) == 2
    await listener.drain()


async def test_startup_that_fails_is_cleaned_up(folder: Path) -> None:
    """The error is the caller's, nothing listens, and nothing drains that never ran."""
    application = Recorder(failing="startup")
    listener = Listener(application)
    with pytest.raises(RuntimeError, match="startup failed on purpose"):
        await listener.listen_unix(folder / "s")
    assert application.calls == ["startup", "cleanup"]
    assert not (folder / "s").exists()
    assert await listener.drain() is True
    assert application.calls == ["startup", "cleanup"]


async def test_cleanup_that_fails_is_the_end_all_the_same() -> None:
    """Its error is that of the first who drains; nobody else waits for ever."""
    listener = Listener(Recorder(failing="cleanup"))
    await listener.listen_tcp("127.0.0.1", 0)
    with pytest.raises(RuntimeError, match="cleanup failed on purpose"):
        await listener.drain()
    async with asyncio.timeout(5):
        assert await listener.drain() is True
    assert listener.sockets == []


async def test_drain_during_startup_leaves_nothing_started() -> None:
    """What is prepared by then is cleaned up by who prepared it, and once."""
    release = asyncio.Event()

    class Slow(Recorder):
        async def startup(self) -> None:
            await release.wait()
            await super().startup()

    application = Slow()
    listener = Listener(application)
    start = asyncio.create_task(listener.start())
    await settle()
    assert await listener.drain() is True
    release.set()
    with pytest.raises(RuntimeError, match="has been drained"):
        await start
    assert application.calls == ["startup", "cleanup"]


async def test_drain_during_a_lookup_leaves_nothing_open() -> None:
    """Nobody would close a socket that is opened when all is over."""
    listener = Listener(Recorder())
    await listener.start()
    listen = asyncio.create_task(listener.listen_tcp("127.0.0.1", 0))
    await asyncio.sleep(0)
    assert await listener.drain() is True
    with pytest.raises(RuntimeError, match="has been drained"):
        await listen
    assert listener.sockets == []


async def test_shutdown_that_fails_does_not_stop_draining(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What runs is finished all the same; the error is logged."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await release.wait()
        await exchange.respond(200)

    application = Recorder(answer, failing="shutdown")
    listener = Listener(application)
    (address,) = await listener.listen_tcp("127.0.0.1", 0)
    client = await connected(address)
    client.send(GET)
    await until(lambda: listener.service.tasks)
    drain = asyncio.create_task(listener.drain())
    await settle()
    release.set()
    assert (await client.answer()).startswith(b"HTTP/1.1 200")
    await client.close()
    assert await drain is True
    assert application.calls[-1] == "cleanup"
    assert "shutdown failed on purpose" in caplog.text


# Draining.


async def test_drain_answers_the_backlog() -> None:
    """Clients that think that they are connected are served, as the last."""
    listener = Listener(Application(tell_target))
    (address,) = await listener.listen_tcp("127.0.0.1", 0)
    clients = [socket.create_connection(address) for _ in range(20)]
    for client in clients:
        client.sendall(GET)
    drain = asyncio.create_task(listener.drain())
    await until(lambda: listener.books.requests == 20)
    for client in clients:
        assert b"Connection: close" in client.recv(1000)
        client.close()
    assert await drain is True
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


async def test_drain_closes_idle_connections() -> None:
    """Without waiting for those that are busy."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        if exchange.head.target == "/busy":
            await release.wait()
        await exchange.respond(200)

    listener = Listener(Application(answer))
    (address,) = await listener.listen_tcp("127.0.0.1", 0)
    idle, busy = await connected(address), await connected(address)
    await idle.get()
    busy.send(request("/busy"))
    await until(lambda: listener.service.tasks)
    drain = asyncio.create_task(listener.drain())
    assert await idle.rest() == b""
    release.set()
    assert b"Connection: close" in await busy.answer()
    for client in (idle, busy):
        await client.close()
    assert await drain is True


async def test_drain_cuts_at_its_limit() -> None:
    """An endless response that doesn't listen is cancelled; cleanup comes behind it."""
    application: Recorder

    async def answer(exchange: Exchange) -> None:
        await exchange.start(200)
        await exchange.write(b"x")
        try:
            await asyncio.Event().wait()
        finally:
            application.calls.append("cancelled")

    application = Recorder(answer)
    listener = Listener(application)
    (address,) = await listener.listen_tcp("127.0.0.1", 0)
    client = await connected(address)
    client.send(GET)
    await until(lambda: listener.service.tasks)
    assert await listener.drain(0.01) is False
    assert application.calls == ["startup", "shutdown", "cancelled", "cleanup"]
    assert not listener.service.connections
    await client.close()


async def test_handler_that_can_not_be_cancelled_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named in the log, and cleanup runs all the same."""
    monkeypatch.setattr(module, "_BREATHE", 0.01)
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    application = Recorder(answer)
    listener = Listener(application)
    (address,) = await listener.listen_tcp("127.0.0.1", 0)
    client = await connected(address)
    client.send(GET)
    await until(lambda: listener.service.tasks)
    assert await listener.drain(0) is False
    assert application.calls[-1] == "cleanup"
    assert "a handler goes on though it was cancelled" in caplog.text
    release.set()
    await client.close()


async def test_drain_that_is_cancelled_cuts_and_cleans_up() -> None:
    """Whoever waits for it no longer: nothing stays behind."""
    application = Recorder(lambda exchange: asyncio.Event().wait())
    listener = Listener(application)
    (address,) = await listener.listen_tcp("127.0.0.1", 0)
    client = await connected(address)
    client.send(GET)
    await until(lambda: listener.service.tasks)
    drain = asyncio.create_task(listener.drain())
    await settle()
    drain.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drain
    assert application.calls[-1] == "cleanup"
    assert not listener.service.tasks
    assert not listener.service.connections
    await client.close()


async def test_second_drain_waits_for_the_first() -> None:
    """Leaving the block doesn't end the loop under a drain that is still going on."""
    release = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await release.wait()
        await exchange.respond(200)

    async with Listener(Application(answer)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        client = await connected(address)
        client.send(GET)
        await until(lambda: listener.service.tasks)
        first, second = (asyncio.create_task(listener.drain()) for _ in range(2))
        await settle(20)
        assert not second.done()
        release.set()
        await client.answer()
        await client.close()
        assert [await first, await second] == [True, True]


async def test_drain_may_begin_before_it_stops_accepting() -> None:
    """In the delay new clients are served, and learn that no other request will be."""
    listener = Listener(Application(tell_target), drain_limit=1000, drain_delay=999)
    (address,) = await listener.listen_tcp("127.0.0.1", 0)
    drain = asyncio.create_task(listener.drain())
    await settle()
    assert listener.service.is_draining
    client = await connected(address)
    assert b"\r\nConnection: close\r\n" in await client.get()
    await client.close()
    listener.cut()
    assert await drain


async def test_cut_ends_a_drain_and_tells_the_application() -> None:
    """Whether it comes before the drain or while it waits; shutdown has its moment all the same."""
    for is_early in (True, False):
        application = Slow()
        listener = Listener(application, drain_limit=1000)
        (address,) = await listener.listen_tcp("127.0.0.1", 0)
        client = await connected(address)
        client.send(GET)
        await until(lambda: listener.service.tasks)  # noqa: B023 - called here
        if is_early:
            listener.cut()
        drain = asyncio.create_task(listener.drain())
        await settle(20)
        listener.cut()
        assert not await drain
        assert application.calls == ["startup", "shutdown", "cleanup"]
        await client.close()


class Slow(Recorder):
    """An application that answers nobody, and takes its time for shutdown."""

    def __init__(self) -> None:
        super().__init__(self.wait)

    async def wait(self, exchange: Exchange) -> None:
        await asyncio.Event().wait()

    async def shutdown(self) -> None:
        await settle()
        await super().shutdown()


# Listening no more.


async def test_listening_ends_at_one_address() -> None:
    """Who waits in the backlog there is served; the other addresses stay."""
    async with Listener(Application(tell_target)) as listener:
        (one,) = await listener.listen_tcp("127.0.0.1", 0)
        (other,) = await listener.listen_tcp("127.0.0.1", 0)
        with closing(socket.create_connection(one)) as waiting:
            waiting.setblocking(False)
            await listener.stop_listening([one])
            assert listener.addresses == [other]
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(waiting, GET)
            assert (await loop.sock_recv(waiting, 1000)).startswith(b"HTTP/1.1 200 OK\r\n")
        with pytest.raises(ConnectionRefusedError):
            await connected(one)
        with pytest.raises(ValueError, match="doesn't listen on"):
            await listener.stop_listening([one])


async def test_address_is_reused_as_wanted() -> None:
    """By default where that means connections of the past, and no other server."""
    async with Listener(Application(tell_target)) as listener:
        for reuse_address in (None, False):
            await listener.listen_tcp("127.0.0.1", 0, reuse_address=reuse_address)
        usual, strict = (
            sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) for sock in listener.sockets
        )
        assert bool(usual) == (os.name == "posix")
        assert not strict


async def test_each_connection_may_have_its_own_context(tls: ssl.SSLContext) -> None:
    """A function is asked for it every time."""
    asked: list[str] = []

    def context() -> ssl.SSLContext:
        asked.append("asked")
        return tls

    async with Listener(Application(tell_target)) as listener:
        (address,) = await listener.listen_tcp("127.0.0.1", 0, tls=context)
        for _ in range(2):
            client = await connected(address, trusting())
            assert b"200 OK" in await client.get()
            await client.close()
    assert asked == ["asked", "asked"]
