"""Ports for tests."""

from __future__ import annotations

import socket

import pytest

from aiohttp.test_utils import get_port_socket, unused_port


def test_unused_port_can_be_bound() -> None:
    """The port is free: it can be bound."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", unused_port()))


def test_port_socket_keeps_its_port() -> None:
    """The port belongs to the socket, and nobody else can have it."""
    with get_port_socket("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            get_port_socket("127.0.0.1", port)
