"""Heads that go out: as they were given, or not at all."""

from __future__ import annotations

import http
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, istr

from aiohttp.protocol.errors import LocalProtocolError, RemoteProtocolError
from aiohttp.protocol.http1 import encode as module
from aiohttp.protocol.http1.encode import (
    CONTINUE,
    EncodedFields,
    encode_fields,
    encode_plain_fields,
    encode_request_line,
    encode_status_line,
    reason_of,
)
from aiohttp.protocol.http1.head import (
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
    parse_request_head,
    parse_response_head,
    validate_target,
)

INJECTIONS = ["a\r\nEvil: 1", "a\nEvil: 1", "a\rEvil: 1", "a\0", "\r\n", "a\x1b[31m", "a\x7f"]
NOT_LATIN_1 = ["\u20ac", "a\u010a", "\u560d\u560a", "\u2028", "\ud800", "\U0001f600"]


class Sly(str):
    """A str that looks fine, and shows itself otherwise."""

    __slots__ = ()

    def __str__(self) -> str:
        return "x\r\nEvil: 1"

    def __format__(self, spec: str) -> str:
        return str(self)


class Name(str, Enum):  # noqa: UP042 - a StrEnum shows its value, this one its name
    """An enumeration whose members are str."""

    VALUE = "value"


# Request lines.


@pytest.mark.parametrize(
    ("method", "target", "version", "line"),
    [
        ("GET", "/", HttpVersion11, b"GET / HTTP/1.1\r\n"),
        ("GET", "/", HttpVersion10, b"GET / HTTP/1.0\r\n"),
        ("get", "/a?b=%20", HttpVersion11, b"get /a?b=%20 HTTP/1.1\r\n"),
        ("OPTIONS", "*", HttpVersion11, b"OPTIONS * HTTP/1.1\r\n"),
        ("CONNECT", "[::1]:443", HttpVersion11, b"CONNECT [::1]:443 HTTP/1.1\r\n"),
        ("GET", "http://a:80/?b", HttpVersion11, b"GET http://a:80/?b HTTP/1.1\r\n"),
        (http.HTTPMethod.POST, "/", HttpVersion11, b"POST / HTTP/1.1\r\n"),
    ],
)
def test_request_line(method: str, target: str, version: HttpVersion, line: bytes) -> None:
    """A request line is method, target and version, HTTP/1.1 by default."""
    assert encode_request_line(method, target, version) == line
    if version is HttpVersion11:
        assert encode_request_line(method, target) == line


@pytest.mark.parametrize("method", ["", " ", "GET ", "G T", "GET\t", "G:T", "GÉT", *INJECTIONS])
def test_method_that_can_not_be_sent(method: str) -> None:
    """A method that is no token is refused, so that nothing can hide in it."""
    with pytest.raises(LocalProtocolError, match="a method must be a token such as 'GET', not '"):
        encode_request_line(method, "/")


@pytest.mark.parametrize(
    "target", ["", "/ ", "/a b", "/é", "/a#b", "/\xa0", *(f"/{each}" for each in INJECTIONS)]
)
def test_target_that_can_not_be_sent(target: str) -> None:
    """A target with white space, controls, a fragment or more than ASCII is refused."""
    with pytest.raises(LocalProtocolError, match="expected a target "):
        encode_request_line("GET", target)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "*"),
        ("GET", "a"),
        ("GET", "?a"),
        ("GET", "a:80"),
        ("GET", "ftp://a/"),
        ("GET", "http://u:p@a/"),
        ("GET", "http:///"),
        ("GET", "http://[::::]/"),
        ("CONNECT", "/"),
        ("CONNECT", "a"),
        ("CONNECT", "a:0"),
        ("CONNECT", "http://a:80"),
    ],
)
def test_form_of_target_that_can_not_be_sent(method: str, target: str) -> None:
    """What our own server would refuse is not sent, either."""
    with pytest.raises(LocalProtocolError, match="expected "):
        encode_request_line(method, target)
    with pytest.raises(RemoteProtocolError):
        validate_target(method, target)


@pytest.mark.parametrize("version", [(2, 0), (1, 2), (0, 9), "1.1", "1.1\r\nEvil: 1", None])
def test_version_that_can_not_be_sent(version: object) -> None:
    """Only HTTP/1.1 and HTTP/1.0 are spoken."""
    with pytest.raises(LocalProtocolError, match=r"a version must be \(1, 1\) or \(1, 0\), not "):
        encode_request_line("GET", "/", version)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [None, 5, b"GET", ["GET"]])
