"""Rule 4: chunk lines, chunk ends and trailers are parsed, bounded and validated."""

from __future__ import annotations

import pytest

from aiohttp.protocol.errors import (
    ChunkError,
    HeadTooLarge,
    InvalidHeader,
    LimitExceeded,
    RemoteProtocolError,
)
from aiohttp.protocol.http1.body import ChunkedBody
from wire import cuts

BODIES: dict[str, tuple[bytes, type[RemoteProtocolError]]] = {
    "CVE-2025-43859 two bytes that are no CRLF": (b"5\r\nhelloXX0\r\n\r\n", ChunkError),
    "CVE-2025-43859 LF LF": (b"5\r\nhello\n\n0\r\n\r\n", ChunkError),
    "CVE-2025-43859 data goes on": (b"3\r\nhello\r\n0\r\n\r\n", ChunkError),
    "CVE-2024-52304 LF in an extension": (b"5;a\n\r\nhello\r\n0\r\n\r\n", ChunkError),
    "CVE-2024-52304 LF in a quoted extension": (b'5;a="\n"\r\nhello\r\n0\r\n\r\n', ChunkError),
    "CVE-2022-24761 extension without a name": (b"5;=a\r\nhello\r\n0\r\n\r\n", ChunkError),
    "CVE-2022-24761 NUL in an extension": (b"5;a\0\r\nhello\r\n0\r\n\r\n", ChunkError),
    "gunicorn 25.3-26.1 bare CR in an extension": (b"5;a\rb\r\nhello\r\n0\r\n\r\n", ChunkError),
    "CVE-2025-53643 no field as trailer": (b"0\r\nGET / HTTP/1.1\r\n\r\n", InvalidHeader),
    "CVE-2025-53643 LF ends the trailers": (b"0\r\nA: b\n\r\n\r\n", InvalidHeader),
    "CVE-2025-53643 control in a trailer": (b"0\r\nA: b\0\r\n\r\n", InvalidHeader),
    "gunicorn 25.3-26.1 forbidden trailer": (b"0\r\nContent-Length: 5\r\n\r\n", InvalidHeader),
    "gunicorn 25.3-26.1 Host as trailer": (b"0\r\nHost: evil\r\n\r\n", InvalidHeader),
    "gunicorn 25.3-26.1 credentials as trailer": (b"0\r\nAuthorization: x\r\n\r\n", InvalidHeader),
    "CVE-2026-22815 many trailers": (b"0\r\n" + b"A: b\r\n" * 129 + b"\r\n", HeadTooLarge),
    "CVE-2026-22815 long trailers": (b"0\r\n" + (b"A: %b\r\n" % (b"x" * 99)) * 99, HeadTooLarge),
    "CVE-2026-22815 one long trailer": (b"0\r\nA: " + b"x" * 9000, LimitExceeded),
}


@pytest.mark.parametrize(("data", "error"), BODIES.values(), ids=BODIES.keys())
def test_body(data: bytes, error: type[RemoteProtocolError]) -> None:
    """What isn't chunked by the letter is refused, wherever it is cut."""
    for pieces in cuts(data, splits=32):
        body = ChunkedBody()
        with pytest.raises(error):
            for piece in pieces:
                body.decode(piece)
        assert not body.is_complete


def test_extensions_are_bounded() -> None:
    """CVE-2024-52304 and its kin: extensions are counted over the whole body."""
    body = ChunkedBody()
    with pytest.raises(ChunkError, match="bytes of chunk extensions in a body"):
        for _ in range(100):
            body.decode(b"1;a=%b\r\nx\r\n" % (b"b" * 1000))
    assert body.received < 20


def test_trailers_are_not_lost() -> None:
    """CVE-2025-53643: the trailer section belongs to the body, the next request doesn't."""
    body = ChunkedBody()
    data = b"0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n"
    assert body.decode(data) == (b"", len(b"0\r\nA: b\r\n\r\n"))
    assert dict(body.trailers) == {"A": "b"}
