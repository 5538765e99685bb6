"""Rule 6: every limit holds, however the bytes come, and counts objects as well as bytes."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

import pytest

from aiohttp.client import (
    ClientPayloadError,
    MalformedResponseError,
    Session,
    TCPConnector,
    TooManyRedirects,
)
from aiohttp.client.cookiejar import CookieJar
from aiohttp.client.destination import _cached_destination, destination_of
from aiohttp.client.redirects import redirect
from aiohttp.protocol.abc import AbstractResolver, ResolveResult
from odd import refusal
from origin import Origin, response

OK = b"HTTP/1.1 200 OK\r\n"


class AnyName(AbstractResolver):
    """Knows the address of every name there is."""

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        """Return this machine's own."""
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


@pytest.mark.parametrize(
    ("data", "options", "limit"),
    [
        (b"HTTP/1.1 200 " + b"x" * 100, {"max_line_size": 50}, "max_line_size=50"),
        (OK + b"A: " + b"x" * 100, {"max_field_size": 50}, "max_field_size=50"),
        (OK + b"A: b\r\n" * 9 + b"\r\n", {"max_headers": 8}, "max_headers=8"),
        (OK + b"A: " + b"x" * 9000, {}, "max_field_size=8190"),
        (OK + b"A: b\r\n" * 200 + b"\r\n", {}, "max_headers=128"),
    ],
)
async def test_limit_across_segments(data: bytes, options: dict[str, Any], limit: str) -> None:
    """CVE-2026-54277: a line that comes in pieces is as long as one that comes whole."""

    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for start in range(0, len(data), 16):
            writer.write(data[start : start + 16])
            await asyncio.sleep(0)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(dribble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Session(timeout=5) as session:
        with pytest.raises(MalformedResponseError) as caught:
            await session.get(f"http://127.0.0.1:{port}/", **options)
    assert caught.value.limit == limit


async def test_informational_responses() -> None:
    """They are counted: nobody keeps a client busy by them for good."""
    error = await refusal(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 1000)
    assert error.limit == "Limits.informational=64"


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked", b"A: b"]
)
async def test_body(framing: bytes) -> None:
    """``max_body`` holds, whether the length was announced or not."""
    body = b"64\r\n" + b"x" * 100 + b"\r\n0\r\n\r\n" if b"chunked" in framing else b"x" * 100
    error = await refusal(OK + framing + b"\r\n\r\n" + body, behind=b"", max_body=99)
    assert isinstance(error, ClientPayloadError)
    assert error.limit == "max_body=99"


async def test_announced_length_takes_no_memory() -> None:
    """A length is only the server's word: nothing is allocated in proportion to it."""
    data = OK + b"Content-Length: 1000000000\r\nConnection: close\r\n\r\nx"
    async with Origin(data) as origin, Session() as session:
        await session.get(origin.url)  # whatever is imported late, now is
        tracemalloc.start()
        with pytest.raises(ClientPayloadError):
            await (await session.get(origin.url)).read()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2 * 2**20


async def test_dns_cache_has_a_bound() -> None:
    """CVE-2026-34513: redirects to ever new names don't fill the memory."""
    connector = TCPConnector(resolver=AnyName(), force_close=True)
    async with Origin(response()) as origin, Session(connector=connector) as session:
        await session.get(f"http://a.example:{origin.port}/")
        for number in range(1100):
            await connector._names.look_up(f"host-{number}.example", 80)
        assert len(connector.cached_hosts) == 1000


async def test_redirects_are_counted() -> None:
    """A server that redirects for good is left after ten times."""
    loop = response(b"", "Location: /", status="302 Found")
    async with Origin(loop) as origin, Session() as session:
        with pytest.raises(TooManyRedirects) as caught:
            await session.get(origin.url)
        assert len(origin.requests) == len(caught.value.history) == 11


def test_jar_has_a_bound() -> None:
    """CVE-2024-52303: nothing that a server makes up is kept without one."""
    jar = CookieJar()
    url = destination_of("http://a/").url
    for number in range(500):
        jar.receive([f"a{number}=1"], url)
    assert len(jar) <= 180


def test_caches_have_bounds() -> None:
    """CVE-2024-52303: nor are the URLs that a server redirects to."""
    base = destination_of("http://a/")
    for number in range(2000):
        redirect(302, "GET", base, f"/{number}")
    assert _cached_destination.cache_info().currsize <= 1024
