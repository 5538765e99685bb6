"""Options of the TCP sockets below connections."""

from __future__ import annotations

import asyncio
import socket

__all__ = ["tune"]


def tune(transport: asyncio.Transport, *, keepalive: bool = False) -> None:
    """Send small pieces at once (TCP_NODELAY), and with ``keepalive`` probe silent peers.

    An event loop sets TCP_NODELAY itself, but only if the socket was made with the
    protocol's number, which those of gunicorn and ``socket.socket()`` are not: with
    Nagle's algorithm a response in two writes waits 40 ms for the peer's ACK.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if keepalive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError:
        # The peer may be gone already; connection_lost will tell.
        return
