"""The sockets below connections: their options, and what can be seen in them."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

__all__ = ["HasFileno", "Peephole", "close_by_reset", "cork", "tune"]

_INPUT: Final = getattr(select, "POLLIN", 0)
_END: Final = getattr(select, "POLLRDHUP", 0)
"""What tells an end behind bytes that wait, too. Only Linux has it."""


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
        if sock.proto != socket.IPPROTO_TCP:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if keepalive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError:
        # The peer may be gone already; connection_lost will tell.
        return


def cork(transport: asyncio.Transport, *, is_corked: bool) -> None:
    """Hold back what doesn't fill a segment (TCP_CORK), or let it go; only Linux can.

    Around many calls of sendfile, which without it push a short segment each: 100 MB take
    31 ms of CPU instead of 38, at 1.00 of nginx's throughput instead of 0.86.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    if (option := getattr(socket, "TCP_CORK", None)) is not None:
        # The peer may be gone already; of a socket that is closed uvloop says ValueError.
        with suppress(OSError, ValueError):
            sock.setsockopt(socket.IPPROTO_TCP, option, is_corked)


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
    except (OSError, ValueError):  # ValueError: see above
        return  # the peer is gone, or this is no TCP


class HasFileno(Protocol):
    """A socket, or what stands for it."""

    def fileno(self) -> int:
        """Return its number."""
        ...


class Peephole:
    """Shows what has come on an idle connection, but the event loop has not told yet.

    Args:
        sock: not blocking; or what a transport gives for it.
        is_tls: then bytes may be session tickets, and only an end or an error counts.

    Attributes:
        poll: called with 0, returns nothing as long as there is nothing to see.
    """

    # The exception of a socket that has nothing to read takes 1.1 µs, to poll it 0.3.
    __slots__ = ("_is_tls", "_sock", "poll")

    def __init__(self, sock: HasFileno, *, is_tls: bool) -> None:
        self._sock = sock
        self._is_tls = is_tls
        self.poll = _poll_of(sock, _END or _INPUT if is_tls else _END | _INPUT)

    def look(self) -> str:
        """Return what the peer did, as a verb before "the connection"; "" if nothing.

        To be called when ``poll`` has returned something.
        """
        try:
            found = _peek(self._sock)
        except BlockingIOError:
            return ""
        except OSError:
            return "broke"
        if not found or (self._is_tls and _END):
            return "closed"
        return "" if self._is_tls else "spoke unasked on"


def _peek(sock: HasFileno) -> bytes:
    if isinstance(sock, socket.socket):
        return sock.recv(1, socket.MSG_PEEK)
    # What a transport gives for its socket can't be read from: by another number it can.
    with socket.socket(fileno=os.dup(sock.fileno())) as same:
        return same.recv(1, socket.MSG_PEEK)


def _poll_of(sock: HasFileno, events: int) -> Callable[[int], Sequence[object]]:
    if not hasattr(select, "poll"):  # Windows
        return lambda timeout: select.select([sock], [], [], timeout)[0]
    poll = select.poll()
    poll.register(sock, events)
    return poll.poll
