"""Rule 11: requests share a connection only where all that is checked, or told, is the same."""

from __future__ import annotations

import asyncio
import ssl
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aiohttp.client import (
    ClientConnectorCertificateError,
    Fingerprint,
    ServerFingerprintMismatch,
    Session,
)
from aiohttp.client.destination import ConnectionKey
from origin import Origin, response

PEM = Path(__file__).parent.parent / "localhost.pem"
DER = ssl.PEM_cert_to_DER_cert(
    "-----BEGIN CERT"
    + PEM.read_text(encoding="ascii").split("-----BEGIN CERT")[1].split("-----END")[0]
    + "-----END CERTIFICATE-----\n"
)
PIN = Fingerprint(sha256(DER).digest())
OTHER_PIN = Fingerprint(bytes(32))


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


def test_key_has_all_of_it() -> None:
    """Each field alone tells two connections apart."""
    key = ConnectionKey("https", "a", 443)
    others: list[dict[str, Any]] = [
        {"scheme": "http"}, {"host": "b"}, {"port": 1}, {"ssl": False}, {"ssl": PIN},
        {"server_hostname": "b"}, {"proxy": "http://p"},
    ]  # fmt: skip
    assert {name for other in others for name in other} == set(ConnectionKey._fields)
    assert all(key._replace(**other) != key for other in others)


async def test_server_hostname(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    """GHSA-4m7w-qmgq-4wj5: another name is checked anew, and not taken for granted."""
    async with Origin(response(), tls=server_tls) as origin, Session() as session:
        await session.get(origin.url, ssl=client_tls)
        with pytest.raises(ClientConnectorCertificateError):
            await session.get(origin.url, ssl=client_tls, server_hostname="evil.example")
        await session.get(origin.url, ssl=client_tls, server_hostname="other.example")
        assert origin.connections >= 2


async def test_checks(server_tls: ssl.SSLContext) -> None:
    """GHSA-4m7w-qmgq-4wj5: what was opened without checks serves no request that wants them."""
    async with Origin(response(), tls=server_tls) as origin, Session() as session:
        await session.get(origin.url, ssl=False)
        with pytest.raises(ClientConnectorCertificateError):
            await session.get(origin.url)
        with pytest.raises(ServerFingerprintMismatch):
            await session.get(origin.url, ssl=OTHER_PIN)
        await session.get(origin.url, ssl=PIN)
        with pytest.raises(ServerFingerprintMismatch):
            await session.get(origin.url, ssl=OTHER_PIN)


async def test_other_server_name_after_a_redirect(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """GHSA-4m7w-qmgq-4wj5: the name that was meant for one origin counts for no other."""
    async with (
        Origin(response(), tls=server_tls) as other,
        Origin(response(b"", f"Location: {other.url}", status="302 Found"), tls=server_tls) as one,
        Session() as session,
    ):
        for _ in range(2):
            await session.get(one.url, ssl=client_tls, server_hostname="other.example")
        # Named by its own host, 127.0.0.1, which the certificate has, too.
        await session.get(other.url, ssl=client_tls)
        assert other.connections == 1


async def test_nothing_sticks_to_a_connection() -> None:
    """GHSA-pw6j-qg29-8w7f: a kept connection has the credentials of no earlier request."""
    async with Origin(response()) as origin, Session() as session:
        await session.get(
            origin.url, auth=("me", "secret"), cookies={"a": "1"}, headers={"X-Mine": "1"}
        )
        await session.get(origin.url)
        assert origin.connections == 1
        names = {line.partition(b":")[0] for line in origin.request.split(b"\r\n")[1:-2]}
        assert names == {b"Host", b"Accept", b"Accept-Encoding", b"User-Agent"}


async def test_one_request_at_a_time() -> None:
    """However many want it at once, a connection serves one after the other, each its answer."""

    async def echo(request: bytes) -> bytes:
        await asyncio.sleep(0)
        return response(request.split(b" ")[1])

    async with Origin(echo) as origin, Session() as session:

        async def ask(number: int) -> bool:
            async with session.get(f"{origin.url}/{number}") as answer:
                return await answer.read() == b"/%d" % number

        assert all(await asyncio.gather(*map(ask, range(300))))
