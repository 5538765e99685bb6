"""Rule 12: what a peer sends is read in time proportional to its size, and logs nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from aiohttp.protocol.errors import HttpException
from aiohttp.protocol.headers import list_members, parse_field_line, split_authority
from aiohttp.protocol.http1.body import ChunkedBody
from aiohttp.protocol.http1.head import parse_request_head, parse_response_head
from aiohttp.protocol.limits import Limits
from aiohttp.protocol.parameters import parse_parameters

WIDE = Limits(line=10**9, field_line=10**9, fields=10**9, head=10**9)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"


def chunks(size: int) -> None:
    """Decode chunks of one byte that come one by one."""
    body = ChunkedBody()
    for _ in range(size // 10):
        body.decode(b"1\r\nx\r\n")


WORK: dict[str, Callable[[int], object]] = {
    "CVE-2020-5236 white space in a value": lambda n: parse_field_line("A: b" + " " * n + "\x01"),
    "CVE-2020-5236 white space before a value": lambda n: parse_field_line("A:" + " " * n + "\x01"),
    "CVE-2020-5236 long name": lambda n: parse_field_line("A" * n + "("),
    "CVE-2020-5236 white space in a fold": lambda n: parse_response_head(
        b"HTTP/1.1 200 OK\r\nA: b" + b" " * n + b"\r\n c\r\n\r\n", WIDE
    ),
    "many folds": lambda n: parse_response_head(
        b"HTTP/1.1 200 OK\r\nA: b" + b"\r\n c" * (n // 4) + b"\r\n\r\n", WIDE
    ),
    "CVE-2025-67725 repeated field": lambda n: parse_request_head(
        GET + b"A: b\r\n" * (n // 6) + b"\r\n", WIDE
    ),
    "CVE-2025-67725 repeated Connection": lambda n: parse_request_head(
        GET + b"Connection: b\r\n" * (n // 15) + b"\r\n", WIDE
    ),
    "CVE-2025-67725 repeated Content-Length": lambda n: parse_response_head(
        b"HTTP/1.1 200 OK\r\n" + b"Content-Length: 5\r\n" * (n // 19) + b"\r\n", WIDE
    ),
    "repeated Host": lambda n: parse_request_head(GET + b"Host: a\r\n" * (n // 9) + b"\r\n", WIDE),
    "list of commas": lambda n: list_members(["," * n]),
    "CVE-2025-67726 parameters": lambda n: parse_parameters("a" + ";b=c" * (n // 4)),
    "CVE-2025-67726 semicolons": lambda n: parse_parameters("a" + ";" * n + "="),
    "CVE-2025-67726 quotes": lambda n: parse_parameters('a; b="' + '\\"' * (n // 2)),
    "CVE-2025-69229 tiny chunks": chunks,
    "chunk extension": lambda n: ChunkedBody(WIDE).decode(b"1" + b";a" * (n // 2) + b"(\r\n"),
    "white space in a chunk line": lambda n: ChunkedBody(WIDE).decode(b"1" + b" " * n + b"(\r\n"),
    "brackets in Host": lambda n: split_authority("[" + ":" * n),
    "escapes in Host": lambda n: split_authority("%61" * (n // 3)),
    "target": lambda n: parse_request_head(
        b"GET http://" + b"a:" * (n // 2) + b" HTTP/1.1\r\nHost: a\r\n\r\n", WIDE
    ),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_time_is_linear(work: Callable[[int], object]) -> None:
    """Sixteen times as much takes about sixteen times as long, and never its square."""

    def seconds(size: int) -> float:
        began = time.thread_time()
        with suppress(HttpException):  # refusing must be as quick
            work(size)
        return time.thread_time() - began

    small = min(seconds(20_000) for _ in range(3))
    large = min(seconds(320_000) for _ in range(3))
    assert large < 16 * 6 * max(small, 0.0002)


def test_nothing_is_logged_for_what_a_peer_sends(caplog: pytest.LogCaptureFixture) -> None:
    """CVE-2025-69230, CVE-2025-47287: no parser writes to a log, so nobody can flood it."""
    caplog.set_level(logging.DEBUG)
    for data in (GET + b"Cookie: \x01\r\n\r\n", GET + b"Cookie: a b c; ;;=\r\n" * 50 + b"\r\n"):
        for parse in (parse_request_head, parse_response_head):
            try:
                parse(data)
            except HttpException:
                continue
    assert not caplog.records


@pytest.mark.parametrize("size", [10, 1000, 100_000])
def test_messages_are_short(size: int) -> None:
    """However much is refused, the message that a log may get is one short line."""
    for text in (b"\x1b[31m" * size, b"\xff" * size, b"%0a" * size, b"'" * size):
        for data in (text + b"\r\n\r\n", GET + text + b"\r\n\r\n"):
            with pytest.raises(HttpException) as caught:
                parse_request_head(data, WIDE)
            assert caught.value.message.isprintable()
            assert len(caught.value.message) < 200
