"""The certificate of ``localhost`` that the tests use: a server's, and trusted by clients."""

from __future__ import annotations

import ssl
from pathlib import Path

__all__ = ["CERTIFICATE", "for_client", "for_server"]

ROOT = Path(__file__).resolve().parent.parent
CERTIFICATE = ROOT / "packages" / "aiohttp-client" / "tests" / "localhost.pem"
"""Certificate and key, in PEM."""


def for_server() -> ssl.SSLContext:
    """Return what a server needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def for_client() -> ssl.SSLContext:
    """Return what trusts that server, and nobody else."""
    return ssl.create_default_context(cafile=CERTIFICATE)
