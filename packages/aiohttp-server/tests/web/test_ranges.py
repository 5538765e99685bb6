"""Ranges of bytes, as they are asked for and as they are sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.server.web.ranges import MAX_RANGES, ByteRanges, content_range, parse_ranges


@pytest.mark.parametrize(
    ("field", "parts"),
    [
        # RFC 9110, section 14.1.2, has these of 10,000 bytes.
        ("bytes=0-499", [range(500)]),
        ("bytes=500-999", [range(500, 1000)]),
        ("bytes=-500", [range(9500, 10000)]),
        ("bytes=9500-", [range(9500, 10000)]),
        ("bytes=0-0,-1", [range(1), range(9999, 10000)]),
        ("bytes= 0-999, 4500-5499, -1000", [range(1000), range(4500, 5500), range(9000, 10000)]),
        # The order is the client's, what reaches beyond the end is cut, what lies there left out.
        ("bytes=500-600,0-9", [range(500, 601), range(10)]),
        ("bytes=9990-123456789012345678901234567890", [range(9990, 10000)]),
        ("bytes=-20000", [range(10000)]),
        ("bytes=0-9,10000-", [range(10)]),
        ("bytes=,0-9,\t,", [range(10)]),
        ("BYTES=0-9", [range(10)]),
    ],
)
def test_ranges_of_ten_thousand_bytes(field: str, parts: list[range]) -> None:
    """A range is what its two numbers say, both included."""
    assert parse_ranges(field, 10000) == parts


@pytest.mark.parametrize(
    "field",
    [
        "items=0-9",  # another unit
        "0-9",
        "",
        "bytes=0-9,5-20",  # overlap
        "bytes=0-,-1",
        "bytes=" + ",".join(f"{i}-{i}" for i in range(0, 2 * MAX_RANGES + 2, 2)),
        "bytes=" + "," * 5000,
    ],
)
def test_field_that_is_ignored(field: str) -> None:
    """Unknown units, overlaps, and more parts than anybody needs: the whole is the answer."""
    assert parse_ranges(field, 10000) is None


@pytest.mark.parametrize(
    "field",
    [
        "bytes=10000-",
        "bytes=10000-10001, 20000-",
        "bytes=-0",
        "bytes=5-4",
        "bytes=",
        "bytes=-",
        "bytes=1",
        "bytes=a-b",
        "bytes=0-9 10-19",
        "bytes=+1-2",
        "bytes=1_0-20",
        "bytes=0x1-0x2",
        "bytes=--1",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_field_that_asks_for_nothing(field: str) -> None:
    """What doesn't exist, or isn't a range, leaves no part: that is 416."""
    assert parse_ranges(field, 10000) == []


def test_last_bytes_of_nothing() -> None:
    """An empty file has no last byte, but no range beyond its end was asked for either."""
    assert parse_ranges("bytes=-5", 0) is None
    assert parse_ranges("bytes=0-", 0) == []


@given(st.text(), st.integers(min_value=0, max_value=100))
def test_any_text(text: str, size: int) -> None:
    """Whatever comes, parts are inside the file, not empty, and don't overlap."""
    parts = parse_ranges(f"bytes={text}", size) or []
    positions = [position for part in parts for position in part]
    assert len(set(positions)) == len(positions)
    assert all(part and part.start >= 0 and part.stop <= size for part in parts)


def test_content_range() -> None:
    """Of a part, and of none (RFC 9110, section 14.4)."""
    assert content_range(range(42, 1234), 1234) == "bytes 42-1233/1234"
    assert content_range(None, 1234) == "bytes */1234"


def test_multipart_byteranges() -> None:
    """Each part has a head of its own; what is announced is what is sent."""
    content = b"0123456789"
    body = ByteRanges([range(2), range(8, 10)], 10, content_type="text/plain", boundary="b0")
    sent = b"".join(head + content[part.start : part.stop] for head, part in body) + body.ending
    assert body.content_type == "multipart/byteranges; boundary=b0"
    assert body.length == len(sent)
    assert sent.split(b"\r\n") == [
        b"--b0",
        b"Content-Type: text/plain",
        b"Content-Range: bytes 0-1/10",
        b"",
        b"01",
        b"--b0",
        b"Content-Type: text/plain",
        b"Content-Range: bytes 8-9/10",
        b"",
        b"89",
        b"--b0--",
        b"",
    ]
