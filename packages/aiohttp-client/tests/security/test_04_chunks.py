"""Rule 4: chunk lines, terminators and trailers are parsed, bounded and validated."""

from __future__ import annotations

import pytest

from aiohttp.client import ClientPayloadError, Session
from odd import SMUGGLED, refusal
from origin import Origin, response

MALFORMED = {
    "CVE-2025-43859 terminator": b"5\r\nhelloXX0\r\n\r\n",
    "CVE-2025-43859 terminator missing": b"5\r\nhello0\r\n\r\n",
    "CVE-2024-52304 LF in an extension": b"5;a\n\r\nhello\r\n0\r\n\r\n",
    "CVE-2022-24761 CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "bare LF behind a size": b"5\nhello\r\n0\r\n\r\n",
    "bare LF behind data": b"5\r\nhello\n0\r\n\r\n",
    "no size after good chunks": b"5\r\nhello\r\nXX\r\n",
    "CVE-2025-53643 trailer with framing": b"0\r\nContent-Length: 5\r\n\r\n",
    "CVE-2025-53643 trailer without colon": b"0\r\nab\r\n\r\n",
    "CVE-2026-34520 NUL in a trailer": b"0\r\nA: \0\r\n\r\n",
    "CVE-2026-22815 endless trailers": b"0\r\n" + b"A: b\r\n" * 20_000,
    "endless size": b"0" * 20_000,
    "endless extensions": b"1;a=b\r\nx\r\n" * 20_000,
    "size beyond 64 bits": b"1" + b"0" * 16 + b"\r\n",
}


@pytest.mark.parametrize("chunks", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_chunk(chunks: bytes) -> None:
    """The exchange ends at once, whatever good chunks had come before."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    error = await refusal(head + chunks)
    assert isinstance(error, ClientPayloadError)
    assert error.phase == "body"


async def test_surplus_behind_the_last_chunk() -> None:
    """GHSA-pjjw-qhg8-p2p9: the response is good, and nothing behind it answers a request."""
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    answers = iter([data + SMUGGLED, response(b"good")])
    async with Origin(lambda _: next(answers)) as origin, Session() as session:
        assert await (await session.get(origin.url)).read() == b"ok"
        assert await (await session.get(origin.url)).read() == b"good"
        assert origin.connections == 2
