"""Requests that gunicorn's own workers have taken for others: each ends before an application.

The parser is protocol's, whose tests cut these at every byte; here they meet the worker as
gunicorn's settings make it, at their laxest, in front of an application of each kind.
"""

from __future__ import annotations

from typing import Any

import pytest

from attacked import KINDS, victim

LAX: dict[str, Any] = {
    "limit_request_line": 0,
    "limit_request_fields": 0,
    "limit_request_field_size": 0,
    "permit_obsolete_folding": True,
    "strip_header_spaces": True,
    "permit_unconventional_http_method": True,
    "permit_unconventional_http_version": True,
    "casefold_http_method": True,
    "header_map": "dangerous",
    "forwarded_allow_ips": "*",
}
"""Everything that gunicorn lets somebody be careless about."""

SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


def post(*lines: str, body: str = SMUGGLED, version: str = "HTTP/1.1") -> str:
    """Return a request with these fields, and a body that would like to be one."""
    return "\r\n".join([f"POST / {version}", "Host: x", *lines, "", body])


CHUNKS = f"0\r\n\r\n{SMUGGLED}"
CHUNKED = "Transfer-Encoding: chunked"

REQUESTS = {
    "CVE-2024-1135 last of two Transfer-Encodings": post(
        CHUNKED, "Transfer-Encoding: identity", body=CHUNKS
    ),
    "CVE-2024-1135 first of two Transfer-Encodings": post(
        "Transfer-Encoding: identity", CHUNKED, body=CHUNKS
    ),
    "CVE-2024-1135 beside a length": post(
        "Content-Length: 6", "Transfer-Encoding: identity", CHUNKED, body=CHUNKS
    ),
    "CVE-2024-6827 unknown Transfer-Encoding": post("Transfer-Encoding: cow"),
    "CVE-2024-6827 falls back to the length": post("Content-Length: 6", "Transfer-Encoding: cow"),
    "CVE-2024-6827 almost chunked": post("Transfer-Encoding: xchunked", body=CHUNKS),
    "CVE-2024-6827 chunked behind a vertical tab": post(
        "Transfer-Encoding: \x0bchunked", body=CHUNKS
    ),
    "25.3 to 26.1 two lengths": post("Content-Length: 0", f"Content-Length: {len(SMUGGLED)}"),
    "25.3 to 26.1 the same length twice": post("Content-Length: 0", "Content-Length: 0"),
    "25.3 to 26.1 length and chunks": post("Content-Length: 6", CHUNKED, body=CHUNKS),
    "25.3 to 26.1 chunks and length": post(CHUNKED, "Content-Length: 6", body=CHUNKS),
    "25.3 to 26.1 chunks in HTTP/1.0": post(CHUNKED, body=CHUNKS, version="HTTP/1.0"),
    "25.3 to 26.1 CR in a chunk extension": post(CHUNKED, body=f"0;a\rb\r\n\r\n{SMUGGLED}"),
    "25.3 to 26.1 LF in a chunk extension": post(CHUNKED, body=f"0;a\nb\r\n\r\n{SMUGGLED}"),
    "25.3 to 26.1 Host in the trailer": post(CHUNKED, body="0\r\nHost: evil\r\n\r\n"),
    "25.3 to 26.1 length in the trailer": post(CHUNKED, body="0\r\nContent-Length: 5\r\n\r\n"),
    "25.3 to 26.1 credentials in the trailer": post(
        CHUNKED, body="0\r\nAuthorization: x\r\n\r\n"
    ),
    "25.3 to 26.1 two Hosts": "GET / HTTP/1.1\r\nHost: a\r\nHost: evil\r\n\r\n",
    "25.3 to 26.1 two Content-Types": post(
        "Content-Length: 2", "Content-Type: text/plain", "Content-Type: text/html", body="{}"
    ),
    "25.3 to 26.1 relative target": "GET index.html HTTP/1.1\r\nHost: x\r\n\r\n",
    "25.3 to 26.1 authority as target": "GET x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "25.3 to 26.1 CONNECT": "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "folded field": "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "space before a colon": post("Content-Length : 5", body="hello"),
    "bare LF": "GET / HTTP/1.1\nHost: x\n\n",
    "no version": "GET /\r\nHost: x\r\n\r\n",
}  # fmt: skip

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_ambiguous_request_reaches_no_application(kind: str, request_: str) -> None:
    """It is refused, the connection ends, and nothing behind it is a request."""
    async with victim(kind, **LAX) as attacked:
        answer = await attacked.receive(request_.encode("latin-1"))
        assert attacked.calls == []
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


@every_kind
@pytest.mark.parametrize("end", ["5\r\nhello", "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0\r\n\r"])
async def test_body_without_its_last_chunk_is_no_body(kind: str, end: str) -> None:
    """gunicorn 25.3 to 26.1: an upload that was cut short was taken for the whole."""
    async with victim(kind) as attacked:
        answer = await attacked.receive(post(CHUNKED, body=end).encode(), eof=True)
        assert attacked.calls == []
    assert b" 200 " not in answer


@every_kind
async def test_no_field_gives_a_request_a_body(kind: str) -> None:
    """gunicorn 20.0.4: Sec-WebSocket-Key1 took eight bytes of what followed for a body."""
    field = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key1: x\r\n"
    get = b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\n"
    async with victim(kind) as attacked:
        await attacked.receive(get % (b"/first", field) + get % (b"/next", b""))
        assert [call.target for call in attacked.calls] == ["/first", "/next"]


@every_kind
@pytest.mark.parametrize(
    "body", [f"Content-Length: {len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
             f"{CHUNKED}\r\n\r\n{len(SMUGGLED):x}\r\n{SMUGGLED}\r\n0\r\n\r\n"],
    ids=["length", "chunked"],
)  # fmt: skip
async def test_body_that_nobody_reads_is_no_request(kind: str, body: str) -> None:
    """gunicorn 25.3 to 26.1: what an application left unread was parsed as the next request."""
    first = f"POST /first HTTP/1.1\r\nHost: x\r\n{body}"
    async with victim(kind, reads=False) as attacked:
        await attacked.receive(f"{first}GET /next HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert [call.target for call in attacked.calls] == ["/first", "/next"]


@every_kind
async def test_body_too_long_to_drop_ends_the_connection(kind: str) -> None:
    """gunicorn 25.3 to 26.1: nor is the rest of it a request that is never read."""
    first = f"POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n{SMUGGLED}"
    # A single thread would not be given a request before its body is here.
    async with victim(kind, reads=False, threads=2) as attacked:
        answer = await attacked.receive(first.encode() + b"x" * 300_000 + SMUGGLED.encode())
        assert [call.target for call in attacked.calls] == ["/first"]
    assert b"\r\nConnection: close\r\n" in answer


@every_kind
@pytest.mark.parametrize(
    "lines",
    [["Connection: close"], ["connection: CLOSE"], ["Connection: x, close"],
     ["Connection: x", "Connection: Close"]],
)  # fmt: skip
async def test_close_is_a_member_of_a_list(kind: str, lines: list[str]) -> None:
    """In any line, in any case, and then nothing more is read, however much has come."""
    head = "\r\n".join(["GET /last HTTP/1.1", "Host: x", *lines, "", ""])
    async with victim(kind) as attacked:
        answer = await attacked.receive((head + SMUGGLED).encode())
        assert [call.target for call in attacked.calls] == ["/last"]
    assert b"\r\nConnection: close\r\n" in answer
