"""Rule 1: numbers are ASCII digits: no sign, no underscore, no 0x, no digits of other scripts."""

from __future__ import annotations

import pytest
from yarl import URL

from aiohttp.client.cookiejar import CookieJar
from aiohttp.client.destination import destination_of
from aiohttp.client.errors import InvalidUrlClientError, InvalidUrlRedirectClientError
from aiohttp.client.hosts import HttpClient
from aiohttp.client.redirects import redirect
from odd import refusal

ODD = ["+5", "-5", "5_0", "0x5", "5.0", "\u0665", "\uff15", "5\u0660", "\u00b2"]
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("port", [*ODD, " 5", "5 ", "5\n", "5\t0"])
def test_port(port: str) -> None:
    """CVE-2025-69224: what ``int`` takes for a number is no port."""
    for url in [f"http://a:{port}/", f"http://me:pw@a:{port}", f"HTTP://[::1]:{port}?b"]:
        with pytest.raises(InvalidUrlClientError):
            destination_of(url)
    with pytest.raises(InvalidUrlClientError):
        HttpClient(f"a:{port}")


@pytest.mark.parametrize("port", ODD)
def test_port_of_a_location(port: str) -> None:
    """CVE-2025-69224: nor does a server lead anywhere by it, in UTF-8 or not."""
    base = destination_of("http://a/")
    for spelt in {port.encode().decode("latin-1"), port}:
        for location in [f"http://b:{spelt}/", f"//b:{spelt}"]:
            with pytest.raises(InvalidUrlRedirectClientError):
                redirect(302, "GET", base, location)


@pytest.mark.parametrize("number", [*ODD, "", "5 0", "5,6"], ids=ascii)
async def test_content_length(number: str) -> None:
    """CVE-2022-24761, CVE-2025-69224: such a length ends the exchange."""
    error = await refusal(HEAD + f"Content-Length: {number}\r\n\r\nhello".encode())
    assert "Content-Length" in str(error)


@pytest.mark.parametrize("number", [*ODD[:4], " 5", "5 ", ""], ids=ascii)
async def test_chunk_size(number: str) -> None:
    """CVE-2022-24761, CVE-2025-69224: nor is it the size of a chunk."""
    chunk = f"{number}\r\nhello\r\n0\r\n\r\n".encode()
    await refusal(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)


@pytest.mark.parametrize("status", ["+20", "2_0", "0x2", "\u0662\u0660\u0660", "20", "2000", "099"])
async def test_status(status: str) -> None:
    """CVE-2025-69224: a status is three digits."""
    await refusal(f"HTTP/1.1 {status} OK\r\nContent-Length: 0\r\n\r\n".encode())


@pytest.mark.parametrize("number", [*ODD[:1], *ODD[2:]])
def test_max_age(number: str) -> None:
    """A Max-Age that is no number counts as if it weren't there (RFC 6265, section 5.2.2)."""
    jar = CookieJar()
    jar.receive([f"a=1; Max-Age={number}"], URL("http://a/"))
    (cookie,) = jar
    assert (cookie.value, cookie["max-age"], cookie["expires"]) == ("1", "", "")
