"""Rule 2: Content-Length or Transfer-Encoding, once, and exactly chunked; never a guess."""

from __future__ import annotations

import pytest

from aiohttp.protocol.errors import BadHttpMessage, FramingError, IncompleteRead
from aiohttp.protocol.http1.body import ChunkedBody, body_framing
from aiohttp.protocol.http1.head import parse_request_head, parse_response_head

# Field lines of which some server and some proxy made two different lengths.
AMBIGUOUS: dict[str, list[bytes]] = {
    "CVE-2023-47641 CL and TE": [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
    "CVE-2023-47641 TE and CL": [b"Transfer-Encoding: chunked", b"Content-Length: 5"],
    "CVE-2023-47641 TE matched loosely": [b"Transfer-Encoding: xchunked"],
    "CVE-2024-1135 last coding ignored": [
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
    ],
    "CVE-2024-1135 first coding ignored": [
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: chunked",
    ],
    "CVE-2024-6827 unknown TE beside CL": [b"Transfer-Encoding: cow", b"Content-Length: 5"],
    "CVE-2024-6827 unknown TE": [b"Transfer-Encoding: cow"],
    "CVE-2019-16786 TE as a list": [b"Transfer-Encoding: gzip, chunked"],
    "CVE-2019-16786 list beside CL": [b"Transfer-Encoding: gzip,chunked", b"Content-Length: 5"],
    "CVE-2019-16789 vertical tab in TE": [b"Transfer-Encoding: \x0bchunked"],
    "CVE-2019-16789 no-break space in TE": [b"Transfer-Encoding: \xa0chunked"],
    "CVE-2019-16789 next line behind TE": [b"Transfer-Encoding: chunked\x85"],
    "CVE-2019-16789 control behind the name": [b"Transfer-Encoding\x1c: chunked"],
    "CVE-2019-16792 double CL": [b"Content-Length: 5, 5, 6"],
    "CVE-2019-16792 two CL": [b"Content-Length: 5", b"Content-Length: 0"],
    "GHSA-753j-mpmx-qq6g identity and CL": [b"Content-Length: 5", b"Transfer-Encoding: identity"],
    "GHSA-753j-mpmx-qq6g quoted TE": [b'Transfer-Encoding: "chunked"'],
    "gunicorn 25.3-26.1 duplicate CL": [b"Content-Length: 5", b"Content-Length: 6"],
    "chunked twice": [b"Transfer-Encoding: chunked, chunked"],
    "chunked not last": [b"Transfer-Encoding: chunked, gzip"],
    "empty TE": [b"Transfer-Encoding:"],
    "TE with parameter": [b"Transfer-Encoding: chunked;a=b"],
}


@pytest.mark.parametrize("lines", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_ambiguous_length(lines: list[bytes]) -> None:
    """A message whose end two readers could see differently is refused, in both directions."""
    with pytest.raises(BadHttpMessage) as caught:
        parse_request_head(b"\r\n".join([b"POST / HTTP/1.1", b"Host: a", *lines, b"", b""]))
    assert caught.value.status in (400, 501)
    with pytest.raises(BadHttpMessage):
        parse_response_head(b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""]))


@pytest.mark.parametrize("first", [b"POST / HTTP/1.0", b"HTTP/1.0 200 OK"])
def test_chunked_in_http10(first: bytes) -> None:
    """gunicorn 25.3-26.1: HTTP/1.0 has no Transfer-Encoding; an old proxy would not see it."""
    data = first + b"\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    parse = parse_response_head if first.startswith(b"HTTP") else parse_request_head
    with pytest.raises(FramingError, match=r"Transfer-Encoding in an HTTP/1\.0 message"):
        parse(data)


@pytest.mark.parametrize(
    "data", [b"5\r\nhello", b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n", b"5\r\nhello\r\n0\r\n\r"]
)
def test_truncated_last_chunk(data: bytes) -> None:
    """gunicorn 25.3-26.1: a body whose last chunk is cut short is no whole body."""
    body = ChunkedBody()
    body.decode(data)
    assert not body.is_complete
    with pytest.raises(IncompleteRead):
        body.end()


@pytest.mark.parametrize("name", ["Sec-WebSocket-Key1", "Sec-WebSocket-Version", "Upgrade"])
def test_no_field_but_two_frames_a_body(name: str) -> None:
    """gunicorn 20.0.4: Sec-WebSocket-Key1 gave a request eight bytes of body."""
    head = parse_request_head(
        b"GET / HTTP/1.1\r\n"
        b"Host: a\r\n"
        b"Connection: Upgrade\r\n"
        b"%b: x\r\n"
        b"\r\n" % name.encode()
    )  # fmt: skip
    framing = body_framing(
        status=None, method="GET", chunked=head.chunked, content_length=head.content_length
    )
    assert framing == 0
