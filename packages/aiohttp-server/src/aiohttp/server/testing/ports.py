"""Ports for tests."""

from __future__ import annotations

import socket

__all__ = ["get_port_socket", "unused_port"]


def get_port_socket(
    host: str, port: int, family: socket.AddressFamily = socket.AF_INET
) -> socket.socket:
    """Return a socket that is bound to this address; with port 0, to a free one.

    It stays the caller's, and keeps the port from everybody else.
    """
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def unused_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free a moment ago.

    Somebody else may take it before you do; ``TestServer`` can't lose that race.
    """
    with get_port_socket("127.0.0.1", 0) as sock:
        port: int = sock.getsockname()[1]
        return port
