"""Heads: what they say, under every cut, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiohttp.protocol.errors import (
    BadHost,
    BadHttpMessage,
    BadRequestLine,
    BadStatusLine,
    FramingError,
    HeadTooLarge,
    HttpException,
    InvalidHeader,
    LimitExceeded,
    LineTooLong,
    RemoteProtocolError,
    TargetTooLong,
    UnknownExpectation,
    UnknownTransferCoding,
    UnsupportedVersion,
)
from aiohttp.protocol.http1 import head as module
from aiohttp.protocol.http1.head import (
    HeadCollector,
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
    RequestHead,
    ResponseHead,
    find_request_end,
    find_response_end,
    parse_request_head,
    parse_response_head,
    refused_request_head,
    take_request_head,
    validate_host,
    validate_target,
)
from aiohttp.protocol.limits import DEFAULT_LIMITS, Limits
from wire import cuts

Head: TypeAlias = RequestHead | ResponseHead
Parse: TypeAlias = Callable[[bytes, Limits], Head]
NEXT = b"GET /next HTTP/1.1\r\nHost: b\r\n\r\n"


def test_refused_head_is_known_by_its_request_line() -> None:
    """Where that is right; else it is unknown, and HEAD alone is told."""
    known = {
        b"PUT /a?b HTTP/1.0\r\nbad": ("PUT", "/a?b", HttpVersion10),
        b"\r\nGET / HTTP/1.1\r\n": ("GET", "/", HttpVersion11),
        b"GET / HTTP/1.1": ("UNKNOWN", "/", HttpVersion11),  # there may be more of it
        b"GET / HTTP/2.0\r\n": ("UNKNOWN", "/", HttpVersion11),
        b"GET /\x00 HTTP/1.1\r\n": ("UNKNOWN", "/", HttpVersion11),
        b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n": ("UNKNOWN", "/", HttpVersion11),
        b"HEAD /\x00 HTTP/1.1\r\n": ("HEAD", "/", HttpVersion11),
        b"": ("UNKNOWN", "/", HttpVersion11),
    }
    for data, expected in known.items():
        head = refused_request_head(data)
        assert (head.method, head.target, head.version) == expected
        assert not head.headers
        assert not head.keep_alive


# What clients repeat.


REPEATED = b"GET /a HTTP/1.1\r\nHost: repeated\r\nAccept: */*\r\n\r\n"


def met_before(data: bytes) -> None:
    """Have all that may be kept of a head kept."""
    for _ in range(3):
        parse_request_head(data)


def test_known_fields_are_understood_once() -> None:
    """A head that repeats them shares them; one that says all the same is the same."""
    met_before(REPEATED)
    heads = [
        parse_request_head(line + REPEATED[15:])
        for line in (b"GET /a HTTP/1.1", b"PUT /b?c=d HTTP/1.1", b"GET /a HTTP/1.1")
    ]
    assert [(head.method, head.target) for head in heads] == [
        ("GET", "/a"), ("PUT", "/b?c=d"), ("GET", "/a"),
    ]  # fmt: skip
    assert heads[0].headers is heads[1].headers
    assert list(heads[1].headers.items()) == [("Host", "repeated"), ("Accept", "*/*")]
    assert heads[0] is heads[2]


def test_what_is_derived_is_shared_by_heads_that_say_the_same() -> None:
    """There is a place for it where a head is remembered, which one with a query never is."""
    assert parse_request_head(b"GET / HTTP/1.1\r\nHost: first\r\n\r\n").derived is None
    met_before(REPEATED)
    derived = parse_request_head(REPEATED).derived
    assert derived is not None
    derived["key"] = "what was made of it"
    assert parse_request_head(REPEATED).derived == {"key": "what was made of it"}
    assert parse_request_head(REPEATED.replace(b"/a", b"/b")).derived == {}
    assert parse_request_head(REPEATED.replace(b"/a", b"/a?b")).derived is None


@pytest.mark.parametrize(
    "line",
    [
        b"GET  /a HTTP/1.1", b"GET /a HTTP/1.1 ", b"GET /a HTTP/2.0", b"GET /a#b HTTP/1.1", b"",
        b"GET a HTTP/1.1", b"GET /a\nHTTP/1.1", b"GET /a\r HTTP/1.1", b"GET /\xe4 HTTP/1.1",
        b"G(T /a HTTP/1.1", b"GET /a\x00 HTTP/1.1", b"GET /a", b"CONNECT /a HTTP/1.1",
    ],
)  # fmt: skip
def test_known_fields_help_no_wrong_request_line(line: bytes) -> None:
    """It is refused with the error that it has without them."""
    met_before(REPEATED)
    errors: list[str] = []
    for fields in (REPEATED[15:], b"\r\nHost: another\r\n\r\n") * 2:
        with pytest.raises(BadHttpMessage if b"2.0" not in line else UnsupportedVersion) as caught:
            parse_request_head(line + fields)
        errors.append(f"{type(caught.value)} {caught.value}".partition(", got")[0])
    assert len(set(errors)) == 1


def test_known_fields_are_counted_by_everyone() -> None:
    """What one service takes may be too much for the limits of another."""
    met_before(REPEATED)
    for limits in (Limits(fields=1), Limits(head=40), Limits(line=8), Limits(field_line=8)):
        with pytest.raises(LimitExceeded):
            parse_request_head(REPEATED, limits)


@pytest.mark.parametrize(
    "line",
    ["Connection: close", "Connection: upgrade\r\nUpgrade: h2c", "Transfer-Encoding: chunked",
     "Expect: 100-continue", "Content-Length: 1", "Authorization: Basic YTpi", "Cookie: a=b",
     "X-A: b"],
)  # fmt: skip
def test_fields_are_known_as_one_only_if_they_say_little(line: str) -> None:
    """What frames the message, what is secret, and what may be is looked at each time."""
    data = REPEATED[:-2] + line.encode() + b"\r\n\r\n"
    met_before(data)
    first, second = parse_request_head(data), parse_request_head(data)
    assert first.headers is not second.headers
    assert (first.keep_alive, first.chunked) == (second.keep_alive, second.chunked)


def test_requests_of_http_1_0_are_not_taken_for_others() -> None:
    """The same fields mean something else there: keep-alive must be asked for."""
    met_before(REPEATED)
    old = REPEATED.replace(b"HTTP/1.1", b"HTTP/1.0")
    for _ in range(3):
        head = parse_request_head(old)
        assert (head.version, head.keep_alive) == (HttpVersion10, False)
        assert parse_request_head(REPEATED).keep_alive


def test_what_is_known_is_bounded() -> None:
    """In number and in length; a query, which may hold secrets, is never kept."""
    module._known_blocks.clear()
    module._known_heads.clear()
    for number in range(3000):
        data = b"GET /%d HTTP/1.1\r\nHost: %d\r\n\r\n" % (number, number)
        met_before(data)
    assert 0 < len(module._known_blocks) <= 1024
    assert 0 < len(module._known_heads) <= 1024
    module._known_heads.clear()
    module._known_blocks.clear()
    met_before(REPEATED)
    met_before(REPEATED.replace(b"/a", b"/a?key=secret"))
    met_before(REPEATED.replace(b"/a", b"/" + b"a" * 1000))
    met_before(REPEATED.replace(b"*/*", b"*/*, " * 250))
    assert list(module._known_heads) == [REPEATED]
    assert list(module._known_blocks) == [REPEATED[17:]]


def read(
    pieces: list[bytes], parse: Parse, limits: Limits = DEFAULT_LIMITS
) -> tuple[Head, bytes] | None:
    """Return a head that comes in pieces, and what is behind it; None if it isn't whole."""
    collector = HeadCollector(limits, is_request=parse is parse_request_head)
    for place, piece in enumerate(pieces, 1):
        if found := collector.feed(piece):
            return parse(found[0], limits), found[1] + b"".join(pieces[place:])
    return None


