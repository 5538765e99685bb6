"""Bodies: how they end, decoding under every cut, limits, and writing."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol.errors import (
    BodyTooLarge,
    ChunkError,
    HeadTooLarge,
    HttpException,
    IncompleteRead,
    InvalidHeader,
    LineTooLong,
    LocalProtocolError,
)
from aiohttp.protocol.http1.body import (
    FORBIDDEN_TRAILERS,
    BodyDecoder,
    ChunkedBody,
    ChunkedWriter,
    CloseBody,
    CloseWriter,
    Framing,
    LengthBody,
    LengthWriter,
    body_decoder,
    body_framing,
    body_writer,
)
from aiohttp.protocol.limits import DEFAULT_LIMITS, Limits
from wire import cuts

NEXT = b"GET /next HTTP/1.1\r\nHost: example.org\r\n\r\n"


def read_all(body: BodyDecoder, pieces: Iterable[bytes | memoryview]) -> tuple[bytes, bytes]:
    """Return the content, and what came behind the body."""
    content = behind = b""
    for piece in pieces:
        decoded, used = body.decode(piece)
        content += decoded
        behind += piece[used:]
    return content, behind


def inputs(data: bytes) -> Iterator[Iterable[bytes | memoryview]]:
    """Yield the cuts of ``data`` as bytes, and as windows of a receive buffer."""
    for pieces in cuts(data):
        yield pieces
        yield [memoryview(bytearray(piece)) for piece in pieces]


# Where a body ends: RFC 9112, section 6.3.

FRAMINGS: list[tuple[int | None, str, bool, int | None, Framing]] = [
    # status, method, chunked, content_length, how the body ends
    (200, "HEAD", False, 5, 0),
    (200, "HEAD", True, None, 0),
    (404, "HEAD", False, None, 0),
    (100, "POST", False, 5, 0),
    (101, "GET", True, None, 0),
    (103, "GET", False, None, 0),
    (204, "GET", False, 5, 0),
    (204, "DELETE", True, None, 0),
    (304, "GET", False, 5, 0),
    (304, "GET", True, None, 0),
    (200, "CONNECT", False, 5, 0),
    (299, "CONNECT", True, None, 0),
    (407, "CONNECT", False, 5, 5),
    (502, "CONNECT", True, None, "chunked"),
    (300, "CONNECT", False, None, "close"),
    (200, "GET", True, None, "chunked"),
    (200, "GET", False, 5, 5),
    (205, "POST", False, 0, 0),
    (200, "GET", False, 0, 0),
    (200, "GET", False, None, "close"),
    (500, "POST", False, None, "close"),
    (None, "POST", True, None, "chunked"),
    (None, "POST", False, 5, 5),
    (None, "GET", False, 5, 5),
    (None, "HEAD", False, 5, 5),
    (None, "CONNECT", False, 5, 5),
    (None, "POST", False, 0, 0),
    (None, "POST", False, None, 0),
    (None, "GET", False, None, 0),
]


@pytest.mark.parametrize(("status", "method", "chunked", "length", "framing"), FRAMINGS)
def test_framing(
    status: int | None, method: str, chunked: bool, length: int | None, framing: Framing
) -> None:
    """Status, method and head decide how a body ends, for requests and responses alike."""
    found = body_framing(status=status, method=method, chunked=chunked, content_length=length)
    assert found == framing


@pytest.mark.parametrize(
    ("framing", "decoder", "writer"),
    [
        (5, LengthBody, LengthWriter),
        (0, LengthBody, LengthWriter),
        ("chunked", ChunkedBody, ChunkedWriter),
        ("close", CloseBody, CloseWriter),
    ],
)
def test_factories(framing: Framing, decoder: type[object], writer: type[object]) -> None:
    """Each framing has its decoder and its writer."""
    assert type(body_decoder(framing)) is decoder
    assert type(body_writer(framing)) is writer


# A body of known length.


def test_length() -> None:
    """A body of known length takes its bytes and leaves the next message."""
    for pieces in inputs(b"hello" + NEXT):
        body = LengthBody(5)
        assert read_all(body, pieces) == (b"hello", NEXT)
        assert body.is_complete
        assert (body.received, body.remaining) == (5, 0)
        assert not body.trailers
        body.end()


def test_no_body_is_complete_at_once() -> None:
    """Without a body everything belongs to the next message."""
    body = LengthBody(0)
    assert body.is_complete
    assert body.decode(NEXT) == (b"", 0)


def test_length_does_not_copy() -> None:
    """Bytes that belong to the body as a whole come out as they went in."""
    piece = bytes(1000)
    content, _ = LengthBody(5000).decode(piece)
    assert content is piece


def test_length_counts_what_was_received_elsewhere() -> None:
    """Bytes that went straight into their final buffer count like decoded ones."""
    body = LengthBody(10)
    assert body.take(4) == 4
    assert body.remaining == 6
    assert body.take(9) == 6
    assert body.is_complete


def test_length_incomplete() -> None:
    """A connection that is closed early leaves an error that tells both lengths."""
    body = LengthBody(5)
    body.decode(b"hel")
    with pytest.raises(IncompleteRead, match=r"a body of 5 bytes, .* closed after 3") as caught:
        body.end()
    assert (caught.value.received, caught.value.expected) == (3, 5)


def test_length_too_large_is_refused_at_once() -> None:
    """An announced length beyond the limit is an error before the first byte."""
    with pytest.raises(BodyTooLarge, match="at most 10 bytes, got Content-Length: 11") as caught:
        body_decoder(11, Limits(body=10))
    assert (caught.value.name, caught.value.limit, caught.value.status) == ("body", 10, 413)
    assert body_decoder(10, Limits(body=10)).received == 0
    assert body_decoder(1 << 60, Limits(body=None)).received == 0


# A body that ends with its connection.


def test_close() -> None:
    """A body without length takes everything until the connection ends."""
    for pieces in inputs(b"hello" + NEXT):
        body = CloseBody()
        assert read_all(body, pieces) == (b"hello" + NEXT, b"")
        assert repr(body) == f"<CloseBody {body.received} bytes>"
        body.end()
        assert body.is_complete
        assert not body.trailers
        assert body.decode(b"more") == (b"", 0)


def test_close_too_large() -> None:
    """The limit holds without an announced length, wherever the input is cut."""
    for pieces in cuts(bytes(11)):
        with pytest.raises(BodyTooLarge, match="at most 10 bytes, got 11"):
            read_all(CloseBody(Limits(body=10)), pieces)
    read_all(CloseBody(Limits(body=10)), [bytes(10)])


# Chunks: what is accepted.

CHUNKED: dict[str, tuple[bytes, bytes, list[tuple[str, str]]]] = {
    "no content": (b"0\r\n\r\n", b"", []),
    "one chunk": (b"5\r\nhello\r\n0\r\n\r\n", b"hello", []),
    "two chunks": (b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", b"hello world", []),
    "hex digits in both cases": (
        b"0a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
        b"01234567890123456789",
        [],
    ),
    "sixteen digits": (b"0000000000000005\r\nhello\r\n0\r\n\r\n", b"hello", []),
    "many zeros as last chunk": (b"5\r\nhello\r\n0000\r\n\r\n", b"hello", []),
    "content that looks like framing": (
        b"2\r\n\r\n\r\n5\r\n0\r\n\r\n\r\n1\r\n\n\r\n0\r\n\r\n",
        b"\r\n0\r\n\r\n\n",
        [],
    ),
    "tiny chunks, then one with CRLF": (
        b"1\r\na\r\n" * 3 + b"4\r\nb\r\nc\r\n" + b"1\r\nd\r\n" * 3 + b"0\r\n\r\n",
        b"aaab\r\ncddd",
        [],
    ),
    "a large chunk": (b"12c\r\n" + b"x\r\n" * 100 + b"\r\n0\r\n\r\n", b"x\r\n" * 100, []),
    "extension": (b"5;name\r\nhello\r\n0;last\r\n\r\n", b"hello", []),
    "extension with value": (b"5;name=value;b=1\r\nhello\r\n0\r\n\r\n", b"hello", []),
    "quoted extension": (
        b'5;a="b;c=\\"d\\" \t\xff";e\r\nhello\r\n0;f=""\r\n\r\n',
        b"hello",
        [],
    ),
    "white space around ; and =": (
        b'5 ; a = b\t;\tc ="d" ; e= f\r\nhello\r\n0 ;g\r\n\r\n',
        b"hello",
        [],
    ),
    "trailers": (
        b"5\r\nhello\r\n0\r\nX-Digest: abc \r\nx-digest:\tdef\r\nEmpty:\r\n\r\n",
        b"hello",
        [("X-Digest", "abc"), ("x-digest", "def"), ("Empty", "")],
    ),
    "trailer in ISO-8859-1": (b"0\r\nX-Name: Ren\xe9\r\n\r\n", b"", [("X-Name", "Ren\xe9")]),
}


@pytest.mark.parametrize("name", CHUNKED)
def test_chunked(name: str) -> None:
    """A chunked body is the same under every cut, and leaves the next message alone."""
    data, content, trailers = CHUNKED[name]
    for pieces in inputs(data + NEXT):
        body = ChunkedBody()
        assert read_all(body, pieces) == (content, NEXT)
        assert body.is_complete
        assert body.received == len(content)
        assert list(body.trailers.items()) == trailers
        body.end()


@pytest.mark.parametrize("name", CHUNKED)
def test_chunked_is_incomplete_until_its_last_byte(name: str) -> None:
    """Every proper beginning of a chunked body is incomplete (RFC 9112, section 8)."""
    data, _, _ = CHUNKED[name]
    body = ChunkedBody()
    for i in range(len(data)):
        with pytest.raises(IncompleteRead, match="the connection was closed after") as caught:
            body.end()
        assert (caught.value.received, caught.value.expected) == (body.received, None)
        assert not body.trailers
        body.decode(data[i : i + 1])
    body.end()


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        (b"", "a chunk line"),
        (b"5\r", "a chunk line"),
        (b"5\r\nhel", "chunk data"),
        (b"5\r\nhello\r", "CRLF after chunk data"),
        (b"5\r\nhello\r\n", "a chunk line"),
        (b"5\r\nhello\r\n0\r\n", "the trailer section"),
        (b"5\r\nhello\r\n0\r\nX: y\r\n", "the trailer section"),
    ],
)
def test_chunked_tells_what_is_missing(data: bytes, missing: str) -> None:
    """An early end is an error that names the part that should have come."""
    body = ChunkedBody()
    body.decode(data)
    assert repr(body) == f"<ChunkedBody {body.received} bytes, {missing} next>"
    with pytest.raises(IncompleteRead, match=f"expected {missing}, "):
        body.end()


def test_chunked_after_its_end() -> None:
    """A complete body takes nothing more."""
    body = ChunkedBody()
    body.decode(b"0\r\n\r\n")
    assert body.decode(b"5\r\nhello\r\n") == (b"", 0)


# Chunks: what is refused. The id of an advisory says where it went wrong before.

Refusal = tuple[bytes, type[HttpException], str]

REFUSED: dict[str, Refusal] = {
    # The size: 1*HEXDIG and nothing else (security rule 1).
    "CVE-2022-24761 plus sign": (b"+5\r\nhello\r\n", ChunkError, "hex digits"),
    "CVE-2022-24761 0x": (b"0x5\r\nhello\r\n", ChunkError, "hex digits"),
    "minus sign": (b"-5\r\nhello\r\n", ChunkError, "hex digits"),
    "underscore": (b"1_0\r\n0123456789abcdef\r\n", ChunkError, "hex digits"),
    "CVE-2025-69224 no ASCII digit": (b"\xb2\r\nhi\r\n", ChunkError, "hex digits"),
    "UTF-8 digit": (b"\xd9\xa5\r\nhello\r\n", ChunkError, "hex digits"),
    "no size": (b"\r\nhello\r\n", ChunkError, "hex digits"),
    "no size, extension": (b";a\r\nhello\r\n", ChunkError, "hex digits"),
    "seventeen digits": (b"00000000000000005\r\nhello\r\n", ChunkError, "hex digits"),
    "letters": (b"5g\r\nhello\r\n", ChunkError, "hex digits"),
    "white space before": (b" 5\r\nhello\r\n", ChunkError, "hex digits"),
    "white space behind": (b"5 \r\nhello\r\n", ChunkError, "hex digits"),
    "NUL": (b"5\0\r\nhello\r\n", ChunkError, "hex digits"),
    "the next request instead": (NEXT, ChunkError, "hex digits"),
    # Extensions (security rule 4).
    "CVE-2024-52304 LF in extension": (b"5;a\nb\r\nhello\r\n", ChunkError, r"5;a\\n"),
    "gunicorn bare CR in extension": (b"5;a\rb\r\nhello\r\n", ChunkError, r"5;a\\rb"),
    "CVE-2022-24761 NUL in extension": (b"5;a\0\r\nhello\r\n", ChunkError, "extensions"),
    "no name": (b"5;\r\nhello\r\n", ChunkError, "extensions"),
    "no value": (b"5;a=\r\nhello\r\n", ChunkError, "extensions"),
    "name that is no token": (b"5;a b\r\nhello\r\n", ChunkError, "extensions"),
    "white space at the end": (b"5;a=b \r\nhello\r\n", ChunkError, "extensions"),
    "open quote": (b'5;a="b\r\nhello\r\n', ChunkError, "extensions"),
    "behind the quote": (b'5;a="b"c\r\nhello\r\n', ChunkError, "extensions"),
    "LF in quotes": (b'5;a="\n"\r\nhello\r\n', ChunkError, r"\\n"),
    "CR in quotes": (b'5;a="\r"\r\nhello\r\n', ChunkError, "extensions"),
    "escaped CR": (b'5;a="\\\r"\r\nhello\r\n', ChunkError, "extensions"),
    "extension of the last chunk": (b"0;a b\r\n\r\n", ChunkError, "extensions"),
    # Line ends (security rule 3).
    "LF behind the size": (b"5\nhello\r\n0\r\n\r\n", ChunkError, r"5\\n"),
    "CR behind the size": (b"5\rhello\r\n0\r\n\r\n", ChunkError, r"5\\rhello"),
    "two CR behind the size": (b"5\r\r\nhello\r\n", ChunkError, r"5\\r"),
    # The end of the data.
    "CVE-2025-43859 no CRLF": (
        b"5\r\nhelloXX0\r\n\r\n",
        ChunkError,
        "expected CRLF after 5 bytes of chunk data, got b'X",
    ),
    "LF behind the data": (b"5\r\nhello\n0\r\n\r\n", ChunkError, r"after 5 bytes .* b'\\n"),
    "CR behind the data": (b"5\r\nhello\r0\r\n\r\n", ChunkError, r"after 5 bytes .* b'\\r0"),
    "LF CR behind the data": (b"5\r\nhello\n\r0\r\n\r\n", ChunkError, "after 5 bytes"),
    "more data than announced": (b"4\r\nhello\r\n0\r\n\r\n", ChunkError, "after 4 bytes"),
    "less data than announced": (b"6\r\nhello\r\n0\r\n\r\n", ChunkError, "after 6 bytes"),
    "a tiny chunk, then a bad one": (
        b"1\r\na\r\n" * 9 + b"2\r\na\r\n0\r\n\r\n",
        ChunkError,
        "after 2 bytes",
    ),
    # Trailers (CVE-2025-53643: they were not parsed).
    "CVE-2025-53643 no field": (b"0\r\nhello\r\n\r\n", InvalidHeader, "'name: value'"),
    "trailer with bad name": (b"0\r\na b: c\r\n\r\n", InvalidHeader, "token"),
    "trailer with space before the colon": (b"0\r\na : c\r\n\r\n", InvalidHeader, "white space"),
    "trailer without name": (b"0\r\n: c\r\n\r\n", InvalidHeader, "token"),
    "trailer with NUL": (b"0\r\na: \0\r\n\r\n", InvalidHeader, "control character"),
    "trailer with bare CR": (b"0\r\na: b\rc: d\r\n\r\n", InvalidHeader, "control character"),
    "trailer with bare LF": (b"0\r\na: b\nc: d\r\n\r\n", InvalidHeader, r"\\n"),
    "LF ends the trailers": (b"0\r\n\n\r\n", InvalidHeader, r"\\n"),
    "folded trailer": (b"0\r\na: b\r\n c\r\n\r\n", InvalidHeader, "."),
    "a request in the trailers": (b"0\r\n" + NEXT, InvalidHeader, "."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_chunked_refuses(name: str) -> None:
    """What is malformed is an error wherever the input is cut."""
    data, error, message = REFUSED[name]
    for pieces in inputs(data):
        with pytest.raises(error, match=message) as caught:
            read_all(ChunkedBody(), pieces)
        assert caught.value.status == 400
        assert caught.value.message.isprintable()


@pytest.mark.parametrize("data", [b"5\n", b'5;a="\n', b"5\r\nhello\n", b"0\r\na: b\n", b"0\r\n\n"])
def test_bare_lf_is_refused_without_waiting(data: bytes) -> None:
    """A bare LF is an error when it comes: a peer that means it as a line end sends no more."""
    for pieces in cuts(data):
        with pytest.raises((ChunkError, InvalidHeader), match=r"\\n"):
            read_all(ChunkedBody(), pieces)


@pytest.mark.parametrize("name", sorted(FORBIDDEN_TRAILERS))
def test_forbidden_trailer(name: str) -> None:
    """What frames, routes or authenticates is no trailer, coming or going (security rule 4)."""
    spelt = name.title()
    for pieces in cuts(f"0\r\n{spelt}: 1\r\n\r\n".encode()):
        with pytest.raises(InvalidHeader, match="must not come as a trailer") as caught:
            read_all(ChunkedBody(), pieces)
        assert caught.value.name == spelt
    with pytest.raises(LocalProtocolError, match=f"{spelt}' must not be sent as a trailer"):
        ChunkedWriter().finish([(spelt, "1")])


# Limits, exact to the byte under every cut (security rule 6).

LIMITED: dict[str, tuple[bytes, Limits, Limits, type[HttpException], str]] = {
    # what comes, limits that allow just that, limits that are lower by one, the error
    "chunk line": (
        b"5;name=value\r\nhello\r\n0\r\n\r\n",
        Limits(chunk_line=12),
        Limits(chunk_line=11),
        ChunkError,
        "a chunk line of at most 11 bytes",
    ),
    "CVE-2026-54277 long chunk line": (
        b"5;" + b"n" * 4094 + b"\r\nhello\r\n0\r\n\r\n",
        Limits(chunk_line=4096),
        Limits(chunk_line=4095),
        ChunkError,
        "a chunk line of at most 4095 bytes",
    ),
    "extensions of all chunks": (
        b"1;abc\r\nx\r\n1;abc\r\nx\r\n0;abc\r\n\r\n",
        Limits(chunk_extensions=12),
        Limits(chunk_extensions=11),
        ChunkError,
        "at most 11 bytes of chunk extensions",
    ),
    "body": (
        b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        Limits(body=11),
        Limits(body=10),
        BodyTooLarge,
        "at most 10 bytes, got chunks of 11 or more",
    ),
    "CVE-2026-22815 trailer section": (
        b"0\r\nab: cd\r\nef: gh\r\n\r\n",
        Limits(trailers=18),
        Limits(trailers=17),
        HeadTooLarge,
        "a trailer section of at most 17 bytes",
    ),
    "CVE-2026-22815 number of trailers": (
        b"0\r\na:b\r\na:b\r\na:b\r\n\r\n",
        Limits(fields=3),
        Limits(fields=2),
        HeadTooLarge,
        "at most 2 trailers",
    ),
    "trailer line": (
        b"0\r\nab: cd\r\n\r\n",
        Limits(field_line=6),
        Limits(field_line=5),
        LineTooLong,
        "a trailer line of at most 5 bytes",
    ),
}


@pytest.mark.parametrize("name", LIMITED)
def test_limit(name: str) -> None:
    """A limit is exact, and the same wherever the input is cut."""
    data, enough, too_low, error, message = LIMITED[name]
    for pieces in cuts(data + NEXT):
        _, behind = read_all(ChunkedBody(enough), pieces)
        assert behind == NEXT
        with pytest.raises(error, match=message):
            read_all(ChunkedBody(too_low), pieces)


@pytest.mark.parametrize("beginning", [b"5;", b"5", b"0\r\na: ", b"0\r\n"])
def test_unfinished_line_is_bounded(beginning: bytes) -> None:
    """A line that never ends is refused at its limit, not kept until it ends."""
    limits = Limits(chunk_line=100, trailers=100)
    endless = [beginning, *[b"a"] * 101]
    with pytest.raises((ChunkError, HeadTooLarge), match="at most 100 bytes"):
        read_all(ChunkedBody(limits), endless)


def test_announced_chunk_is_refused_at_once() -> None:
    """A chunk beyond the limit is an error before its data comes."""
    body = ChunkedBody(Limits(body=100))
    body.decode(b"32\r\n" + bytes(50) + b"\r\n")
    with pytest.raises(BodyTooLarge, match="at most 100 bytes, got chunks of 101") as caught:
        body.decode(b"33\r\n")
    assert (caught.value.name, caught.value.limit, caught.value.status) == ("body", 100, 413)


@pytest.mark.parametrize(
    ("framing", "data"),
    [(1 << 30, b"x" * 100), ("chunked", b"3fffffff\r\nxxx"), ("chunked", b"5;aaa")],
)
def test_announcing_allocates_nothing(framing: Framing, data: bytes) -> None:
    """Memory follows what came, never what was announced."""
    body = body_decoder(framing)
    tracemalloc.start()
    try:
        body.decode(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000


def test_nothing_is_kept_but_an_unfinished_line() -> None:
    """After megabytes of content a decoder holds no more than it did at first."""
    body = ChunkedBody()
    piece = b"4000\r\n" + bytes(0x4000) + b"\r\n"
    tracemalloc.start()
    try:
        for _ in range(64):
            body.decode(piece)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert body.received == 1 << 20
    assert kept < 10_000
    assert peak < 10 * len(piece)


@pytest.mark.parametrize(
    "chunk",
    [
        b"1\r\nx\r\n",
        b"1\r\n\n\r\n",
        b"2\r\n\r\n\r\n",
        b"1;a\r\nx\r\n",
        b"64\r\n" + b"\r\n" * 50 + b"\r\n",
    ],
)
def test_tiny_chunks_are_linear(chunk: bytes) -> None:
    """CVE-2025-69229: eight times as many tiny chunks take about eight times as long."""
    limits = replace(DEFAULT_LIMITS, chunk_extensions=1 << 20)

    def seconds(count: int) -> float:
        data = chunk * count
        best = 60.0
        for _ in range(5):
            body = ChunkedBody(limits)
            start = time.thread_time()
            _, used = body.decode(data)
            best = min(best, time.thread_time() - start)
            assert used == len(data)
        return best

    assert seconds(16_000) < 30 * seconds(2_000)


# Writing, and reading back.


def test_length_writer() -> None:
    """Content of announced length goes out as it is, uncopied."""
    writer = LengthWriter(10)
    piece = b"hello"
    assert writer.encode(piece) is piece
    assert writer.frame(5) == (b"", b"")
    assert writer.finish() == b""
    assert writer.sent == 10


def test_length_writer_refuses_too_much() -> None:
    """More than announced is refused before it is sent, and the rest may still be sent."""
    writer = LengthWriter(5)
    writer.encode(b"hel")
    with pytest.raises(LocalProtocolError, match=r"expected 5 bytes .* got 6 or more"):
        writer.encode(b"lo!")
    writer.encode(b"lo")
    assert writer.finish() == b""


def test_length_writer_refuses_too_little() -> None:
    """Less than announced is an error at the end: the peer would wait for the rest."""
    writer = LengthWriter(5)
    writer.encode(b"hel")
    with pytest.raises(LocalProtocolError, match=r"expected 5 bytes .* got 3"):
        writer.finish()


@pytest.mark.parametrize("data", [b"hello", bytearray(b"hello"), memoryview(b"hello")])
def test_chunked_writer(data: bytes | bytearray | memoryview) -> None:
    """Each piece is a chunk; the end is the last chunk and an empty trailer section."""
    writer = ChunkedWriter()
    assert writer.encode(data) == b"5\r\nhello\r\n"
    assert writer.frame(26) == (b"1a\r\n", b"\r\n")
    assert writer.finish() == b"0\r\n\r\n"
    assert writer.sent == 31


def test_empty_piece_is_no_chunk() -> None:
    """Writing nothing sends nothing: a chunk of size 0 would end the body."""
    writer = ChunkedWriter()
    assert writer.encode(b"") == b""
    assert writer.frame(0) == (b"", b"")


@pytest.mark.parametrize("writer", [LengthWriter(16), ChunkedWriter(), CloseWriter()])
def test_writer_counts_bytes_not_items(
    writer: LengthWriter | ChunkedWriter | CloseWriter,
) -> None:
    """A memoryview of larger items is counted in bytes."""
    wire = bytes(writer.encode(memoryview(bytearray(16)).cast("I")))
    assert writer.sent == 16
    assert wire == bytes(16) or wire == b"10\r\n" + bytes(16) + b"\r\n"


def test_trailers_go_out_in_order() -> None:
    """Trailers keep their order and spelling."""
    wire = ChunkedWriter().finish([("X-Digest", "abc"), ("x-name", "Ren\xe9")])
    assert wire == b"0\r\nX-Digest: abc\r\nx-name: Ren\xe9\r\n\r\n"


def test_trailer_goes_out_as_the_text_that_it_is() -> None:
    """What a subclass of str says of itself, such as an Enum its name, is not sent."""

    class Text(str):
        __slots__ = ()

        def __format__(self, spec: str) -> str:
            return "never validated"

    assert ChunkedWriter().finish([("X", Text("abc"))]) == b"0\r\nX: abc\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nb"),
        ("X", "a\nb"),
        ("X", "a\0"),
        ("X y", "a"),
        ("", "a"),
        ("X:", "a"),
        ("X", "€"),
    ],
)
def test_trailer_that_can_not_be_sent(name: str, value: str) -> None:
    """Outgoing trailers pass the validator of all fields (security rule 9)."""
    with pytest.raises(LocalProtocolError):
        ChunkedWriter().finish([(name, value)])


def test_trailers_without_chunks_are_dropped() -> None:
    """Only chunked framing has a place for trailers."""
    assert LengthWriter(0).finish([("X-Digest", "abc")]) == b""
    assert CloseWriter().finish([("X-Digest", "abc")]) == b""


def test_close_writer() -> None:
    """Without framing content goes out as it is."""
    writer = CloseWriter()
    piece = b"hello"
    assert writer.encode(piece) is piece
    assert writer.frame(3) == (b"", b"")
    assert writer.finish() == b""
    assert writer.sent == 8


pieces_of_content = st.lists(
    st.one_of(
        st.binary(max_size=8),
        st.sampled_from([b"\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n", b"x" * 300]),
    ),
    max_size=8,
)
trailer_lists = st.lists(
    st.tuples(
        st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8).map("x-".__add__),
        st.text(
            st.characters(min_codepoint=0x20, max_codepoint=0xFF, blacklist_characters="\x7f"),
            max_size=12,
        ).map(lambda text: text.strip(" ")),
    ),
    max_size=4,
)


@given(pieces_of_content, trailer_lists)
def test_chunked_round_trip(pieces: list[bytes], trailers: list[tuple[str, str]]) -> None:
    """What was written is read back, under every cut."""
    writer = ChunkedWriter()
    wire = b"".join(map(writer.encode, pieces)) + writer.finish(trailers)
    for cut in cuts(wire + NEXT, splits=64):
        body = ChunkedBody()
        assert read_all(body, cut) == (b"".join(pieces), NEXT)
        assert list(body.trailers.items()) == trailers


@given(pieces_of_content, st.data())
def test_any_framing_round_trip(pieces: list[bytes], data: st.DataObject) -> None:
    """Every framing gives back the content, in whatever pieces the bytes come."""
    content = b"".join(pieces)
    framings: list[Framing] = [len(content), "chunked", "close"]
    framing = data.draw(st.sampled_from(framings))
    writer, body = body_writer(framing), body_decoder(framing)
    wire = b"".join(bytes(writer.encode(piece)) for piece in pieces) + writer.finish()
    places = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    edges = [0, *places, len(wire)]
    decoded, behind = read_all(body, [wire[i:j] for i, j in pairwise(edges)])
    body.end()
    assert (decoded, behind) == (content, b"")
    assert writer.sent == body.received == len(content)


@given(st.binary(max_size=64) | st.text('0123456789abcdefg;=" \t\r\nX:', max_size=64))
def test_any_bytes_mean_the_same_under_every_cut(data: bytes | str) -> None:
    """Whether bytes are a chunked body, and which, doesn't depend on how they are cut."""
    wire = data.encode() if isinstance(data, str) else data

    def outcome(pieces: list[bytes]) -> object:
        body = ChunkedBody()
        try:
            content, behind = read_all(body, pieces)
        except HttpException as exc:
            return type(exc)
        return content, behind, body.is_complete, list(body.trailers.items())

    assert len({repr(outcome(pieces)) for pieces in cuts(wire)}) == 1