def test_request_line_takes_only_str(value: object) -> None:
    """Another type is refused by name."""
    kind = type(value).__name__
    with pytest.raises(LocalProtocolError, match=f"a method must be str, not {kind}"):
        encode_request_line(value, "/")  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match=f"a target must be str, not {kind}"):
        encode_request_line("GET", value)  # type: ignore[arg-type]


# Status lines.


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        (200, None, b"HTTP/1.1 200 OK\r\n"),
        (200, "", b"HTTP/1.1 200 \r\n"),
        (200, "Fine, thanks", b"HTTP/1.1 200 Fine, thanks\r\n"),
        (404, "caf\xe9\t", b"HTTP/1.1 404 caf\xe9\t\r\n"),
        (http.HTTPStatus.NOT_FOUND, None, b"HTTP/1.1 404 Not Found\r\n"),
        (http.HTTPStatus.NOT_FOUND, "no", b"HTTP/1.1 404 no\r\n"),
        (599, None, b"HTTP/1.1 599 \r\n"),
        (100, "x", b"HTTP/1.1 100 x\r\n"),
        (999, "x", b"HTTP/1.1 999 x\r\n"),
    ],
)
def test_status_line(status: int, reason: str | None, line: bytes) -> None:
    """A status line is status and reason; the space stays where there is no reason."""
    assert encode_status_line(status, reason) == line


RFC_9110 = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
"""Reason phrases that Python's registry called otherwise before 3.13."""


@pytest.mark.parametrize("status", http.HTTPStatus)
def test_reasons(status: http.HTTPStatus) -> None:
    """Without a reason the registered one is sent."""
    assert reason_of(status) == RFC_9110.get(status, status.phrase)
    assert (
        encode_status_line(status)
        == f"HTTP/1.1 {status:d} {RFC_9110.get(status, status.phrase)}\r\n".encode()
    )


def test_unknown_status_has_no_reason() -> None:
    """A status that nobody registered has an empty reason."""
    assert reason_of(599) == ""


def test_continue() -> None:
    """100 Continue is a whole response head."""
    assert encode_status_line(100) + b"\r\n" == CONTINUE


@pytest.mark.parametrize("reason", [*INJECTIONS, *NOT_LATIN_1])
def test_reason_that_can_not_be_sent(reason: str) -> None:
    """A control character in a reason, or one beyond ISO-8859-1, is refused."""
    with pytest.raises(LocalProtocolError, match="in a reason phrase: expected printable ISO-88"):
        encode_status_line(200, reason)


@pytest.mark.parametrize("status", [0, 99, 1000, -200, "200", "200\r\n", None, 200.5, b"200"])
def test_status_that_can_not_be_sent(status: object) -> None:
    """A status is a number of three digits."""
    for reason in (None, "OK"):
        with pytest.raises(LocalProtocolError, match="a number from 100 to 999, not "):
            encode_status_line(status, reason)  # type: ignore[arg-type]


def test_reason_must_be_str() -> None:
    """Bytes are no reason."""
    with pytest.raises(LocalProtocolError, match="a reason phrase must be str, not bytes"):
        encode_status_line(200, b"OK")  # type: ignore[arg-type]


# Fields.


def test_fields_go_out_as_they_are() -> None:
    """Order, spelling and repetition are kept."""
    fields = [("B", "2"), ("a", "1"), ("B", "caf\xe9\t;"), ("X-Empty", "")]
    block = b"B: 2\r\na: 1\r\nB: caf\xe9\t;\r\nX-Empty: \r\n"
    for given_fields in (fields, tuple(fields), iter(fields), CIMultiDict(fields).items()):
        assert encode_fields(given_fields) == EncodedFields(block)
    assert encode_plain_fields(fields) == block


def test_no_fields() -> None:
    """No fields are an empty block."""
    assert encode_fields([]) == EncodedFields(b"")
    assert encode_plain_fields([]) == b""


@pytest.mark.parametrize("value", [*INJECTIONS, *NOT_LATIN_1, " a", "a ", "\ta", "\r"])
@pytest.mark.parametrize("name", ["X-A", "Host", "Content-Length", "Cookie", "Connection"])
def test_value_that_can_not_be_sent(name: str, value: str) -> None:
    """A value that would be more than one value on the wire is refused, for any field."""
    for encode in (encode_fields, encode_plain_fields):
        for _ in range(2):
            with pytest.raises(LocalProtocolError, match="value of field"):
                encode([("A", "b"), (name, value)])


