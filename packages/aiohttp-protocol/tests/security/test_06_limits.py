"""Rule 6: every limit holds across the pieces of input, and counts objects as well as bytes."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable

import pytest

from aiohttp.protocol.errors import (
    BodyTooLarge,
    HeadTooLarge,
    LimitExceeded,
    LineTooLong,
    MultipartError,
    TargetTooLong,
)
from aiohttp.protocol.http1.body import ChunkedBody, LengthBody
from aiohttp.protocol.http1.head import HeadCollector
from aiohttp.protocol.http1.server import ServerHttpProtocol
from aiohttp.protocol.http1.server_exchange import ServerExchange
from aiohttp.protocol.limits import DEFAULT_LIMITS
from aiohttp.protocol.multipart import MultipartDecoder
from wire import connect

GET = b"GET / HTTP/1.1\r\n"
HEADS: dict[str, tuple[bytes, bytes, type[LimitExceeded]]] = {
    # what comes first, what comes again and again
    "CVE-2026-54277 request line": (b"GET /", b"x" * 100, TargetTooLong),
    "CVE-2026-54277 request line, dribbled": (b"GET /", b"x", TargetTooLong),
    "CVE-2026-54277 field line": (GET + b"A: ", b"x" * 100, LineTooLong),
    "CVE-2026-54277 field name": (GET, b"x" * 100, LineTooLong),
    "number of fields": (GET, b"A: b\r\n", HeadTooLarge),
    "number of fields, two a piece": (GET, b"A: b\r\nA: b\r\n", HeadTooLarge),
    "size of the head": (GET, b"A: %b\r\n" % (b"x" * 1000), HeadTooLarge),
}


@pytest.mark.parametrize(("first", "again", "error"), HEADS.values(), ids=HEADS.keys())
def test_endless_head(first: bytes, again: bytes, error: type[LimitExceeded]) -> None:
    """A head without end is refused as soon as it exceeds a limit, whatever the pieces are."""
    collector = HeadCollector(DEFAULT_LIMITS, is_request=True)
    collector.feed(first)
    with pytest.raises(error):
        while len(collector) < 2 * DEFAULT_LIMITS.head:
            collector.feed(again)
    assert len(collector) <= DEFAULT_LIMITS.head + len(again)


def test_dribbled_head_takes_its_own_memory() -> None:
    """#12988: what comes in single bytes takes no more memory than what comes at once."""
    tracemalloc.start()
    collector = HeadCollector(DEFAULT_LIMITS, is_request=True)
    for byte in GET + b"A: " + b"x" * 8000:
        collector.feed(bytes([byte]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(collector)


@pytest.mark.parametrize("again", [b"A: b\r\n", b"A: %b\r\n" % (b"x" * 1000)])
def test_endless_trailers(again: bytes) -> None:
    """CVE-2026-22815: a trailer section is bounded in fields and bytes."""
    body = ChunkedBody()
    body.decode(b"0\r\n")
    with pytest.raises(HeadTooLarge):
        for _ in range(1000):
            body.decode(again)


@pytest.mark.parametrize(
    "announce", [lambda: LengthBody(2**50), lambda: ChunkedBody().decode(b"%x\r\n" % 2**50)]
)
def test_announced_size_allocates_nothing(announce: Callable[[], object]) -> None:
    """Hypercorn's complaint: an announced size is a word, and refused if it is too large."""
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        announce()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 1024


PARTS: dict[str, tuple[bytes, str]] = {
    "CVE-2026-34516 fields of a part": (b"--b\r\n" + b"A: b\r\n" * 1000 + b"\r\n", "fields"),
    "CVE-2026-34516 head of a part": (b"--b\r\nA: " + b"x" * 100_000, "head"),
    "CVE-2026-31958 parts": (b"--b\r\nA: b\r\n\r\n\r\n" * 1002, "parts"),
    "CVE-2023-30798 parts": (b"--b\r\n\r\n\r\n" * 1002, "parts"),
    "GHSA-8423-8fgw-73vq parts before splitting": (b"--b\r\n\r\n\r\n" * 100_000, "parts"),
    "#13652 preamble": (b"x\r\n" * 10_000, "preamble"),
    "CVE-2026-34517 field that is no file": (
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 2**21,
        "value",
    ),
    "CVE-2025-69228 all fields together": (
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 2**20 + b"\r\n") * 17,
        "values",
    ),
}


@pytest.mark.parametrize("piece", [64 * 1024, 2**30])
@pytest.mark.parametrize(("data", "name"), PARTS.values(), ids=PARTS.keys())
def test_multipart(data: bytes, name: str, piece: int) -> None:
    """A multipart body is bounded in all that it can have many of, cut or whole."""
    decoder = MultipartDecoder("b", is_form=b"form-data" in data)
    with pytest.raises(LimitExceeded) as caught:
        for start in range(0, len(data), piece):
            decoder.receive_data(data[start : start + piece])
            list(iter(decoder.next_event, None))
    assert caught.value.name == name


@pytest.mark.parametrize("data", [b"", b"--b", b"--b\r\n", b"--b\r\nA: b\r\n\r\nx", b"--bx\r\n--"])
def test_malformed_multipart_ends(data: bytes) -> None:
    """CVE-2024-30251: a malformed body ends in an error, not in an endless loop."""
    decoder = MultipartDecoder("b", is_form=False)
    decoder.receive_data(data)
    decoder.end()
    with pytest.raises(MultipartError):
        list(iter(decoder.next_event, None))


class Slow(ServerHttpProtocol):
    """A server that doesn't answer."""

    __slots__ = ("begun",)

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0

    async def handle_request(self, exchange: ServerExchange) -> None:
        """Count a request, and wait."""
        self.begun += 1
        await asyncio.Event().wait()


async def test_pipelined_requests_wait_in_bounds() -> None:
    """CVE-2026-54273: behind an unanswered request only so much is read as the limit says."""
    protocol = Slow()
    transport = connect(protocol)
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    sent = 0
    while transport.is_reading() and sent < 10 * DEFAULT_LIMITS.pipeline:
        transport.feed(request * 100)
        sent += len(request) * 100
        await asyncio.sleep(0)
    assert not transport.is_reading()
    assert sent <= DEFAULT_LIMITS.pipeline + 2 * 100 * len(request)
    assert protocol.begun == 1
    transport.lose()
    await asyncio.sleep(0.001)
