"""Whom to trust: what ssl= may be, and what comes of it."""

from __future__ import annotations

import asyncio
import ssl
import sys
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aiohttp.client import tls
from aiohttp.client.errors import ServerFingerprintMismatch
from aiohttp.client.tls import Fingerprint, Ssl, context_for, merged_ssl, validate_ssl

CERTIFICATE = (Path(__file__).parent / "localhost.pem").read_text(encoding="ascii")
DER = ssl.PEM_cert_to_DER_cert(
    "-----BEGIN CERT"
    + CERTIFICATE.split("-----BEGIN CERT")[1].split("-----END")[0]
    + "-----END CERTIFICATE-----\n"
)
PIN = Fingerprint(sha256(DER).digest())
OTHER_PIN = Fingerprint(bytes(32))


@pytest.fixture
def no_contexts(monkeypatch: pytest.MonkeyPatch) -> dict[bool, ssl.SSLContext]:
    """Begin as a process does, with no context made; truststore isn't installed."""
    contexts: dict[bool, ssl.SSLContext] = {}
    monkeypatch.setattr(tls, "_contexts", contexts)
    monkeypatch.setitem(sys.modules, "truststore", None)
    return contexts


class Transport(asyncio.BaseTransport):
    """A transport that knows the other end's certificate."""

    def __init__(self, certificate: bytes | None, *, is_tls: bool = True) -> None:
        self._certificate = certificate
        super().__init__({"ssl_object": self} if is_tls else {})

    def getpeercert(self, binary_form: bool) -> bytes | None:
        """Return the certificate: this stands in for the object of TLS, too."""
        return self._certificate if binary_form else None


def test_fingerprint_of_the_certificate() -> None:
    """The server that has this certificate is let pass."""
    PIN.check(Transport(DER))


@pytest.mark.parametrize(
    "transport", [Transport(b"another"), Transport(None), Transport(DER, is_tls=False)]
)
def test_another_certificate(transport: Transport) -> None:
    """Another certificate, or none, is an error that tells both digests."""
    with pytest.raises(ServerFingerprintMismatch, match=PIN.digest.hex()) as caught:
        PIN.check(transport)
    assert caught.value.expected == PIN.digest
    assert caught.value.got != PIN.digest


@pytest.mark.parametrize("size", [0, 16, 20, 31, 64])
def test_only_sha256(size: int) -> None:
    """MD5 and SHA-1 can be forged; anything else is a mistake."""
    with pytest.raises(ValueError, match=f"of 32 bytes, which is SHA-256, got {size} bytes"):
        Fingerprint(bytes(size))


def test_fingerprint_in_hexadecimal() -> None:
    """A text, as openssl prints it, has to be made bytes first."""
    digest: Any = PIN.digest.hex()
    with pytest.raises(TypeError, match="must be bytes, not str"):
        Fingerprint(digest)


def test_fingerprints_are_values() -> None:
    """Equal ones share connections; the digest can be read back."""
    again = Fingerprint(PIN.fingerprint)
    assert again == PIN
    assert len({again, PIN, OTHER_PIN}) == 2
    assert repr(PIN) == f"<Fingerprint {PIN.digest.hex()}>"


@pytest.mark.parametrize("nothing", [None, 0, 1, "", b"", "yes"])
def test_only_false_switches_verification_off(nothing: Any) -> None:
    """What is false in some other way is refused, not taken for consent."""
    with pytest.raises(TypeError, match=f"not {type(nothing).__name__}"):
        validate_ssl(nothing)


def test_older_names() -> None:
    """``verify_ssl``, ``fingerprint`` and ``ssl_context`` say what ``ssl`` says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert merged_ssl(True) is True
    assert merged_ssl(False) is False
    assert merged_ssl(True, verify_ssl=False) is False
    assert merged_ssl(True, fingerprint=PIN.digest) == PIN
    assert merged_ssl(True, ssl_context=context) is context


@pytest.mark.parametrize(
    ("given", "older"),
    [
        (False, {"verify_ssl": False}),
        (PIN, {"verify_ssl": False}),
        (True, {"verify_ssl": False, "fingerprint": bytes(32)}),
    ],
)
def test_one_name_is_enough(given: Ssl, older: dict[str, Any]) -> None:
    """Two of them might say different things."""
    with pytest.raises(ValueError, match="exclude each other"):
        merged_ssl(given, **older)


async def test_usual_contexts(no_contexts: dict[bool, ssl.SSLContext]) -> None:
    """True verifies certificate and name; False nothing. Each is made once."""
    verifying, _ = await context_for(True)
    trusting, _ = await context_for(False)
    assert verifying.verify_mode is ssl.CERT_REQUIRED
    assert verifying.check_hostname
    assert trusting.verify_mode is ssl.CERT_NONE
    assert not trusting.check_hostname
    assert no_contexts == {True: verifying, False: trusting}


async def test_context_is_made_once(no_contexts: dict[bool, ssl.SSLContext]) -> None:
    """However many requests begin at the same time."""
    found = await asyncio.gather(*(context_for(True) for _ in range(8)))
    assert {context for context, _ in found} == {*no_contexts.values()}


@pytest.fixture(scope="module")
def own() -> ssl.SSLContext:
    """A program's own context."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def test_request_has_the_last_word(own: ssl.SSLContext) -> None:
    """What a request says takes the place of what the connector says."""
    verifying, trusting = (await context_for(True))[0], (await context_for(False))[0]
    assert await context_for(True, own) == (own, None)
    assert await context_for(own, False) == (own, None)
    assert await context_for(False, own) == (trusting, None)
    assert await context_for(False, PIN) == (trusting, None)
    assert await context_for(True, True) == (verifying, None)


async def test_context_and_fingerprint_hold_together(own: ssl.SSLContext) -> None:
    """A context with a client's certificate and a pin don't switch each other off."""
    trusting, _ = await context_for(False)
    assert await context_for(PIN) == (trusting, PIN)
    assert await context_for(True, PIN) == (trusting, PIN)
    assert await context_for(PIN, OTHER_PIN) == (trusting, PIN)
    assert await context_for(PIN, own) == (own, PIN)
    assert await context_for(own, PIN) == (own, PIN)


async def test_truststore(
    monkeypatch: pytest.MonkeyPatch, no_contexts: dict[bool, ssl.SSLContext]
) -> None:
    """Where it is installed, the operating system is asked whom to trust."""

    class SSLContext(ssl.SSLContext):
        """As ``truststore.SSLContext``."""

    monkeypatch.setitem(sys.modules, "truststore", SimpleNamespace(SSLContext=SSLContext))
    verifying, _ = await context_for(True)
    trusting, _ = await context_for(False)
    assert isinstance(verifying, SSLContext)
    assert not isinstance(trusting, SSLContext)
    assert [*no_contexts] == [True, False]