def read_whole(
    data: bytes, parse: Parse, limits: Limits = DEFAULT_LIMITS
) -> tuple[Head, bytes] | None:
    """Return a head as a connection takes it that came in one piece."""
    if parse is parse_request_head:
        taken = take_request_head(data, limits)
        if taken is not None:
            return taken[0], data[taken[1] :]
    elif (end := find_response_end(data)) >= 0:
        return parse(data[:end], limits), data[end:]
    return read([data], parse, limits)


def ways(
    data: bytes, parse: Parse, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Callable[[], tuple[Head, bytes] | None]]:
    """Yield each way in which ``data`` may come: whole, cut, and with more behind it."""
    yield partial(read_whole, data, parse, limits)
    yield partial(read_whole, data + NEXT, parse, limits)
    for pieces in cuts(data):
        yield partial(read, pieces, parse, limits)
    for pieces in cuts(data + NEXT, splits=64):
        yield partial(read, pieces, parse, limits)


def facts(head: Head) -> dict[str, object]:
    """Return all that a head says, without what others have made of it."""
    names = set(type(head).__slots__) - {"derived"}
    found: dict[str, object] = {name: getattr(head, name) for name in names}
    return {**found, "headers": list(head.headers.items())}


def understood(data: bytes, parse: Parse, limits: Limits = DEFAULT_LIMITS) -> dict[str, object]:
    """Return what ``data`` says, the same in all ways that it may come."""
    whole = facts(parse(data.removeprefix(b"\r\n"), limits))
    for way in ways(data, parse, limits):
        found = way()
        assert found is not None
        assert facts(found[0]) == whole
        assert found[1] in (b"", NEXT)
    return whole


def check_refused(
    data: bytes,
    parse: Parse,
    error: type[HttpException],
    message: str,
    limits: Limits = DEFAULT_LIMITS,
) -> None:
    """Check that ``data`` is refused with the same error in all ways that it may come."""
    with pytest.raises(error, match=message) as caught:
        read_whole(data, parse, limits)
    assert caught.type is error
    assert caught.value.message.isprintable()
    for way in ways(data, parse, limits):
        with pytest.raises(error):
            way()


def request(*lines: bytes, first: bytes = b"GET / HTTP/1.1") -> bytes:
    """Return a request with Host: a, if it needs one, and these field lines."""
    host = [b"Host: a"] if first.endswith(b"1.1") else []
    return b"\r\n".join([first, *host, *lines, b"", b""])