@pytest.mark.parametrize(
    "name", ["", " ", "A ", " A", "A:", "A\tB", "A(b)", "\xc4", "\u212a", "A\n", *INJECTIONS]
)
def test_name_that_can_not_be_sent(name: str) -> None:
    """A name that is no token is refused."""
    for _ in range(2):
        with pytest.raises(LocalProtocolError, match="a field name must be a token"):
            encode_fields([(name, "b")])


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (("A", 5), r"a field value must be str, not int \(field 'A'\)"),
        (("A", None), "a field value must be str, not NoneType"),
        (("A", b"b"), "a field value must be str, not bytes"),
        ((b"A", "b"), "a field name must be str, not bytes"),
        ((5, "b"), "a field name must be str, not int"),
        (("A", ["b"]), "fields must be pairs of str"),
        (("A",), "fields must be pairs of str"),
        (("A", "b", "c"), "fields must be pairs of str"),
        (["A", "b"], "fields must be pairs of str"),
        ("Ab", "fields must be pairs of str"),
        (b"Ab", "fields must be pairs of str"),
        (None, "fields must be pairs of str"),
    ],
)
def test_fields_are_pairs_of_str(field: object, message: str) -> None:
    """Everything else is refused by name: nothing is converted."""
    with pytest.raises(LocalProtocolError, match=message):
        encode_fields([field])  # type: ignore[list-item]


def test_what_was_validated_is_sent() -> None:
    """How a subclass of str shows itself plays no part: its characters are sent."""
    sly = Sly("fine")
    assert encode_fields([("A", sly), ("Server", sly)]).block == b"A: fine\r\nServer: fine\r\n"
    assert encode_fields([(Sly("Name"), "b")]).block == b"Name: b\r\n"
    assert encode_fields([("A", Name.VALUE)]).block == b"A: value\r\n"
    assert encode_request_line(Sly("GET"), Sly("/a")) == b"GET /a HTTP/1.1\r\n"
    assert encode_status_line(200, sly) == b"HTTP/1.1 200 fine\r\n"
    assert encode_fields([(istr("Content-Type"), "b")]).block == b"Content-Type: b\r\n"


# What frames the message.


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ([("Content-Length", "5")], EncodedFields(b"", content_length=5)),
        ([("content-LENGTH", "0")], EncodedFields(b"", content_length=0)),
        ([("Content-Length", "5")] * 2, EncodedFields(b"", content_length=5)),
        ([("Transfer-Encoding", "chunked")], EncodedFields(b"", is_chunked=True)),
        ([("transfer-encoding", "Chunked")], EncodedFields(b"", is_chunked=True)),
        ([("Connection", "Close, TE")], EncodedFields(b"", connection=("close", "te"))),
        (
            [("Connection", "a"), ("connection", "B")],
            EncodedFields(b"", connection=("a", "b")),
        ),
        ([("Date", "today")], EncodedFields(b"Date: today\r\n", has_date=True)),
        ([("SERVER", "a/1")], EncodedFields(b"SERVER: a/1\r\n", has_server=True)),
        ([("Host", "a:80")], EncodedFields(b"Host: a:80\r\n", has_host=True)),
        ([("Host", "")], EncodedFields(b"Host: \r\n", has_host=True)),
        (
            [("A", "b"), ("Content-Length", "5"), ("C", "d"), ("Connection", "close")],
            EncodedFields(b"A: b\r\nC: d\r\n", content_length=5, connection=("close",)),
        ),
    ],
)
def test_framing_is_taken_out(fields: list[tuple[str, str]], found: EncodedFields) -> None:
    """What frames the message is no line but a fact: the connection writes it, once."""
    for _ in range(2):  # the second time from the cache
        assert encode_fields(fields) == found
        assert encode_plain_fields(fields) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([("Content-Length", "+5")], "Content-Length must be one decimal number, not '\\+5'"),
        ([("Content-Length", "")], "one decimal number"),
        ([("Content-Length", "5_0")], "one decimal number"),
        ([("Content-Length", "0x5")], "one decimal number"),
        ([("Content-Length", "\xb2")], "one decimal number"),
        ([("Content-Length", "5, 5")], "one decimal number"),
        ([("Content-Length", "1" * 19)], "one decimal number"),
        ([("Content-Length", "5"), ("content-length", "6")], "one decimal number, not '5, 6'"),
        ([("Transfer-Encoding", "gzip")], "Transfer-Encoding must be exactly chunked, not 'gzip'"),
        ([("Transfer-Encoding", "gzip, chunked")], "exactly chunked"),
        ([("Transfer-Encoding", "chunked")] * 2, "exactly chunked"),
        ([("Transfer-Encoding", "identity")], "exactly chunked"),
        ([("Transfer-Encoding", "")], "exactly chunked"),
        (
            [("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
            "Content-Length and Transfer-Encoding exclude each other",
        ),
        ([("Host", "a"), ("host", "a")], "more than one Host in a request"),
        ([("Host", "a/b")], "Host must be 'name' or 'name:port', not 'a/b'"),
        ([("Host", "u@a")], "Host must be"),
        ([("Host", "[::::]")], "Host must be"),
    ],
)
def test_contradictions_are_not_sent(fields: list[tuple[str, str]], message: str) -> None:
    """What a peer would have to refuse is refused here, every time."""
    for _ in range(2):
        with pytest.raises(LocalProtocolError, match=message):
            encode_fields(fields)


