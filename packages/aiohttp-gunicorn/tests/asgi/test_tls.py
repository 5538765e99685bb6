"""The TLS extension: what a request's scope tells of its connection."""

from __future__ import annotations

import ssl
from typing import Any

from asgi_client import scope_of


class Connection:
    """An ``ssl.SSLObject`` after its handshake, as far as the extension asks it."""

    def __init__(
        self,
        *,
        certificate: bytes | None = None,
        version: str | None = "TLSv1.3",
        cipher: str | None = "TLS_AES_256_GCM_SHA384",
    ) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate = certificate
        self._version = version
        self._cipher = cipher
        self.asked = 0

    def getpeercert(self, binary_form: bool = False) -> Any:
        self.asked += 1
        if binary_form or self._certificate is None:
            return self._certificate
        return {"subject": ((("countryName", "DE"),), (("commonName", "me"),))}

    def version(self) -> str | None:
        return self._version

    def cipher(self) -> tuple[str, str, int] | None:
        return None if self._cipher is None else (self._cipher, "TLSv1.3", 256)


async def tls_of(connection: Connection) -> dict[str, Any]:
    """Return the extension for a connection."""
    peer = {"sslcontext": connection.context, "ssl_object": connection}
    scope = await scope_of(peer=peer)
    assert scope["scheme"] == "https"
    found: dict[str, Any] = scope["extensions"]["tls"]
    return found


async def test_tls_is_told() -> None:
    """Version and cipher suite are the numbers of the specifications."""
    assert await tls_of(Connection()) == {
        "server_cert": None,
        "client_cert_chain": [],
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": 0x0304,
        "cipher_suite": 0x1302,
    }


async def test_client_certificate_is_told() -> None:
    """The certificate comes as PEM, its subject in the form of RFC 4514."""
    tls = await tls_of(Connection(certificate=b"DER"))
    assert tls["client_cert_chain"] == [ssl.DER_cert_to_PEM_cert(b"DER")]
    assert tls["client_cert_name"] == "CN=me,C=DE"


async def test_what_is_not_known_is_none() -> None:
    """A version or a suite without a number is None."""
    tls = await tls_of(Connection(version="TLSv9", cipher="NEW"))
    assert (tls["tls_version"], tls["cipher_suite"]) == (None, None)
    tls = await tls_of(Connection(version=None, cipher=None))
    assert (tls["tls_version"], tls["cipher_suite"]) == (None, None)


async def test_tls_is_collected_once() -> None:
    """The requests of a connection share what was asked of it, each with a copy of its own."""
    connection = Connection()
    first = await tls_of(connection)
    first["server_cert"] = "changed"
    first["client_cert_chain"].append("changed")
    second = await tls_of(connection)
    assert (second["server_cert"], second["client_cert_chain"]) == (None, [])
    assert connection.asked == 1


async def test_tls_is_not_offered_without_tls() -> None:
    """Neither for plain HTTP, nor where a proxy has ended TLS."""
    assert "tls" not in (await scope_of())["extensions"]
    scope = await scope_of(peer={"sslcontext": object()})
    assert "tls" not in scope["extensions"]
