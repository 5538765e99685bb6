"""The head of a request as it goes out: what HTTP adds to the program's fields."""

from __future__ import annotations

import pytest

from aiohttp.protocol.errors import LocalProtocolError
from aiohttp.protocol.http1.body import Framing
from aiohttp.protocol.http1.encode import EncodedFields, encode_fields
from aiohttp.protocol.http1.head import (
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
    parse_request_head,
)
from aiohttp.protocol.http1.request import encode_request_head, request_framing

NOTHING = EncodedFields(b"")


@pytest.mark.parametrize(
    ("fields", "length", "framing"),
    [
        ([], 0, 0),
        ([], 5, 5),
        ([], None, "chunked"),
        ([("Content-Length", "5")], 5, 5),
        ([("Content-Length", "5")], None, 5),
        ([("Content-Length", "0")], None, 0),
        ([("Transfer-Encoding", "chunked")], 5, "chunked"),
        ([("Transfer-Encoding", "chunked")], None, "chunked"),
    ],
)
def test_framing_of_a_request(
    fields: list[tuple[str, str]], length: int | None, framing: Framing
) -> None:
    """A known length is announced, an unknown one needs chunks; what the program says holds."""
    assert request_framing(encode_fields(fields), length) == framing


def test_bytes_are_sent_in_chunks_on_demand() -> None:
    """Chunks can be asked for where the length is known."""
    assert request_framing(NOTHING, 5, in_chunks=True) == "chunked"


@pytest.mark.parametrize("announced", ["4", "6"])
def test_length_that_is_not_the_bodys_is_refused(announced: str) -> None:
    """A Content-Length that differs from the length of the bytes is the program's error."""
    fields = encode_fields([("Content-Length", announced)])
    with pytest.raises(
        LocalProtocolError, match=f"Content-Length says {announced}, the body has 5"
    ):
        request_framing(fields, 5)


def test_length_and_chunks_exclude_each_other() -> None:
    """A Content-Length together with chunks is refused (RFC 9112, section 6.2)."""
    with pytest.raises(LocalProtocolError, match="can't have a Content-Length and be sent in"):
        request_framing(encode_fields([("Content-Length", "5")]), 5, in_chunks=True)


def test_old_version_has_no_chunks() -> None:
    """HTTP/1.0 can't carry a body of unknown length."""
    with pytest.raises(LocalProtocolError, match=r"HTTP/1\.0 has no chunks"):
        request_framing(NOTHING, None, HttpVersion10)


@pytest.mark.parametrize(
    ("method", "framing", "line"),
    [
        ("GET", 0, b""),
        ("POST", 0, b"Content-Length: 0\r\n"),
        ("PUT", 0, b"Content-Length: 0\r\n"),
        ("PATCH", 0, b"Content-Length: 0\r\n"),
        ("DELETE", 0, b""),
        ("GET", 7, b"Content-Length: 7\r\n"),
        ("POST", "chunked", b"Transfer-Encoding: chunked\r\n"),
    ],
)
def test_framing_is_announced(method: str, framing: Framing, line: bytes) -> None:
    """Methods that anticipate content say so when there is none (RFC 9110, section 8.6)."""
    head = encode_request_head(method, "/", "a", NOTHING, framing)
    assert head == method.encode() + b" / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n"


def test_host_comes_first() -> None:
    """Host stands before the program's fields (RFC 9110, section 7.2)."""
    fields = encode_fields([("Accept", "*/*"), ("X-One", "1")])
    assert encode_request_head("GET", "/p?q", "[::1]:8080", fields, 0) == (
        b"GET /p?q HTTP/1.1\r\nHost: [::1]:8080\r\nAccept: */*\r\nX-One: 1\r\n\r\n"
    )


def test_host_of_the_program_replaces_ours() -> None:
    """There is one Host (RFC 9112, section 3.2)."""
    head = encode_request_head("GET", "/", "a", encode_fields([("host", "b")]), 0)
    assert head == b"GET / HTTP/1.1\r\nhost: b\r\n\r\n"


@pytest.mark.parametrize(
    ("given", "version", "close", "line"),
    [
        ([], HttpVersion11, False, b""),
        ([], HttpVersion11, True, b"Connection: close\r\n"),
        ([], HttpVersion10, False, b"Connection: keep-alive\r\n"),
        ([], HttpVersion10, True, b"Connection: close\r\n"),
        ([("Connection", "close")], HttpVersion11, True, b"Connection: close\r\n"),
        ([("Connection", "close")], HttpVersion11, False, b"Connection: close\r\n"),
        ([("Connection", "close, keep-alive")], HttpVersion10, False, b"Connection: close\r\n"),
        ([("Connection", "keep-alive, TE")], HttpVersion11, True, b"Connection: te, close\r\n"),
        ([("Connection", "Upgrade")], HttpVersion11, False, b"Connection: upgrade\r\n"),
        ([("Connection", "Upgrade")], HttpVersion11, True, b"Connection: upgrade, close\r\n"),
        ([("Connection", "keep-alive")], HttpVersion10, False, b"Connection: keep-alive\r\n"),
    ],
)
def test_connection_field(
    given: list[tuple[str, str]], version: HttpVersion, close: bool, line: bytes
) -> None:
    """Connection says whether the connection ends, and keeps what the program wants to say."""
    fields = encode_fields(given)
    head = encode_request_head("GET", "/", "a", fields, 0, version=version, close=close)
    assert head.partition(b"Host: a\r\n")[2] == line + b"\r\n"


@pytest.mark.parametrize("authority", ["a/b", "a b", "a\r\nX: y", "[::1", "a:70000", "a:x"])
def test_authority_that_is_none_is_refused(authority: str) -> None:
    """What would end a Host, or begin another field, is the program's error."""
    with pytest.raises(LocalProtocolError, match="expected Host to be"):
        encode_request_head("GET", "/", authority, NOTHING, 0)


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET\r\nX:", "/"), ("G T", "/"), ("", "/"), ("GET", "/ HTTP/1.1\r\nX: y"), ("GET", "")],
)
def test_request_line_that_is_none_is_refused(method: str, target: str) -> None:
    """Nothing in method or target can begin another line (CVE-2023-49081, CVE-2023-49082)."""
    with pytest.raises(LocalProtocolError):
        encode_request_head(method, target, "a", NOTHING, 0)


def test_head_that_was_written_can_be_read() -> None:
    """Our own server side reads what the client side writes."""
    fields = encode_fields([("X-One", "1"), ("x-one", "2")])
    head = parse_request_head(
        encode_request_head("POST", "/p", "a:1", fields, 3, expect_continue=True, close=True)
    )
    assert (head.method, head.target, head.content_length) == ("POST", "/p", 3)
    assert head.expect_continue
    assert not head.keep_alive
    assert head.headers.getall("X-One") == ["1", "2"]