# The cache of lines.


def lines() -> dict[tuple[str, str], bytes]:
    """Return the cache of lines."""
    cache = module._line_of.__self__  # type: ignore[attr-defined]
    assert isinstance(cache, dict)
    return cache


@given(
    st.tuples(
        st.sampled_from(["A", "a", "Host", "Content-Length", "Connection", "", "A b"]) | st.text(),
        st.sampled_from(["5", "a", "close", "a\r\nb", " a"]) | st.text(),
    )
)
def test_cache_changes_no_verdict(field: tuple[str, str]) -> None:
    """The first, the second, and the first time after forgetting all, the outcome is the same."""

    def outcome() -> EncodedFields | str:
        try:
            return encode_fields([field])
        except LocalProtocolError as exc:
            return exc.message

    first = outcome()
    assert outcome() == first
    lines().clear()
    assert outcome() == first


@pytest.mark.parametrize(
    "name",
    ["Authorization", "PROXY-AUTHORIZATION", "Cookie", "Set-Cookie", "X-Api-Key", "X-Auth-Token"],
)
def test_secrets_are_not_kept(name: str) -> None:
    """Credentials don't stay in memory for longer than their message."""
    assert encode_fields([(name, "secret")]).block == f"{name}: secret\r\n".encode()
    assert (name, "secret") not in lines()


@pytest.mark.parametrize("name", ["X-Long", "Connection", "Content-Length", "Server", "Date"])
def test_long_fields_are_not_kept(name: str) -> None:
    """The cache is bounded in bytes, too, whatever the field is."""
    value = "1" * 300
    try:
        encode_fields([(name, value)])
    except LocalProtocolError:
        assert name == "Content-Length"
    assert (name, value) not in lines()


def test_cache_is_bounded() -> None:
    """However many fields are sent, few are kept."""
    cache = module._Lines()
    for number in range(3 * cache.LINES):
        cache["A", str(number)]
        assert len(cache) <= cache.LINES


# There and back.

TOKENS = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=20)
VALUES = st.text(
    st.characters(max_codepoint=0xFF, exclude_categories=["Cc"]) | st.just("\t"), max_size=40
).map(lambda value: value.strip(" \t"))
FIELDS = st.lists(
    st.tuples(
        TOKENS.filter(lambda name: name.lower() not in {"te", "host"}).map(lambda n: f"X-{n}"),
        VALUES,
    ),
    max_size=8,
)


@given(TOKENS, st.text("/?=&%aZ.~", max_size=20), FIELDS)
def test_request_round_trip(method: str, target: str, fields: list[tuple[str, str]]) -> None:
    """What is encoded is what is understood on the other side."""
    host = ("Host", "example.org:8080")
    data = encode_request_line(method, "/" + target) + encode_fields([host, *fields]).block
    head = parse_request_head(data + b"\r\n")
    assert (head.method, head.target, head.version) == (method, "/" + target, HttpVersion11)
    assert list(head.headers.items()) == [host, *fields]


@given(
    st.integers(100, 999),
    st.none() | st.text(st.characters(max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=30),
    FIELDS,
)
def test_response_round_trip(
    status: int, reason: str | None, fields: list[tuple[str, str]]
) -> None:
    """What a server encodes is what a client understands, with the reason."""
    data = encode_status_line(status, reason) + encode_fields(fields).block + b"\r\n"
    head = parse_response_head(data)
    assert head.status == status
    assert head.reason == (reason_of(status) if reason is None else reason)
    assert list(head.headers.items()) == fields


@given(st.text(max_size=8), st.text(max_size=12))
def test_whatever_is_sent_is_understood(method: str, target: str) -> None:
    """Our server accepts each request line that our client sends, and understands the same."""
    try:
        line = encode_request_line(method, target)
    except LocalProtocolError:
        return
    head = parse_request_head(line + b"Host: a\r\n\r\n")
    assert (head.method, head.target) == (method, target)


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=8)), max_size=3))
def test_whatever_fields_are_sent_are_understood(fields: list[tuple[str, str]]) -> None:
    """No field that can be sent makes another field, or becomes another one."""
    try:
        encoded = encode_fields(fields)
    except LocalProtocolError:
        return
    head = parse_response_head(b"HTTP/1.1 200 OK\r\n" + encoded.block + b"\r\n")
    assert list(head.headers.items()) == fields
