"""Options of TCP sockets, and what is seen in them, on real ones."""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from collections.abc import Callable
from typing import NoReturn

import pytest

from aiohttp.protocol import ClientHttpProtocol, Listener, ServerHttpProtocol, Service, deadlines_of
from aiohttp.protocol.sockets import Peephole, close_by_reset, cork, tune
from wire import MemoryTransport


class Kept(ServerHttpProtocol):
    """Remembers its options."""

    options: tuple[int, int] = (0, 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        Kept.options = options(transport.get_extra_info("socket"))

    async def handle_request(self, exchange: object) -> None:
        """Answer nothing: nobody asks."""


def options(sock: socket.socket) -> tuple[int, int]:
    """Return TCP_NODELAY and SO_KEEPALIVE, as 0 or 1."""
    nodelay = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    keepalive = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    return int(nodelay != 0), int(keepalive != 0)


@pytest.mark.parametrize("keepalive", [True, False])
async def test_server_tunes_sockets_of_any_origin(keepalive: bool) -> None:
    """Connections of a socket made without a protocol number send at once, too."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    async with Listener(protocol=Kept, tcp_keepalive=keepalive) as listener:
        await listener.listen_socket(sock)
        with socket.create_connection(sock.getsockname()):
            while not listener.service.connections:
                await asyncio.sleep(0)
        assert Kept.options == (1, int(keepalive))


async def test_client_tunes_sockets_of_any_origin() -> None:
    """A client's connection over such a socket sends at once."""
    loop = asyncio.get_running_loop()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        sock = socket.socket()
        sock.connect(server.getsockname())
        transport, _ = await loop.create_connection(
            lambda: ClientHttpProtocol(deadlines_of(loop)), sock=sock
        )
        assert options(transport.get_extra_info("socket"))[0] == 1
        transport.close()
        await asyncio.sleep(0)


@pytest.mark.skipif(not hasattr(socket, "TCP_CORK"), reason="only Linux has TCP_CORK")
async def test_cork() -> None:
    """A cork is put in and pulled out; a socket of another kind, or none, is left alone."""
    loop = asyncio.get_running_loop()
    protocol = ServerHttpProtocol(Service())
    unix, other = socket.socketpair()
    with socket.socket() as tcp, unix, other:
        transport = MemoryTransport(protocol, loop, {"socket": tcp})
        for is_corked in (True, False):
            cork(transport, is_corked=is_corked)
            assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK) == is_corked
        cork(MemoryTransport(protocol, loop, {"socket": unix}), is_corked=True)
    cork(transport, is_corked=False)
    cork(MemoryTransport(protocol, loop), is_corked=True)


class Closed(socket.socket):
    """What uvloop gives for the socket of a transport that was closed."""

    def setsockopt(self, *args: object) -> NoReturn:
        """Fail."""
        raise ValueError("negative file descriptor")


async def test_sockets_of_uvloop_that_are_gone_are_left_alone() -> None:
    """Its ValueError is no news: the client has gone while a file was sent, or before a cut."""
    with Closed(socket.AF_INET, socket.SOCK_STREAM) as sock:
        transport = MemoryTransport(
            ServerHttpProtocol(Service()), asyncio.get_running_loop(), {"socket": sock}
        )
        cork(transport, is_corked=False)
        close_by_reset(transport)


async def test_transports_without_a_socket_are_left_alone() -> None:
    """Memory has no options, and a socket that is gone raises nothing."""
    protocol = ServerHttpProtocol(Service())
    tune(MemoryTransport(protocol, asyncio.get_running_loop()))
    gone = socket.socket()
    gone.close()
    tune(MemoryTransport(protocol, asyncio.get_running_loop(), {"socket": gone}), keepalive=True)


# What is seen.


def pair() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a TCP connection, the first one not blocking."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setblocking(False)
    return ours, theirs


def reset(theirs: socket.socket) -> None:
    """Close by RST."""
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()


def speak_and_close(theirs: socket.socket) -> None:
    """Send a byte, and end."""
    theirs.send(b"?")
    theirs.close()


SEEN: list[tuple[Callable[[socket.socket], object], bool, str]] = [
    (lambda theirs: theirs.send(b"?"), False, "spoke unasked on"),
    (lambda theirs: theirs.send(b"?"), True, ""),
    (socket.socket.close, False, "closed"),
    (socket.socket.close, True, "closed"),
    (speak_and_close, False, "spoke unasked on"),
    (speak_and_close, True, "closed" if hasattr(select, "POLLRDHUP") else ""),
    (reset, False, "broke"),
    (reset, True, "broke"),
]


@pytest.mark.parametrize(("happen", "is_tls", "seen"), SEEN)
def test_what_waits_is_seen(
    happen: Callable[[socket.socket], object], is_tls: bool, seen: str
) -> None:
    """Bytes, an end and a reset are told apart; in TLS bytes alone mean nothing."""
    ours, theirs = pair()
    with ours, theirs:
        peephole = Peephole(ours, is_tls=is_tls)
        assert not peephole.poll(0)
        happen(theirs)
        assert (peephole.look() if peephole.poll(100) else "") == seen


def test_silence_is_seen() -> None:
    """A look when nothing has come sees nothing."""
    ours, theirs = pair()
    with ours, theirs:
        assert Peephole(ours, is_tls=False).look() == ""


async def test_look_into_what_a_transport_gives() -> None:
    """What stands for a transport's socket can't be read from, but shows the same."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with theirs:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        transport.pause_reading()
        peephole = Peephole(transport.get_extra_info("socket"), is_tls=False)
        assert not peephole.poll(0)
        theirs.send(b"unseen")
        assert peephole.poll(0)
        assert peephole.look() == "spoke unasked on"
        assert ours.recv(10) == b"unseen"
        transport.abort()
        await asyncio.sleep(0)
