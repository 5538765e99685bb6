"""Heads of any bytes: an error of ours or a head, never anything else, under every cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiohttp.protocol.errors import HttpException, RemoteProtocolError
from aiohttp.protocol.headers import validate_field_name, validate_field_value
from aiohttp.protocol.http1.encode import encode_request_line, encode_status_line
from aiohttp.protocol.http1.head import (
    HeadCollector,
    RequestHead,
    ResponseHead,
    find_request_end,
    find_response_end,
    parse_request_head,
    parse_response_head,
)
from aiohttp.protocol.limits import Limits
from wire import cuts

Head = RequestHead | ResponseHead
Parser = Callable[[bytes], Head]

PARTS = [
    b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"CONNECT", b"OPTIONS", b" ", b"*", b"/a?b",
    b"#", b"http://", b"[::1]:80", b"a.example", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"204",
    b"\xb2", b"\r\n", b"\r", b"\n", b"\t", b"\0", b"\x7f", b"\x80", b"\xff", b":", b",", b";", b'"',
    b"+1", b"0x1", b"9" * 20, b"Host: a.example\r\n", b"Host:", b"Content-Length: 5\r\n",
    b"Content-Length:", b"5", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding:", b"chunked",
    b"gzip", b"Connection:", b"close", b"keep-alive", b"upgrade", b"Upgrade: h2c\r\n", b"Expect:",
    b"100-continue", b"X: y\r\n", b" folded\r\n",
]  # fmt: skip

some_bytes = st.one_of(
    st.binary(max_size=64), st.lists(st.sampled_from(PARTS), max_size=16).map(b"".join)
)
firsts = st.sampled_from([b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"HTTP/1.1 200 OK\r\n"])


def written_again(head: Head) -> None:
    """Put what was read through the validators of what is sent."""
    for name, value in head.headers.items():
        validate_field_name(name)
        validate_field_value(name, value)
    if isinstance(head, RequestHead):
        encode_request_line(head.method, head.target)
    else:
        encode_status_line(head.status, head.reason)


@pytest.mark.parametrize("parse", [parse_request_head, parse_response_head])
@given(first=firsts, rest=some_bytes)
@example(first=b"", rest=b"")
@example(first=b"", rest=b"\r\n")
@example(first=b"", rest=b" ")
@example(first=b"", rest=b"\n\n")
def test_any_bytes_are_a_head_or_refused(parse: Parser, first: bytes, rest: bytes) -> None:
    """A parser raises errors with a status and a printable message, and nothing else."""
    error: RemoteProtocolError | None = None
    try:
        written_again(parse(first + rest + b"\r\n\r\n"))
    except RemoteProtocolError as exc:
        error = exc
    assert error is None or (400 <= error.status <= 505 and error.message.isprintable())


@pytest.mark.parametrize("is_request", [True, False])
@given(data=some_bytes)
def test_any_bytes_are_the_same_head_under_every_cut(is_request: bool, data: bytes) -> None:
    """Where a head ends, and whether it is refused, doesn't depend on how it is cut."""
    limits = Limits(line=40, field_line=40, fields=4, head=200)
    found: set[object] = set()
    for pieces in cuts(data, splits=32):
        collector = HeadCollector(limits, is_request=is_request)
        outcome: object = None
        rest = b""
        try:
            for piece in pieces:
                if outcome is not None:
                    rest += piece
                elif (ended := collector.feed(piece)) is not None:
                    outcome, rest = ended
        except HttpException:
            outcome = "refused"  # for which of several reasons, the cut may decide
        found.add((outcome, rest))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("find", "is_request"), [(find_request_end, True), (find_response_end, False)]
)
@given(data=some_bytes)
def test_a_whole_head_ends_where_a_collected_one_does(
    find: Callable[[bytes], int], is_request: bool, data: bytes
) -> None:
    """The quick way to a head's end finds what the slow way finds, or the parser refuses."""
    parse: Parser = parse_request_head if is_request else parse_response_head
    end = find(data)
    if end < 0:
        return
    try:
        parse(data[:end])
    except RemoteProtocolError:
        return
    assert HeadCollector(Limits(), is_request=is_request).feed(data) == (data[:end], data[end:])
