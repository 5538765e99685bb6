"""Rule 5: one Host, valid and required in HTTP/1.1; the target's form fits its method.

And one Content-Type, if any: what is sent once, and read by two.
"""

from __future__ import annotations

import pytest

from aiohttp.protocol.errors import BadHttpMessage, LocalProtocolError
from aiohttp.protocol.http1.encode import encode_fields, encode_request_line
from aiohttp.protocol.http1.head import parse_request_head

HEADS: dict[str, list[bytes]] = {
    "CVE-2026-34525 duplicate Host": [b"GET / HTTP/1.1", b"Host: a", b"Host: evil"],
    "CVE-2026-34525 same Host twice": [b"GET / HTTP/1.1", b"Host: a", b"HOST: a"],
    "CVE-2026-71554 duplicate Host in HTTP/1.0": [b"GET / HTTP/1.0", b"Host: a", b"Host: evil"],
    "no Host": [b"GET / HTTP/1.1"],
    "no Host beside a URI": [b"GET http://a/ HTTP/1.1"],
    "CVE-2026-48710 BadHost /": [b"GET /admin HTTP/1.1", b"Host: a/public?"],
    "CVE-2026-48710 BadHost ?": [b"GET /admin HTTP/1.1", b"Host: a?"],
    "CVE-2026-48710 BadHost #": [b"GET /admin HTTP/1.1", b"Host: a#"],
    "CVE-2026-48710 BadHost backslash": [b"GET /admin HTTP/1.1", b"Host: a\\public"],
    "CVE-2026-48710 BadHost @": [b"GET /admin HTTP/1.1", b"Host: a@evil"],
    "CVE-2026-48710 BadHost in HTTP/1.0": [b"GET /admin HTTP/1.0", b"Host: a/public?"],
    "CVE-2026-48710 BadHost in the target": [b"GET http://a\\@evil/ HTTP/1.1", b"Host: a"],
    "CVE-2022-33124 half an IPv6 address": [b"GET / HTTP/1.1", b"Host: [::1"],
    "CVE-2022-33124 no IPv6 address": [b"GET / HTTP/1.1", b"Host: [::::]"],
    "CVE-2022-33124 IPv4 in brackets": [b"GET http://[1.2.3.4]/ HTTP/1.1", b"Host: a"],
    "gunicorn 25.3-26.1 duplicate Content-Type": [
        b"POST / HTTP/1.1", b"Host: a", b"Content-Length: 1",
        b"Content-Type: text/plain", b"content-type: text/html",
    ],
    "gunicorn 25.3-26.1 duplicate Content-Type of chunks": [
        b"POST / HTTP/1.1", b"Host: a", b"Transfer-Encoding: chunked",
        b"Content-Type: text/plain", b"Content-Type: text/plain",
    ],
    "gunicorn 25.3-26.1 relative target": [b"GET index.html HTTP/1.1", b"Host: a"],
    "gunicorn 25.3-26.1 authority as target": [b"GET a:80 HTTP/1.1", b"Host: a"],
    "gunicorn 25.3-26.1 * for GET": [b"GET * HTTP/1.1", b"Host: a"],
    "gunicorn 25.3-26.1 path for CONNECT": [b"CONNECT / HTTP/1.1", b"Host: a"],
}  # fmt: skip


@pytest.mark.parametrize("lines", HEADS.values(), ids=HEADS.keys())
def test_head(lines: list[bytes]) -> None:
    """A request that two readers could route differently is refused with 400."""
    with pytest.raises(BadHttpMessage) as caught:
        parse_request_head(b"\r\n".join([*lines, b"", b""]))
    assert caught.value.status == 400


@pytest.mark.parametrize("host", ["a/public?", "a#", "a\\b", "u@a", "[::1", "a b", "a:b", "[::::]"])
def test_own_requests(host: str) -> None:
    """CVE-2021-41945: nor do we send such an authority, in Host or in a target."""
    with pytest.raises(LocalProtocolError):
        encode_fields([("Host", host)])
    with pytest.raises(LocalProtocolError):
        encode_request_line("CONNECT", f"{host}:80")


def test_own_requests_have_one_host() -> None:
    """CVE-2026-34525: a second Host is not sent."""
    with pytest.raises(LocalProtocolError, match="more than one Host"):
        encode_fields([("Host", "a"), ("host", "b")])