def response(*lines: bytes, first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """Return a response with these field lines."""
    return b"\r\n".join([first, *lines, b"", b""])


# What a request says.


def test_request() -> None:
    """A head says method, target, version and fields, as they are spelt and in order."""
    data = (
        b"POST /where?q=now HTTP/1.1\r\n"
        b"Host: www.example.org\r\n"
        b"aCCept: text/html\r\n"
        b"X:\t\r\n"
        b"ACCEPT: */*\r\n"
        b"Content-Length: 11\r\n"
        b"\r\n"
    )
    assert understood(data, parse_request_head) == {
        "method": "POST",
        "target": "/where?q=now",
        "version": HttpVersion11,
        "headers": [
            ("Host", "www.example.org"),
            ("aCCept", "text/html"),
            ("X", ""),
            ("ACCEPT", "*/*"),
            ("Content-Length", "11"),
        ],
        "keep_alive": True,
        "chunked": False,
        "content_length": 11,
        "upgrade": "",
        "expect_continue": False,
    }
    head = parse_request_head(data)
    assert head.headers.getall("Accept") == ["text/html", "*/*"]


def test_smallest_requests() -> None:
    """HTTP/1.0 needs nothing but a request line; HTTP/1.1 needs Host, which may be empty."""
    assert understood(b"GET / HTTP/1.0\r\n\r\n", parse_request_head)["headers"] == []
    assert understood(b"GET / HTTP/1.1\r\nHost:\r\n\r\n", parse_request_head)["version"] == (1, 1)


def test_repr_tells_what_it_is() -> None:
    """A head shows its first line, shortened and escaped, and how many fields it has."""
    head = parse_request_head(request(first=b"GET /" + b"x" * 100 + b" HTTP/1.1"))
    assert repr(head) == "<RequestHead GET '/" + "x" * 58 + "… 1 fields>"
    assert repr(parse_response_head(response(first=b"HTTP/1.1 404 \xe9\x9f"))) == (
        r"<ResponseHead 404 'é\x9f' 0 fields>"
    )


@pytest.mark.parametrize("empty_lines", [1, 2, 5])
def test_empty_lines_before_a_request_are_skipped(empty_lines: int) -> None:
    """Empty lines before a request are skipped, wherever they are cut (RFC 9112, section 2.2)."""
    data = b"\r\n" * empty_lines + request()
    for way in ways(data, parse_request_head):
        found = way()
        assert found is not None
        assert found[0].headers == {"Host": "a"}


def test_empty_lines_do_not_count() -> None:
    """Skipped lines neither wait in memory nor count for the limit of a head."""
    data = request()
    collector = HeadCollector(replace(DEFAULT_LIMITS, head=len(data)), is_request=True)
    for _ in range(100):
        assert collector.feed(b"\r") is None
        assert collector.feed(b"\n") is None
        assert len(collector) == 0
    assert collector.feed(data) == (data, b"")


@pytest.mark.parametrize(
    ("line", "version"),
    [(b"GET / HTTP/1.0", HttpVersion10), (b"GET / HTTP/1.1", HttpVersion11)]
    + [(b"GET / HTTP/1.%d" % minor, HttpVersion11) for minor in range(2, 10)],
)
def test_versions(line: bytes, version: HttpVersion) -> None:
    """A minor version that we don't know is the highest that we know (RFC 9110, section 2.5)."""
    data = request(b"Host: a", first=line) if version == (1, 0) else line + b"\r\nHost: a\r\n\r\n"
    assert understood(data, parse_request_head)["version"] == version


@pytest.mark.parametrize("line", [b"PRI * HTTP/2.0", b"GET / HTTP/0.9", b"GET / HTTP/3.0"])
def test_other_major_versions(line: bytes) -> None:
    """Another major version is 505, not 400 (RFC 9110, section 15.6.6)."""
    check_refused(request(first=line), parse_request_head, UnsupportedVersion, "expected HTTP/1.1")


NO_REQUEST_LINE = {
    "nothing": b"",
    "one word": b"GET",
    "HTTP/0.9": b"GET /",
    "no target": b"GET  HTTP/1.1",
    "two spaces": b"GET  / HTTP/1.1",
    "space before": b" GET / HTTP/1.1",
    "space behind": b"GET / HTTP/1.1 ",
    "space in target": b"GET /a b HTTP/1.1",
    "tab": b"GET\t/\tHTTP/1.1",
    "tab in target": b"GET /a\tb HTTP/1.1",
    "form feed": b"GET /\x0cHTTP/1.1",
    "vertical tab": b"GET\x0b/ HTTP/1.1",
    "bare CR": b"GET /\rHTTP/1.1",
    "CR before the line end": b"GET / HTTP/1.1\r",
    "NUL": b"GET /\0 HTTP/1.1",
    "DEL": b"GET /\x7f HTTP/1.1",
    "no-break space": b"GET\xa0/ HTTP/1.1",
    "byte beyond ASCII in target": b"GET /\xc3\xa9 HTTP/1.1",
    "byte beyond ASCII in method": b"G\xcbT / HTTP/1.1",
    "method is no token": b"GE(T / HTTP/1.1",
    "method with colon": b"GET: / HTTP/1.1",
    "no method": b" / HTTP/1.1",
    "version in lower case": b"GET / http/1.1",
    "version of two digits": b"GET / HTTP/1.10",
    "version of one digit": b"GET / HTTP/1",
    "version with a sign": b"GET / HTTP/+1.1",
    "version with leading zero": b"GET / HTTP/01.1",
    "version of other digits": b"GET / HTTP/1.\xb9",
    "no dot": b"GET / HTTP/11",
    "comma": b"GET / HTTP/1,1",
    "other protocol": b"GET / HTTPS/1.1",
    "a response": b"HTTP/1.1 200 OK",
    "TLS": b"\x16\x03\x01\x02\x00\x01",
    # Forms of the target: RFC 9112, section 3.2.
    "fragment": b"GET /a#b HTTP/1.1",
    "fragment in absolute form": b"GET http://a/#b HTTP/1.1",
    "relative": b"GET a HTTP/1.1",
    "only a query": b"GET ?a HTTP/1.1",
    "backslash": b"GET \\a HTTP/1.1",
    "* for GET": b"GET * HTTP/1.1",
    "* and more": b"OPTIONS *a HTTP/1.1",
    "authority for GET": b"GET a:80 HTTP/1.1",
    "absolute without host": b"GET http:///a HTTP/1.1",
    "absolute without anything": b"GET http:// HTTP/1.1",
    "absolute with one slash": b"GET http:/a HTTP/1.1",
    "absolute without authority": b"GET http:a HTTP/1.1",
    "other scheme": b"GET ftp://a/ HTTP/1.1",
    "javascript": b"GET javascript://a/%0aalert(1) HTTP/1.1",
    "CONNECT with path": b"CONNECT /a HTTP/1.1",
    "CONNECT without port": b"CONNECT a HTTP/1.1",
    "CONNECT with empty port": b"CONNECT a: HTTP/1.1",
    "CONNECT with port 0": b"CONNECT a:0 HTTP/1.1",
    "CONNECT with port 00": b"CONNECT a:00 HTTP/1.1",
    "CONNECT with port 65536": b"CONNECT a:65536 HTTP/1.1",
    "CONNECT with userinfo": b"CONNECT u@a:80 HTTP/1.1",
    "CONNECT with URI": b"CONNECT http://a:80 HTTP/1.1",
    "CONNECT *": b"CONNECT * HTTP/1.1",
    "CONNECT with half an address": b"CONNECT [::1:80 HTTP/1.1",
}


@pytest.mark.parametrize("line", NO_REQUEST_LINE.values(), ids=NO_REQUEST_LINE.keys())
def test_no_request_line(line: bytes) -> None:
    """What is no request line is refused; nothing in it is guessed (RFC 9112, section 3)."""
    data = b"\r\n".join([line or b"\0", b"Host: a", b"", b""])
    check_refused(data, parse_request_head, BadRequestLine, "expected")


def test_bad_request_line_tells_the_line() -> None:
    """The error has the whole line, its message a short form of it."""
    with pytest.raises(BadRequestLine, match=r"expected HTTP/1.1 or .* got 'FTP/1'") as caught:
        parse_request_head(b"GET / FTP/1\r\n\r\n")
    assert caught.value.line == "GET / FTP/1"
    with pytest.raises(BadRequestLine, match="begins with / or http://, got 'a'") as caught:
        parse_request_head(b"GET a HTTP/1.1\r\n\r\n")
    assert caught.value.line == "GET a HTTP/1.1"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "//evil.example/%2e%2e"),  # a path: what it means is not for the wire
        ("GET", "/?"),
        ("GET", "/a?b=c?d/e"),
        ("GET", '/"<>\\^`{|}'),  # no URI, but sent by browsers, and harmless for framing
        ("GET", "http://example.org"),
        ("GET", "HTTP://example.org:80/a?b"),
        ("GET", "https://[::1]:8443?b"),
        ("OPTIONS", "*"),
        ("OPTIONS", "/"),
        ("OPTIONS", "http://example.org"),
        ("CONNECT", "example.org:443"),
        ("CONNECT", "[2001:db8::1]:1"),
        ("get", "/"),  # methods are case-sensitive: another method, not GET
        ("M-SEARCH", "/"),
        ("!#$%&'*+-.^_`|~09", "/"),
    ],
)
def test_targets(method: str, target: str) -> None:
    """A target has one of the forms that its method may have (RFC 9112, section 3.2)."""
    found = understood(request(first=f"{method} {target} HTTP/1.1".encode()), parse_request_head)
    assert (found["method"], found["target"]) == (method, target)
    validate_target(method, target)


@pytest.mark.parametrize(
    "authority",
    [b"u@a", b"u:p@a", b"a:b", b"a:65536", b"[::1", b"[::::]", b"a\\b", b":80", b"a,b@c", b"a%"],
)
def test_absolute_target_with_bad_authority(authority: bytes) -> None:
    """The authority of an absolute target has the grammar of Host, without userinfo."""
    line = b"GET http://%b/ HTTP/1.1" % authority
    check_refused(request(first=line), parse_request_head, BadHost, "expected Host to be")


# Host.


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1", b"GET http://a/ HTTP/1.1"])
def test_host_is_required(first: bytes) -> None:
    """HTTP/1.1 needs Host, for an absolute target too (RFC 9112, section 3.2)."""
    message = "expected one Host field in a request, got 0"
    check_refused(first + b"\r\n\r\n", parse_request_head, BadHost, message)


@pytest.mark.parametrize("lines", [[b"Host: b"], [b"host: a"], [b"HOST:"], [b"Host: a"] * 2])
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_second_host_is_refused(lines: list[bytes], version: bytes) -> None:
    """More than one Host is refused in any version, also if they agree."""
    data = b"\r\n".join([b"GET / HTTP/" + version, b"Host: a", *lines, b"", b""])
    message = f"expected one Host field in a request, got {len(lines) + 1}"
    check_refused(data, parse_request_head, BadHost, message)


