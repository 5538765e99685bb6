"""Options of the TCP sockets below connections."""

from __future__ import annotations

import asyncio
import socket
import struct

__all__ = ["close_by_reset", "tune"]


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


def close_by_reset(transport: asyncio.Transport) -> None:
    """Make closing this socket an RST instead of a FIN.

    For a response that ends with its connection: after a FIN the client would take the
    part that it has for the whole (RFC 9112, section 8).
    """
    sock = transport.get_extra_info("socket")
    if sock is None:
        return
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        return  # the peer is gone, or this is no TCP
