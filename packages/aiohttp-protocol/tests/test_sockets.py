"""Options of TCP sockets, on real ones."""

from __future__ import annotations

import asyncio
import socket

import pytest

from aiohttp.protocol import ClientHttpProtocol, Listener, ServerHttpProtocol, Service, deadlines_of
from aiohttp.protocol.sockets import tune
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


async def test_transports_without_a_socket_are_left_alone() -> None:
    """Memory has no options, and a socket that is gone raises nothing."""
    protocol = ServerHttpProtocol(Service())
    tune(MemoryTransport(protocol, asyncio.get_running_loop()))
    gone = socket.socket()
    gone.close()
    tune(MemoryTransport(protocol, asyncio.get_running_loop(), {"socket": gone}), keepalive=True)
