"""What an ASGI application is told about a TLS connection: the TLS extension (version 0.2)."""

from __future__ import annotations

import ssl
from typing import Any, Final
from weakref import WeakKeyDictionary

from aiohttp.protocol import Exchange

from ..certificate import distinguished_name

__all__ = ["tls_extension"]

# By the number that stands in the handshake (RFC 8446, section 4.2.1).
_VERSIONS: Final = {
    "TLSv1": 0x0301,
    "TLSv1.1": 0x0302,
    "TLSv1.2": 0x0303,
    "TLSv1.3": 0x0304,
}

_extensions: WeakKeyDictionary[ssl.SSLObject, dict[str, Any]] = WeakKeyDictionary()
_suites: dict[str, int] = {}


def tls_extension(exchange: Exchange) -> dict[str, Any] | None:
    """Return the extension for a request that came over TLS; None where a proxy ended TLS.

    Collected once for a connection. The server's own certificate is not known to
    Python's ssl module.
    """
    ssl_object: ssl.SSLObject | None = exchange.get_extra_info("ssl_object")
    if ssl_object is None:
        return None
    extension = _extensions.get(ssl_object)
    if extension is None:
        extension = _extensions[ssl_object] = _extension_of(ssl_object)
    return {**extension, "client_cert_chain": extension["client_cert_chain"].copy()}


def _extension_of(ssl_object: ssl.SSLObject) -> dict[str, Any]:
    certificate = ssl_object.getpeercert(binary_form=True)
    facts: Any = ssl_object.getpeercert() if certificate else None
    return {
        "server_cert": None,
        "client_cert_chain": [ssl.DER_cert_to_PEM_cert(certificate)] if certificate else [],
        "client_cert_name": distinguished_name(facts["subject"]) if facts else None,
        "client_cert_error": None,
        "tls_version": _VERSIONS.get(ssl_object.version() or ""),
        "cipher_suite": _suite_of(ssl_object),
    }


def _suite_of(ssl_object: ssl.SSLObject) -> int | None:
    """Return the number of the cipher suite in use (RFC 8446, appendix B.4)."""
    cipher = ssl_object.cipher()
    if cipher is None:
        return None
    if cipher[0] not in _suites:
        for each in ssl_object.context.get_ciphers():
            _suites[each["name"]] = each["id"] & 0xFFFF
    return _suites.get(cipher[0])