@pytest.mark.parametrize(
    "host",
    [
        b"a/b", b"a?b", b"a#b", b"a\\b", b"a b", b"u@a", b"a:b", b"a:-1", b"a:65536", b"a:80:80",
        b"[::1", b"::1", b"[]", b"[::::]", b"[1.2.3.4]", b"[::1%25eth0]", b"[::1]a", b"a, b",
        b"a\tb", b"\xc3\xa9", b":80", b"http://a", b"a:\xb2", b"a%", b"<a>", b'*"',
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_host_that_is_no_authority(host: bytes, version: bytes) -> None:
    """A Host that another reader could take for something else is refused, in any version."""
    data = b"GET / HTTP/%b\r\nHost: %b\r\n\r\n" % (version, host)
    for _ in range(2):  # the cache of hosts has no opinion of its own
        with pytest.raises(BadHost, match="expected Host to be 'name' or 'name:port'") as caught:
            parse_request_head(data)
        assert caught.value.host == host.decode("latin-1")


def test_host_may_be_empty() -> None:
    """An empty Host says that the target has no authority (RFC 9110, section 7.2)."""
    validate_host("")
    understood(b"GET / HTTP/1.1\r\nHost: \t\r\n\r\n", parse_request_head)


def test_hosts_are_cached_in_bounds() -> None:
    """However many hosts there are, few are kept."""
    cache = module._Hosts()
    for number in range(3 * cache.HOSTS):
        cache[f"host{number}"]
        assert len(cache) <= cache.HOSTS
    with pytest.raises(BadHost):
        cache["a/b"]
    assert "a/b" not in cache


# How a body is framed: RFC 9112, section 6.


@pytest.mark.parametrize(
    ("line", "length"),
    [
        (b"Content-Length: 0", 0),
        (b"content-LENGTH:5", 5),
        (b"Content-Length: \t 5 \t", 5),
        (b"Content-Length: 007", 7),
        (b"Content-Length: 999999999999999999", 10**18 - 1),
    ],
)
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_content_length(line: bytes, length: int, version: bytes) -> None:
    """Content-Length is digits."""
    data = b"\r\n".join([b"POST / HTTP/" + version, b"Host: a", line, b"", b""])
    found = understood(data, parse_request_head)
    assert (found["content_length"], found["chunked"]) == (length, False)
    found = understood(response(line), parse_response_head)
    assert (found["content_length"], found["chunked"]) == (length, False)


NO_LENGTH = [
    b"", b"+5", b"-5", b"-0", b"5_0", b"0x5", b"0b1", b"5a", b"a", b"1e3", b"5.0", b"5 5", b"5\t5",
    b"5;", b"\xb2", b"\xbd", b"1" * 19, b"0" * 20, b"9" * 5000, b"5,6", b"5, ", b",5", b",",
    b"5,,5", b'"5"', b"Infinity", b"\xa05", b"5\x85", b"5;q=1",
]  # fmt: skip


@pytest.mark.parametrize("value", NO_LENGTH)
def test_no_content_length(value: bytes) -> None:
    """Everything but up to 18 ASCII digits is refused in both directions: int() takes more."""
    line = b"Content-Length: " + value
    for data, parse in [(request(line), parse_request_head), (response(line), parse_response_head)]:
        with pytest.raises(FramingError, match=r"expected digits|differing") as caught:
            parse(data)
        assert caught.type is FramingError


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 5", b"Content-Length: 5"],
        [b"Content-Length: 5", b"content-length: 6"],
        [b"Content-Length: 5, 5"],
        [b"Content-Length: 5,5", b"A: b", b"Content-Length: 5"],
    ],
)
def test_repeated_length_in_a_request(lines: list[bytes]) -> None:
    """A client that repeats Content-Length is refused, also if it agrees with itself."""
    check_refused(request(*lines), parse_request_head, FramingError, "Content-Length")


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 5", b"Content-Length: 5"],
        [b"Content-Length: 5, 5"],
        [b"Content-Length: 5,5 ,\t5", b"A: b", b"CONTENT-LENGTH: 5"],
    ],
)
def test_repeated_length_in_a_response(lines: list[bytes]) -> None:
    """A server that repeats Content-Length is understood if it agrees (RFC 9112, section 6.3)."""
    assert understood(response(*lines), parse_response_head)["content_length"] == 5


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 5", b"Content-Length: 6"],
        [b"Content-Length: 5", b"Content-Length: 05"],
        [b"Content-Length: 5", b"Content-Length:"],
        [b"Content-Length: 5, 6"],
    ],
)
def test_differing_lengths_in_a_response(lines: list[bytes]) -> None:
    """Lengths that differ, be it in their spelling, are refused."""
    check_refused(response(*lines), parse_response_head, FramingError, "differing Content-Length")


@pytest.mark.parametrize("value", [b"chunked", b"Chunked", b"CHUNKED", b" \tchunked\t "])
def test_chunked(value: bytes) -> None:
    """Transfer-Encoding is chunked, in any case."""
    line = b"tRANSFER-eNCODING:" + value
    for data, parse in [(request(line), parse_request_head), (response(line), parse_response_head)]:
        found = understood(data, parse)  # type: ignore[arg-type]
        assert (found["content_length"], found["chunked"]) == (None, True)


# 501 where chunked comes last, else 400: RFC 9112, sections 6.1 and 6.3.
TRANSFER_ENCODINGS: list[tuple[list[bytes], type[FramingError]]] = [
    ([b""], FramingError),
    ([b","], FramingError),
    ([b"identity"], FramingError),
    ([b"gzip"], FramingError),
    ([b"xchunked"], FramingError),
    ([b"chunkedx"], FramingError),
    ([b"chunked;q=1"], FramingError),
    ([b'"chunked"'], FramingError),
    ([b"\xa0chunked"], FramingError),
    ([b"chunked\x85"], FramingError),
    ([b"chunked,"], FramingError),
    ([b", chunked"], FramingError),
    ([b"chunked, chunked"], FramingError),
    ([b"chunked", b"chunked"], FramingError),
    ([b"chunked", b""], FramingError),
    ([b"", b"chunked"], FramingError),
    ([b"chunked, gzip"], FramingError),
    ([b"chunked", b"identity"], FramingError),
    ([b"gzip", b"deflate"], FramingError),
    ([b"chunked, gzip, chunked"], FramingError),
    ([b"gzip, chunked"], UnknownTransferCoding),
    ([b"gzip", b"chunked"], UnknownTransferCoding),
    ([b"identity, chunked"], UnknownTransferCoding),
    ([b"cow ,\tChunked"], UnknownTransferCoding),
]


@pytest.mark.parametrize(("values", "error"), TRANSFER_ENCODINGS)
def test_other_transfer_encodings(values: list[bytes], error: type[FramingError]) -> None:
    """Everything but exactly one chunked is refused, in both directions, over all lines."""
    lines = [b"Transfer-Encoding: " + value for value in values]
    message = "expected Transfer-Encoding"
    check_refused(request(*lines), parse_request_head, error, message)
    check_refused(response(*lines), parse_response_head, error, message)


