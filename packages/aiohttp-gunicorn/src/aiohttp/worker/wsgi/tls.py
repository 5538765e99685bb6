"""What TLS tells a WSGI application of its client, in the variables that Apache's mod_ssl named."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from ..certificate import distinguished_name

__all__ = ["tls_environ"]

# The handshake of a connection is over for good: its requests need not look again.
_known: WeakKeyDictionary[ssl.SSLObject, dict[str, str]] = WeakKeyDictionary()


def tls_environ(connection: ssl.SSLObject) -> Mapping[str, str]:
    """Return SSL_PROTOCOL and SSL_CIPHER of a connection, and who its client has proved to be.

    SSL_CLIENT_VERIFY is ``"SUCCESS"`` with a certificate that was verified, which
    ``cert_reqs`` asks for, and ``"NONE"`` without. SSL_CLIENT_CERT is in PEM; names
    (_S_DN, _I_DN) are UTF-8, carried as latin-1 (PEP 3333).
    """
    found = _known.get(connection)
    if found is None:
        found = _known[connection] = _tls_environ(connection)
    return found


def _tls_environ(connection: ssl.SSLObject) -> dict[str, str]:
    cipher = connection.cipher()
    environ = {
        "SSL_PROTOCOL": connection.version() or "",
        "SSL_CIPHER": cipher[0] if cipher else "",
        "SSL_CLIENT_VERIFY": "NONE",
    }
    # Without facts there is no certificate, or none that anybody has verified.
    facts: Any = connection.getpeercert()
    octets = connection.getpeercert(binary_form=True)
    if facts and octets:
        environ["SSL_CLIENT_VERIFY"] = "SUCCESS"
        environ["SSL_CLIENT_CERT"] = ssl.DER_cert_to_PEM_cert(octets)
        environ["SSL_CLIENT_S_DN"] = _native(distinguished_name(facts["subject"]))
        environ["SSL_CLIENT_I_DN"] = _native(distinguished_name(facts["issuer"]))
        environ["SSL_CLIENT_M_SERIAL"] = facts["serialNumber"]
    return environ


def _native(text: str) -> str:
    return text.encode().decode("latin-1")
