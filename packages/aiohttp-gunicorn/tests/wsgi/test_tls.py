"""What a WSGI application is told of TLS, and of a client that has a certificate."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, cast

import pytest

from aiohttp.worker.wsgi.tls import tls_environ
from house import REPOSITORY

CERTIFICATE = REPOSITORY / "packages" / "aiohttp-protocol" / "tests" / "localhost.pem"


def shake_hands(*, asks: ssl.VerifyMode, has_certificate: bool = True) -> ssl.SSLObject:
    """Return the server's end of a connection in memory, when the handshake is over."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(CERTIFICATE)
    server.load_verify_locations(CERTIFICATE)
    server.verify_mode = asks
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(CERTIFICATE)
    if has_certificate:
        client.load_cert_chain(CERTIFICATE)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(back, there, server_hostname="localhost"),
        server.wrap_bio(there, back, server_side=True),
    ]
    for _ in range(5):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[1]


@pytest.mark.parametrize("asks", [ssl.CERT_NONE, ssl.CERT_OPTIONAL])
def test_client_without_certificate(asks: ssl.VerifyMode) -> None:
    """Nothing was verified; version and cipher are told all the same."""
    environ = tls_environ(shake_hands(asks=asks, has_certificate=False))
    assert sorted(environ) == ["SSL_CIPHER", "SSL_CLIENT_VERIFY", "SSL_PROTOCOL"]
    assert environ["SSL_CLIENT_VERIFY"] == "NONE"
    assert environ["SSL_PROTOCOL"] == "TLSv1.3"
    assert environ["SSL_CIPHER"].startswith("TLS_")


@pytest.mark.parametrize("asks", [ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED])
def test_client_with_certificate(asks: ssl.VerifyMode) -> None:
    """It is told in PEM, with the names and the number that are in it."""
    environ = tls_environ(shake_hands(asks=asks))
    assert environ["SSL_CLIENT_VERIFY"] == "SUCCESS"
    assert environ["SSL_CLIENT_CERT"] in Path(CERTIFICATE).read_text(encoding="ascii")
    assert environ["SSL_CLIENT_S_DN"] == environ["SSL_CLIENT_I_DN"] == "CN=localhost"
    assert int(environ["SSL_CLIENT_M_SERIAL"], 16) > 0


def test_client_that_is_not_asked() -> None:
    """A certificate that nobody verifies proves nothing."""
    environ = tls_environ(shake_hands(asks=ssl.CERT_NONE))
    assert environ["SSL_CLIENT_VERIFY"] == "NONE"
    assert "SSL_CLIENT_CERT" not in environ


def test_connection_is_looked_at_once() -> None:
    """Not for each of its requests."""
    connection = shake_hands(asks=ssl.CERT_REQUIRED)
    assert tls_environ(connection) is tls_environ(connection)


class Presented:
    """A connection whose client has a certificate with such a name."""

    def version(self) -> None:
        """Return nothing, as before a handshake."""

    def cipher(self) -> None:
        """Return nothing, as before a handshake."""

    def getpeercert(self, binary_form: bool = False) -> object:
        """Return a certificate, as octets or as facts."""
        name = ((("commonName", "Zoë\r\nX: y"),),)
        return b"DER" if binary_form else {"subject": name, "issuer": name, "serialNumber": "1F"}


def test_names_are_native_strings_and_one_line() -> None:
    """UTF-8 carried as latin-1 (PEP 3333); line breaks are escaped (RFC 4514, section 2.4)."""
    environ = tls_environ(cast(Any, Presented()))
    assert environ["SSL_CLIENT_S_DN"] == "CN=Zo\xc3\xab\\0D\\0AX: y"
    assert (environ["SSL_PROTOCOL"], environ["SSL_CIPHER"]) == ("", "")
    assert environ["SSL_CLIENT_CERT"].startswith("-----BEGIN CERTIFICATE-----\nREVS\n")
