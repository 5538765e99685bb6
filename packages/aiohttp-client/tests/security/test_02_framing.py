"""Rule 2: a response whose length is in doubt is none, and nothing behind it answers anything."""

from __future__ import annotations

import pytest

from aiohttp.client import ClientPayloadError, MalformedResponseError
from odd import SMUGGLED, refusal

IN_DOUBT = {
    "CVE-2023-47641 length and chunks": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "CVE-2019-16792 two lengths": ["Content-Length: 0", "Content-Length: 5"],
    "CVE-2019-16792 list of lengths": ["Content-Length: 0, 5"],
    "CVE-2024-6827 unknown coding": ["Transfer-Encoding: x"],
    "CVE-2024-6827 unknown coding and length": ["Transfer-Encoding: x", "Content-Length: 0"],
    "CVE-2024-1135 chunked twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "CVE-2024-1135 not chunked at last": ["Transfer-Encoding: chunked, gzip"],
    "CVE-2019-16786 list": ["Transfer-Encoding: gzip, chunked"],
    "CVE-2019-16789 odd white space": ["Transfer-Encoding: \x0bchunked"],
    "CVE-2019-16789 space before the colon": ["Transfer-Encoding : chunked"],
    "identity": ["Transfer-Encoding: identity"],
    "empty": ["Transfer-Encoding: "],
}


@pytest.mark.parametrize("fields", IN_DOUBT.values(), ids=IN_DOUBT.keys())
async def test_length_in_doubt(fields: list[str]) -> None:
    """The error says so; the connection is closed with all that has come on it."""
    head = "\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode()
    error = await refusal(head + b"0\r\n\r\n")
    assert isinstance(error, MalformedResponseError)
    assert error.phase == "head"


async def test_chunks_of_an_old_server() -> None:
    """HTTP/1.0 knows no chunks (RFC 9112, section 6.1)."""
    await refusal(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhel",
    ],
)
async def test_body_that_breaks_off(data: bytes) -> None:
    """A body without its end is no body, for whoever reads it whole."""
    assert isinstance(await refusal(data, behind=b""), ClientPayloadError)


async def test_upgrade_that_nobody_asked_for() -> None:
    """CVE-2026-69243: a connection doesn't leave HTTP because the server says so."""
    await refusal(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", SMUGGLED)
