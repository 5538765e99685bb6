"""What tests of connections are given: contexts for TLS, and a port that nobody listens on."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

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