def test_unknown_transfer_coding_tells_the_coding() -> None:
    """The error has the whole field, as a server would log it."""
    with pytest.raises(UnknownTransferCoding) as caught:
        parse_request_head(request(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"))
    assert caught.value.coding == "gzip, chunked"
    assert caught.value.status == 501


@pytest.mark.parametrize("value", [b"chunked", b"identity", b""])
def test_transfer_encoding_in_http10(value: bytes) -> None:
    """HTTP/1.0 has no Transfer-Encoding: who sends it has another idea of the framing."""
    line = b"Transfer-Encoding: " + value
    message = "Transfer-Encoding in an HTTP/1.0 message"
    data = request(line, first=b"POST / HTTP/1.0")
    check_refused(data, parse_request_head, FramingError, message)
    data = response(line, first=b"HTTP/1.0 200 OK")
    check_refused(data, parse_response_head, FramingError, message)


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 5"],
        [b"transfer-encoding: chunked", b"CONTENT-LENGTH: 0"],
        [b"Transfer-Encoding: chunked", b"Content-Length: nonsense"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 5", b"Content-Length: 5"],
    ],
)
def test_length_and_transfer_encoding(lines: list[bytes]) -> None:
    """Content-Length with Transfer-Encoding is refused, whatever their order and values."""
    message = "both Content-Length and Transfer-Encoding in one re"
    check_refused(request(*lines), parse_request_head, FramingError, message)
    check_refused(response(*lines), parse_response_head, FramingError, message)


# Connection, Upgrade, Expect.

KEEP_ALIVE: list[tuple[bytes, list[bytes], bool]] = [
    # version, lines of Connection, is the connection kept?
    (b"1.1", [], True),
    (b"1.1", [b"keep-alive"], True),
    (b"1.1", [b"close"], False),
    (b"1.1", [b"CLOSE"], False),
    (b"1.1", [b"keep-alive, close"], False),
    (b"1.1", [b"close, keep-alive"], False),
    (b"1.1", [b"Keep-Alive", b"Close"], False),
    (b"1.1", [b"upgrade,close ,te"], False),
    (b"1.1", [b",\tcLoSe,"], False),
    (b"1.1", [b""], True),
    (b"1.1", [b"closed, not-close"], True),
    (b"1.1", [b"te", b"upgrade"], True),
    (b"1.0", [], False),
    (b"1.0", [b"keep-alive"], True),
    (b"1.0", [b"Keep-Alive"], True),
    (b"1.0", [b"KEEP-ALIVE"], True),
    (b"1.0", [b"te, keep-alive"], True),
    (b"1.0", [b"te", b"keep-alive"], True),
    (b"1.0", [b"keep-alive, close"], False),
    (b"1.0", [b"te"], False),
    (b"1.0", [b""], False),
    (b"1.0", [b"close"], False),
]


@pytest.mark.parametrize(("version", "values", "keep_alive"), KEEP_ALIVE)
def test_keep_alive(version: bytes, values: list[bytes], keep_alive: bool) -> None:
    """Connection is a list over all its lines, in any case (RFC 9112, section 9.3)."""
    lines = [b"Connection: " + value for value in values]
    data = b"\r\n".join([b"GET / HTTP/" + version, b"Host: a", *lines, b"", b""])
    assert understood(data, parse_request_head)["keep_alive"] is keep_alive
    data = response(*lines, first=b"HTTP/%b 200 OK" % version)
    assert understood(data, parse_response_head)["keep_alive"] is keep_alive


@pytest.mark.parametrize(
    ("version", "lines", "upgrade"),
    [
        (b"1.1", [b"Connection: Upgrade", b"Upgrade: websocket"], "websocket"),
        (b"1.1", [b"Connection: keep-alive, UPGRADE", b"Upgrade: h2c, x/1"], "h2c, x/1"),
        (b"1.1", [b"Connection: a", b"Connection: upgrade", b"Upgrade: a", b"Upgrade: b"], "a, b"),
        (b"1.1", [b"Upgrade: websocket"], ""),
        (b"1.1", [b"Connection: keep-alive", b"Upgrade: websocket"], ""),
        (b"1.1", [b"Connection: upgrade"], ""),
        (b"1.1", [b"Connection: upgrades", b"Upgrade: websocket"], ""),
        (b"1.0", [b"Connection: upgrade", b"Upgrade: websocket"], ""),
    ],
)
def test_upgrade(version: bytes, lines: list[bytes], upgrade: str) -> None:
    """Upgrade counts where Connection names it, in HTTP/1.1 (RFC 9110, section 7.8)."""
    data = b"\r\n".join([b"GET / HTTP/" + version, b"Host: a", *lines, b"", b""])
    assert understood(data, parse_request_head)["upgrade"] == upgrade


CONTINUE: list[tuple[bytes, list[bytes], bool]] = [
    (b"1.1", [b"Content-Length: 5", b"Expect: 100-continue"], True),
    (b"1.1", [b"Transfer-Encoding: chunked", b"Expect: 100-Continue"], True),
    (b"1.1", [b"Content-Length: 5", b"Expect: 100-continue,\t100-CONTINUE"], True),
    (b"1.1", [b"Content-Length: 5", b"Expect: 100-continue", b"Expect:"], True),
    (b"1.1", [b"Content-Length: 5", b"Expect:"], False),
    (b"1.1", [b"Content-Length: 0", b"Expect: 100-continue"], False),
    (b"1.1", [b"Expect: 100-continue"], False),
    (b"1.0", [b"Content-Length: 5", b"Expect: 100-continue"], False),
    (b"1.0", [b"Content-Length: 5", b"Expect: a-miracle"], False),
]


@pytest.mark.parametrize(("version", "lines", "expect_continue"), CONTINUE)
def test_expect_continue(version: bytes, lines: list[bytes], expect_continue: bool) -> None:
    """A client of HTTP/1.1 with a body may wait for 100 (RFC 9110, section 10.1.1)."""
    data = b"\r\n".join([b"POST / HTTP/" + version, b"Host: a", *lines, b"", b""])
    assert understood(data, parse_request_head)["expect_continue"] is expect_continue


@pytest.mark.parametrize(
    ("lines", "expectation"),
    [
        ([b"Expect: a-miracle"], "a-miracle"),
        ([b"Expect: 100-continue, a-miracle"], "a-miracle"),
        ([b"Expect: 100-continue", b"Expect: A=B"], "a=b"),
        ([b"Expect: 100-continue;q=1"], "100-continue;q=1"),
        ([b"Expect: 100"], "100"),
    ],
)
def test_unknown_expectation(lines: list[bytes], expectation: str) -> None:
    """Any other expectation is 417, not ignored."""
    with pytest.raises(UnknownExpectation) as caught:
        parse_request_head(request(*lines))
    assert caught.value.expectation == expectation
    check_refused(request(*lines), parse_request_head, UnknownExpectation, "expected Expect to be")


# Lines of a request.

NO_FIELD = "control character|white space|expected 'name: value'|token as field name|bare LF"
BAD_LINES = {
    "obs-fold": [b"A: b", b" c"],
    "obs-fold with tab": [b"A: b", b"\tc"],
    "fold of nothing": [b"A: b", b" "],
    "space before the colon": [b"A : b"],
    "no colon": [b"A"],
    "no name": [b": b"],
    "bare CR": [b"A: b\rc"],
    "CR at the end": [b"A: b\r"],
    "CR alone": [b"\r"],
    "NUL": [b"A: b\0c"],
    "vertical tab": [b"A: \x0b"],
    "DEL": [b"A: b\x7f"],
    "bare LF": [b"A: b\nC: d"],
    "two bare LFs": [b"A: b\n\nC: d"],
    "LF and CR": [b"A: b\n\rC: d"],
    "bare LF in a name": [b"A\nB: c"],
    "name beyond ASCII": [b"\xc3\xa9: b"],
    "name with parentheses": [b"A(b): c"],
    "name with space": [b"A b: c"],
    "NUL in a name": [b"A\0: b"],
}


@pytest.mark.parametrize("lines", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_bad_line_in_a_request(lines: list[bytes]) -> None:
    """A line that is no field is refused, be it known as such early or late."""
    check_refused(request(*lines), parse_request_head, InvalidHeader, NO_FIELD)
    check_refused(request(*lines, b"C: d"), parse_request_head, InvalidHeader, NO_FIELD)


@pytest.mark.parametrize(
    "line", [b" Host: a", b"\tHost: a", b" ", b"Host\x00: a", b"Host\r: a"], ids=repr
)
def test_white_space_before_the_first_field(line: bytes) -> None:
    """White space between the request line and the first field is refused (9112, 2.2)."""
    data = b"\r\n".join([b"GET / HTTP/1.1", line, b"Host: a", b"", b""])
    check_refused(data, parse_request_head, InvalidHeader, NO_FIELD)


@pytest.mark.parametrize(
    "data",
    [
        b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b" \r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_first_line_must_be_whole(data: bytes) -> None:
    """What stands around the first line must be CRLF, and nothing else."""
    check_refused(data, parse_request_head, BadRequestLine, "expected")


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"\r\n\n",
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.1\r\nHost: a\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\n",
    ],
)
def test_bare_lf_is_refused_without_waiting(data: bytes) -> None:
    """A peer that ends lines with LF need not wait for more: it is told at once."""
    for pieces in cuts(data):
        with pytest.raises(RemoteProtocolError, match="expected CRLF as line end, got a bare LF"):
            read(pieces, parse_request_head)


# What a response says.


def test_response() -> None:
    """A head says version, status, reason and fields."""
    data = (
        b"HTTP/1.1 404 Not  Found\xe9\t\r\n"
        b"Content-Length: 5\r\n"
        b"Set-Cookie: a=b\r\n"
        b"Set-Cookie: c=d\r\n"
        b"\r\n"
    )
    assert understood(data, parse_response_head) == {
        "version": HttpVersion11,
        "status": 404,
        "reason": "Not  Found\xe9\t",
        "headers": [("Content-Length", "5"), ("Set-Cookie", "a=b"), ("Set-Cookie", "c=d")],
        "keep_alive": True,
        "chunked": False,
        "content_length": 5,
    }


@pytest.mark.parametrize(
    ("line", "version", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", (1, 1), 200, "OK"),
        (b"HTTP/1.1 200 ", (1, 1), 200, ""),
        (b"HTTP/1.1 200", (1, 1), 200, ""),
        (b"HTTP/1.0 200 OK", (1, 0), 200, "OK"),
        (b"HTTP/1.2 200 OK", (1, 1), 200, "OK"),
        (b"HTTP/1.1 100 Continue", (1, 1), 100, "Continue"),
        (b"HTTP/1.1 999 ?", (1, 1), 999, "?"),
        (b"HTTP/1.1 200  a:b ", (1, 1), 200, " a:b "),
    ],
)
def test_status_line(line: bytes, version: tuple[int, int], status: int, reason: str) -> None:
    """A status line has three digits, and perhaps a reason (RFC 9112, section 4)."""
    found = understood(response(first=line), parse_response_head)
    assert (found["version"], found["status"], found["reason"]) == (version, status, reason)


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP/1.1  200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 200OK", b"HTTP/1.1 099 OK", b"HTTP/1.1 -99 OK", b"HTTP/1.1 +99 OK",
        b"HTTP/1.1 2_0 OK", b"HTTP/1.1 2\xb20 OK", b"HTTP/1.1 0x8 OK", b"HTTP/1.1\t200 OK",
        b"HTTP/1.1 200\tOK", b"HTTP/1.1 200 O\0K", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 200 O\x1bK",
        b"HTTP/1.1 200 O\x7fK", b" HTTP/1.1 200 OK", b"http/1.1 200 OK", b"HTTP/1.10 200 OK",
        b"HTTP/1 200 OK", b"ICY 200 OK", b"200 OK", b"SSH-2.0-OpenSSH_9.2", b"GET / HTTP/1.1",
        b"HTTP/1.1 200 OK\r", b"HTTP/1.1 ... OK",
    ],
)  # fmt: skip
def test_no_status_line(line: bytes) -> None:
    """What is no status line is refused."""
    check_refused(response(first=line), parse_response_head, BadStatusLine, "expected|control")


