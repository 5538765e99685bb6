"""Rule 1: digits are ASCII digits: no sign, no underscore, no 0x, no other alphabet."""

from __future__ import annotations

import pytest

from aiohttp.protocol.errors import (
    BadHost,
    BadHttpMessage,
    BadRequestLine,
    BadStatusLine,
    ChunkError,
    LocalProtocolError,
)
from aiohttp.protocol.http1.body import ChunkedBody
from aiohttp.protocol.http1.encode import encode_fields
from aiohttp.protocol.http1.head import parse_request_head, parse_response_head

# What int() or \d takes for a number, or what is one after some other reading.
NUMBERS = {
    "CVE-2022-24761 plus sign": b"+5",
    "CVE-2022-24761 0x": b"0x5",
    "CVE-2023-47627 minus sign": b"-5",
    "CVE-2023-47627 underscore": b"0_5",
    "CVE-2023-47627 space inside": b"0 5",
    "CVE-2025-69224 superscript": b"\xb2",
    "CVE-2025-69224 Arabic digit in UTF-8": "\u0665".encode(),
    "CVE-2025-69224 fullwidth digit in UTF-8": "\uff15".encode(),
    "no-break space": b"\xa05",
    "next line": b"5\x85",
    "vertical tab": b"5\x0b",
    "decimal point": b"5.0",
    "exponent": b"5p0",
}
parametrize = pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS.keys())


@parametrize
def test_content_length(number: bytes) -> None:
    """Content-Length is digits, in both directions."""
    line = b"Content-Length: %b\r\n\r\n" % number
    with pytest.raises(BadHttpMessage):
        parse_request_head(b"POST / HTTP/1.1\r\nHost: a\r\n" + line)
    with pytest.raises(BadHttpMessage):
        parse_response_head(b"HTTP/1.1 200 OK\r\n" + line)
    with pytest.raises(LocalProtocolError):
        encode_fields([("Content-Length", number.decode("latin-1"))])


@parametrize
def test_chunk_size(number: bytes) -> None:
    """A chunk size is hex digits."""
    with pytest.raises(ChunkError):
        ChunkedBody().decode(number + b"\r\nhello\r\n0\r\n\r\n")


@parametrize
def test_status(number: bytes) -> None:
    """A status is three digits."""
    for status in (number, number.rjust(3, b"0"), number.rjust(3, b"2")):
        with pytest.raises(BadStatusLine):
            parse_response_head(b"HTTP/1.1 %b OK\r\n\r\n" % status)


@parametrize
def test_port(number: bytes) -> None:
    """A port is digits, in Host and in a target."""
    with pytest.raises((BadHost, BadHttpMessage)):
        parse_request_head(b"GET / HTTP/1.1\r\nHost: a:%b\r\n\r\n" % number)
    with pytest.raises(BadHttpMessage):
        parse_request_head(b"CONNECT a:%b HTTP/1.1\r\nHost: a\r\n\r\n" % number)
    with pytest.raises(BadHttpMessage):
        parse_request_head(b"GET http://a:%b/ HTTP/1.1\r\nHost: a\r\n\r\n" % number)


@parametrize
def test_version(number: bytes) -> None:
    """A version is one digit, a dot, and one digit."""
    for version in (b"1." + number, number + b".1"):
        with pytest.raises(BadRequestLine):
            parse_request_head(b"GET / HTTP/%b\r\nHost: a\r\n\r\n" % version)
        with pytest.raises(BadStatusLine):
            parse_response_head(b"HTTP/%b 200 OK\r\n\r\n" % version)


@pytest.mark.parametrize("digits", [19, 100, 5000, 60_000])
def test_number_without_end(digits: int) -> None:
    """A number of very many digits is refused before int() looks at it."""
    number = b"1" * digits
    with pytest.raises(ChunkError):
        ChunkedBody().decode(number + b"\r\n")
    if digits < 8000:
        with pytest.raises(
            BadHttpMessage, match=r"expected digits as Content-Length, got '1{1,60}"
        ):
            parse_request_head(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %b\r\n\r\n" % number)
