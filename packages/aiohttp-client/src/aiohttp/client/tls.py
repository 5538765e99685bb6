"""TLS: whom to trust, by authorities, by one's own context, or by fingerprint."""

from __future__ import annotations

import asyncio
import ssl as tls
from dataclasses import dataclass
from importlib import import_module
from threading import Lock
from typing import TypeAlias

from .errors import ServerFingerprintMismatch

__all__ = ["Fingerprint", "Ssl", "context_for", "merged_ssl", "validate_ssl"]

_SHA256_SIZE = 32


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A server is whoever has this certificate: pinned, whatever authorities say of it.

    Args:
        digest: 32 bytes: the SHA-256 of the certificate in DER.

    Raises:
        ValueError: if the digest has another length, such as that of MD5 or SHA-1.
    """

    digest: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.digest, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a fingerprint must be bytes, not {type(self.digest).__name__}")
        if len(self.digest) != _SHA256_SIZE:
            raise ValueError(
                f"expected a fingerprint of {_SHA256_SIZE} bytes, which is SHA-256, "
                f"got {len(self.digest)} bytes; MD5 and SHA-1 can be forged"
            )

    def __repr__(self) -> str:
        return f"<Fingerprint {self.digest.hex()}>"

    @property
    def fingerprint(self) -> bytes:
        """The digest, by aiohttp's name."""
        return self.digest

    def check(self, transport: asyncio.BaseTransport) -> None:
        """Compare the certificate of the other end of a connection.

        Raises:
            ServerFingerprintMismatch: if it is another one, or there is none.
        """
        from hashlib import sha256

        tls_object: tls.SSLObject | None = transport.get_extra_info("ssl_object")
        certificate = None if tls_object is None else tls_object.getpeercert(binary_form=True)
        got = b"" if certificate is None else sha256(certificate).digest()
        if got != self.digest:
            host, port, *_ = transport.get_extra_info("peername") or ("", 0)
            raise ServerFingerprintMismatch(self.digest, got, host, port)


Ssl: TypeAlias = bool | tls.SSLContext | Fingerprint
"""How to do TLS: with every check (True), with none (False), by one's own context, or with
the one server that has a certificate of this fingerprint."""


def validate_ssl(ssl: object) -> None:
    """Refuse what isn't ``Ssl``: only False itself may mean that nothing is verified.

    Raises:
        TypeError: for anything else, such as None.
    """
    if not isinstance(ssl, bool | tls.SSLContext | Fingerprint):
        raise TypeError(
            "ssl must be True (verify), False (don't), an ssl.SSLContext or a Fingerprint, "
            f"not {type(ssl).__name__}"
        )


def merged_ssl(
    ssl: Ssl,
    *,
    verify_ssl: bool = True,
    fingerprint: bytes | None = None,
    ssl_context: tls.SSLContext | None = None,
) -> Ssl:
    """Return what older names for ``ssl=`` ask for.

    Raises:
        ValueError: if more than one of them says something.
    """
    validate_ssl(ssl)
    said: list[Ssl] = [] if ssl is True else [ssl]
    if not verify_ssl:
        said.append(False)
    if fingerprint is not None:
        said.append(Fingerprint(fingerprint))
    if ssl_context is not None:
        validate_ssl(ssl_context)
        said.append(ssl_context)
    if len(said) > 1:
        raise ValueError("ssl, verify_ssl, fingerprint and ssl_context exclude each other")
    return said[0] if said else True


async def context_for(
    request: Ssl, connector: Ssl = True
) -> tuple[tls.SSLContext, Fingerprint | None]:
    """Return by which context to shake hands, and the fingerprint to check after that.

    What the request says counts, and else what the connector says. A context and a
    fingerprint hold together, wherever each was given. A fingerprint alone takes the
    place of the authorities, whom a pinned certificate doesn't need.
    """
    chosen = connector if request is True else request
    context: bool | tls.SSLContext
    if isinstance(chosen, bool):
        context, fingerprint = chosen, None
    elif isinstance(chosen, Fingerprint):
        context = connector if isinstance(connector, tls.SSLContext) else False
        fingerprint = chosen
    else:
        context = chosen
        fingerprint = connector if isinstance(connector, Fingerprint) else None
    if isinstance(context, tls.SSLContext):
        return context, fingerprint
    usual = _contexts.get(context)
    if usual is None:
        # Reading the certificates of the system takes 10 to 30 ms.
        usual = await asyncio.to_thread(_usual_context, context)
    return usual, fingerprint


_contexts: dict[bool, tls.SSLContext] = {}
_one_by_one = Lock()


def _usual_context(verify: bool) -> tls.SSLContext:
    """Return the context that all connections share which ask for no other; made once."""
    with _one_by_one:
        if verify not in _contexts:
            _contexts[verify] = _make_context(verify)
        return _contexts[verify]


def _make_context(verify: bool) -> tls.SSLContext:
    context = _system_trust() if verify else None
    if context is None:
        context = tls.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = tls.CERT_NONE
    return context


def _system_trust() -> tls.SSLContext | None:
    """Return a context that asks the operating system whom to trust (extra ``[truststore]``)."""
    try:
        truststore = import_module("truststore")
    except ModuleNotFoundError:
        return None
    context: tls.SSLContext = truststore.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    return context