def test_bad_status_line_tells_the_line() -> None:
    """The error has the line, and as a gateway's answer it is 502."""
    with pytest.raises(BadStatusLine, match=r"with three digits, got 'HTTP/1\.1 2 OK'") as caught:
        parse_response_head(response(first=b"HTTP/1.1 2 OK"))
    assert caught.value.line == "HTTP/1.1 2 OK"
    assert caught.value.status == 502


def test_other_major_version_of_a_server() -> None:
    """A server that speaks another major version is not understood."""
    data = response(first=b"HTTP/2.0 200 OK")
    check_refused(data, parse_response_head, UnsupportedVersion, "expected HTTP/1.1 or HTTP/1.0")


@pytest.mark.parametrize("parse", [parse_request_head, parse_response_head])
@pytest.mark.parametrize("rest", [b"", b"X: a", b"X: a\r\n", b"X: a\r\n\r\nbody"])
def test_what_is_not_just_one_head(parse: Parse, rest: bytes) -> None:
    """Without the empty line at its end no head is read, and no field of it is lost."""
    first = b"HTTP/1.1 200 OK" if parse is parse_response_head else b"GET / HTTP/1.1"
    for data in (rest, first + b"\r\nHost: a\r\n" + rest):
        with pytest.raises(BadHttpMessage, match="expected a head that ends in an empty line"):
            parse(data, DEFAULT_LIMITS)


@pytest.mark.parametrize("empty", [b"\r\n", b"\n", b"\r\n\r\n"])
def test_empty_line_before_a_response(empty: bytes) -> None:
    """Nothing may stand before a status line: it would be the rest of something else."""
    for pieces in cuts(empty + response()):
        with pytest.raises(BadStatusLine):
            read(pieces, parse_response_head)


def test_bare_lf_in_a_response() -> None:
    """Between the lines of a response's head a bare LF is a line end (RFC 9112, section 2.2)."""
    data = b"HTTP/1.1 200 OK\nA: b\r\nC: d\n\n"
    assert understood(data, parse_response_head)["headers"] == [("A", "b"), ("C", "d")]
    data = b"HTTP/1.1 200 OK\n\r\n"
    assert understood(data, parse_response_head)["headers"] == []
    data = b"HTTP/1.1 200 OK\r\n\n"
    assert understood(data, parse_response_head)["headers"] == []


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        ([b"A: b", b" c"], [("A", "b c")]),
        ([b"A: b", b"\tc", b"  \t d", b"E: f"], [("A", "b c d"), ("E", "f")]),
        ([b"A:", b" b"], [("A", "b")]),
        ([b"A: b", b" ", b"C: d"], [("A", "b"), ("C", "d")]),
        ([b"A: b", b" ", b" \t", b" c"], [("A", "b   c")]),
        ([b"A: b \t", b" c"], [("A", "b \t c")]),
        ([b"A: b", b" C: d"], [("A", "b C: d")]),
        ([b"Content-Length:", b" 5"], [("Content-Length", "5")]),
    ],
)
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_obs_fold_in_a_response(
    lines: list[bytes], fields: list[tuple[str, str]], line_end: bytes
) -> None:
    """A server's folded field is one value, with a space for each fold (RFC 9112, section 5.2)."""
    data = line_end.join([b"HTTP/1.1 200 OK", *lines, b"", b""])
    assert understood(data, parse_response_head)["headers"] == fields


@pytest.mark.parametrize("line", [b" A: b", b"\tA: b", b" ", b"\t"])
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_fold_behind_the_status_line(line: bytes, line_end: bytes) -> None:
    """There is nothing that a fold behind the status line could continue."""
    data = line_end.join([b"HTTP/1.1 200 OK", line, b"C: d", b"", b""])
    message = "white space before the first field of a response"
    check_refused(data, parse_response_head, InvalidHeader, message)


@pytest.mark.parametrize(
    "name",
    [each for each in BAD_LINES if "fold" not in each and "LF" not in each],
)
def test_bad_line_in_a_response(name: str) -> None:
    """A server's lines are held to the grammar as strictly as a client's."""
    check_refused(response(*BAD_LINES[name]), parse_response_head, InvalidHeader, NO_FIELD)
    check_refused(response(*BAD_LINES[name], b"C: d"), parse_response_head, InvalidHeader, NO_FIELD)


@pytest.mark.parametrize(
    "lines", [[b"Transfer-Encoding: gzip,", b" chunked"], [b"Content-Length: 1", b" 0"]]
)
def test_folded_framing(lines: list[bytes]) -> None:
    """A fold can't hide what frames the body."""
    with pytest.raises(FramingError):
        parse_response_head(response(*lines))


# Where a head ends.


def slow_end(data: bytes) -> int:
    """Return the end of a response's head, looked for line by line."""
    position = 0
    for line in data.splitlines(keepends=True):
        position += len(line)
        if line in (b"\r\n", b"\n"):
            return position
    return -1


@given(st.lists(st.sampled_from([b"\r\n", b"\n", b"a", b" "]), max_size=12).map(b"".join))
def test_response_end_is_the_earliest(rest: bytes) -> None:
    """The first empty line ends a head, whichever line ends are mixed in it."""
    # A CR without LF is left out: splitlines() takes it for a line end, which nobody does.
    data = b"HTTP/1.1 200 OK" + rest
    end = find_response_end(data)
    assert end == slow_end(data)
    collector = HeadCollector(DEFAULT_LIMITS, is_request=False)
    assert collector.feed(data) == (None if end < 0 else (data[:end], data[end:]))


@pytest.mark.parametrize(
    "greeting",
    [b"S", b"SSH-2.0-x\r\n", b"<html>", b"\0\0\x12\x04\0\0\0\0\0", b"HTTP1", b"http/1.1", b"\r"],
)
def test_greeting_of_another_protocol(greeting: bytes) -> None:
    """Who doesn't speak HTTP/1 is refused by the first wrong byte: no end of a head may come."""
    for pieces in cuts(greeting):
        collector = HeadCollector(DEFAULT_LIMITS, is_request=False)
        with pytest.raises(BadStatusLine, match=r"expected HTTP/1\.1 or HTTP/1\.0, got b'"):
            for piece in pieces:
                assert collector.feed(piece) is None


def test_greeting_may_come_in_pieces() -> None:
    """What may still become HTTP is waited for."""
    collector = HeadCollector(DEFAULT_LIMITS, is_request=False)
    assert [collector.feed(piece) for piece in [b"H", b"TT", b"P", b"/", b"1"]] == [None] * 5


def test_request_end() -> None:
    """A request's head ends behind the first CRLF CRLF."""
    data = request(b"A: b")
    assert find_request_end(data[:-1]) == -1
    assert find_request_end(data) == len(data)
    assert find_request_end(data + NEXT) == len(data)
    assert find_request_end(b"\r\n\r\n" + data) == -1  # left to HeadCollector


@settings(max_examples=500)
@given(
    st.sampled_from([parse_request_head, parse_response_head]),
    st.lists(
        st.sampled_from([
            b"GET / HTTP/1.1", b"HTTP/1.1 200 OK", b"Host: a", b"A: b", b"Content-Length: 5",
            b"Transfer-Encoding: chunked", b"Connection: close", b"\r\n", b"\r\n", b"\r\n", b"\n",
            b"\r", b" ", b"\t", b"\0", b":", b"\r\n\r\n", b"\xff",
        ]),
        max_size=14,
    ),
    st.data(),
)  # fmt: skip
def test_any_cut_gives_the_same_verdict(
    parse: Parse, parts: list[bytes], data: st.DataObject
) -> None:
    """Whole or cut anywhere, the same bytes are the same head, the same rest, or refused."""
    first = b"GET / HTTP/1.1\r\nHost: a" if parse is parse_request_head else b"HTTP/1.1 200 OK"
    message = b"".join([data.draw(st.sampled_from([first, b"\r\n" + first, b""])), *parts])
    places = sorted(data.draw(st.sets(st.integers(0, len(message)), max_size=4)))
    bounds = [0, *places, len(message)]
    pieces = [message[a:b] for a, b in pairwise(bounds)]

    def verdict(read: Callable[[], tuple[Head, bytes] | None]) -> object:
        try:
            found = read()
        except RemoteProtocolError:
            return "refused"
        return found and (facts(found[0]), found[1])

    whole = verdict(lambda: read_whole(message, parse))
    assert verdict(lambda: read(pieces, parse)) == whole
    assert verdict(lambda: read([message[i : i + 1] for i in range(len(message))], parse)) == whole


@given(st.binary(max_size=200))
def test_nothing_but_our_errors(data: bytes) -> None:
    """Whatever comes, the outcome is a head, or an error with a status and a printable line."""
    statuses: set[int] = set()
    messages: list[str] = []
    for parse in (parse_request_head, parse_response_head):
        for message in (data, data + b"\r\n\r\n", b"GET / HTTP/1.1\r\n" + data + b"\r\n\r\n"):
            try:
                read_whole(message, parse)
            except RemoteProtocolError as exc:
                statuses.add(exc.status)
                messages.append(exc.message)
    assert statuses <= {400, 414, 417, 431, 501, 502, 505}
    assert all(map(str.isprintable, messages))


# Limits.

SMALL = Limits(line=100, field_line=60, fields=3, head=200)


def of_size(size: int, first: bytes) -> bytes:
    """Return a head of so many bytes in short lines."""
    lines = [first, b"Host: a"]
    rest = size - len(b"\r\n".join([*lines, b"A: ", b"B: ", b"", b""]))
    lines += [b"A: " + b"x" * (rest // 2), b"B: " + b"y" * (rest - rest // 2), b"", b""]
    return b"\r\n".join(lines)


AT_THE_LIMIT: dict[str, tuple[bytes, bytes, type[LimitExceeded], str, int]] = {
    # name of the limit: a head at the limit, one beyond it, the error, what its message says
    "request line": (
        request(first=b"GET /" + b"x" * 86 + b" HTTP/1.1"),
        request(first=b"GET /" + b"x" * 87 + b" HTTP/1.1"),
        TargetTooLong,
        "expected a first line of at most 100 bytes, got 101",
        414,
    ),
    "status line": (
        response(first=b"HTTP/1.1 200 " + b"x" * 87),
        response(first=b"HTTP/1.1 200 " + b"x" * 88),
        LineTooLong,
        "expected a first line of at most 100 bytes, got 101",
        431,
    ),
    "field_line": (
        request(b"A: " + b"x" * 57),
        request(b"A: " + b"x" * 58),
        LineTooLong,
        "expected a field line of at most 60 bytes, got 61",
        431,
    ),
    "fields": (
        request(b"A: b", b"C: d"),
        request(b"A: b", b"C: d", b"E: f"),
        HeadTooLarge,
        "expected at most 3 fields, got ",
        431,
    ),
    "fields of a response": (
        response(b"A: b", b" c", b"D: e"),
        response(b"A: b", b" c", b"D: e", b" f"),
        HeadTooLarge,
        "expected at most 3 fields, got ",
        431,
    ),
    "head": (
        of_size(200, b"GET /" + b"x" * 80 + b" HTTP/1.1"),
        of_size(201, b"GET /" + b"x" * 80 + b" HTTP/1.1"),
        HeadTooLarge,
        "expected a head of at most 200 bytes, got 201",
        431,
    ),
    "head of a response": (
        of_size(200, b"HTTP/1.1 200 " + b"x" * 80),
        of_size(201, b"HTTP/1.1 200 " + b"x" * 80),
        HeadTooLarge,
        "expected a head of at most 200 bytes, got 201",
        431,
    ),
    "head with bare LF": (
        of_size(203, b"HTTP/1.1 200 " + b"x" * 80).replace(b"\r\n", b"\n", 3),
        of_size(204, b"HTTP/1.1 200 " + b"x" * 80).replace(b"\r\n", b"\n", 3),
        HeadTooLarge,
        "expected a head of at most 200 bytes, got 201",
        431,
    ),
}


@pytest.mark.parametrize("name", AT_THE_LIMIT)
def test_limit(name: str) -> None:
    """Exactly the limit passes, one more is refused, whole and under every cut."""
    good, bad, error, message, status = AT_THE_LIMIT[name]
    parse: Parse = parse_response_head if good.startswith(b"HTTP") else parse_request_head
    understood(good, parse, SMALL)
    check_refused(bad, parse, error, message, SMALL)
    with pytest.raises(error) as caught:
        parse(bad, SMALL)
    assert caught.value.status == status
    assert caught.value.limit == getattr(SMALL, caught.value.name)


def test_default_limits() -> None:
    """The defaults hold at exactly their numbers."""
    long_line = b"GET /" + b"x" * (8190 - 14) + b" HTTP/1.1"
    parse_request_head(request(first=long_line))
    with pytest.raises(TargetTooLong, match="at most 8190 bytes, got 8191"):
        parse_request_head(request(first=long_line.replace(b"xx", b"xxx", 1)))
    parse_request_head(request(*[b"A: b"] * 127))
    with pytest.raises(HeadTooLarge, match="at most 128 fields, got 129"):
        parse_request_head(request(*[b"A: b"] * 128))


def test_long_target_is_414_however_long() -> None:
    """A target that is larger than a whole head may be is still answered 414."""
    data = request(first=b"GET /" + b"x" * 100_000 + b" HTTP/1.1")
    for size in (len(data), 4096, 60_000):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        with pytest.raises(TargetTooLong):
            read(pieces, parse_request_head)
    with pytest.raises(TargetTooLong):
        read_whole(data, parse_request_head)


@pytest.mark.parametrize(
    "beginning", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n"]
)
@pytest.mark.parametrize("piece", [b"x", b"x" * 1000])
def test_unfinished_head_is_bounded(beginning: bytes, piece: bytes) -> None:
    """A line that never ends is refused as soon as it is too long, and is not kept."""
    collector = HeadCollector(DEFAULT_LIMITS, is_request=True)
    collector.feed(beginning)
    with pytest.raises(LineTooLong):
        while True:
            collector.feed(piece)
    assert len(collector) <= len(beginning) + 8190 + 1 + len(piece)


def test_many_short_lines_are_bounded() -> None:
    """Fields without end are refused by their number before they are too many bytes."""
    collector = HeadCollector(DEFAULT_LIMITS, is_request=True)
    collector.feed(b"GET / HTTP/1.1\r\n")
    with pytest.raises(HeadTooLarge, match="at most 128 fields"):
        while True:
            collector.feed(b"A:\r\n")
    assert len(collector) < 1000


def test_byte_by_byte_is_linear() -> None:
    """A head in single bytes takes time in proportion to its bytes, not to their square."""

    def seconds(size: int) -> float:
        data = b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * size
        limits = replace(DEFAULT_LIMITS, field_line=2 * size, head=2 * size)
        collector = HeadCollector(limits, is_request=True)
        began = time.thread_time()
        for i in range(len(data)):
            collector.feed(data[i : i + 1])
        return time.thread_time() - began

    assert min(seconds(80_000) for _ in range(3)) < 40 * min(seconds(10_000) for _ in range(3))


# The cache of field lines.


def test_cache_changes_nothing() -> None:
    """A line means the same the first and the hundredth time, in requests and in responses."""
    data = request(b"X-Cached: a, b", b"Connection: close", b"Content-Length: 3")
    first = facts(parse_request_head(data))
    for _ in range(100):
        assert facts(parse_request_head(data)) == first
    found = facts(parse_response_head(response(b"X-Cached: a, b", b"Content-Length: 3")))
    assert found["headers"] == [("X-Cached", "a, b"), ("Content-Length", "3")]


def test_cached_spellings_stay_apart() -> None:
    """Lines that differ only in case or in white space don't answer for each other."""
    for line, field in [
        (b"X-Spelt: A", ("X-Spelt", "A")),
        (b"x-spelt: A", ("x-spelt", "A")),
        (b"X-Spelt: a", ("X-Spelt", "a")),
        (b"X-Spelt:a ", ("X-Spelt", "a")),
    ] * 2:
        assert list(parse_request_head(request(line)).headers.items())[1:] == [field]
