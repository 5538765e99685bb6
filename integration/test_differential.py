"""Our parsers beside h11 and httptools: thousands of messages, the same to all three.

Every message, generated from a fixed seed and often mutated, is read by us and by
both peers, and the outcomes are compared: accepted or refused, and if accepted,
what was understood and where the message ended. What differs must be explained by
one of ``DIFFERENCES``: a dozen classes, each with the bytes that show it, the
section of the RFC and the reason why we keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messages import PARTS, Messages
from parsers import PEERS, Case, Message, Peer, difference, read_by_us


@dataclass(frozen=True)
class Shown:
    """Bytes that show a class of difference, and what its other members have in common.

    Attributes:
        peer: whose outcome differs from ours.
        how: a pattern for ``difference``.
        where: a pattern for the bytes that give the reason: what merely comes out
            alike is not explained by it.
        case: an example.
    """

    peer: Peer
    how: str
    where: bytes
    case: Case


@dataclass(frozen=True)
class Difference:
    """One class of difference that is there to stay."""

    name: str
    section: str
    reason: str
    shown: tuple[Shown, ...]


def request(*lines: bytes, body: bytes = b"") -> Case:
    """Return a request with these lines."""
    return Case(b"".join(line + b"\r\n" for line in (*lines, b"")) + body)


def post(framing: bytes, body: bytes) -> Case:
    """Return a request with a body."""
    return request(b"POST / HTTP/1.1", b"Host: a.example", framing, body=body)


def chunked(body: bytes) -> Case:
    """Return a request with a chunked body."""
    return post(b"Transfer-Encoding: chunked", body)


def response(*lines: bytes, body: bytes = b"") -> Case:
    """Return a response with these lines."""
    return Case(request(*lines, body=body).data, is_request=False)


# Patterns of what peers and we agree on, to tell what we don't.
_IN_HEAD = rb"(?:(?!\r?\n\r?\n).)*"
_PLAIN_HOST = rb"(?:(?:[\w.\-]+|\[::1\])(?::\d{1,4})?)?"
_NO_HOST = rb"\A(?!" + _IN_HEAD + rb"\nhost:)"
_NO_PLAIN_HOST = rb"\A" + _IN_HEAD + rb"\nhost:(?![ \t]*" + _PLAIN_HOST + rb"[ \t]*\r\n)"
_SEVERAL_HOSTS = rb"\A" + _IN_HEAD + rb"\nhost:" + _IN_HEAD + rb"\nhost:"
_PLAIN_TARGET = (
    rb"(?:(?!CONNECT )[^ ]+ (?:/[!\"$-~]*|https?://[\w.\-]+(?::\d{1,4})?(?:[/?][!\"$-~]*)?)"
    rb"|CONNECT " + _PLAIN_HOST + rb"(?<=[0-9])|OPTIONS \*) HTTP"
)
_BAD_TARGET = r"(?:BadRequestLine: expected (?:a target|host:port|a host)|BadHost: ).* \| message"
_BARE_LF = rb"(?<!\r)\n"
_SEVERAL_LENGTHS = (
    rb"\ncontent-length:" + _IN_HEAD + rb"\ncontent-length:|\ncontent-length:[^\r\n]*,"
)
_TRANSFER_ENCODING = rb"\ntransfer-encoding[ \t]*:"
_UPGRADE = rb"\A(?:\r\n)?(?:CONNECT |" + _IN_HEAD + rb"\nconnection:[^\r\n]*upgrade)"
_LAST_CHUNK = rb"\n0+(?:;[^\r\n]*)?\r\n"
_CHUNKED = rb"Transfer-Encoding: chunked"
_OK = b"HTTP/1.1 200 OK"

DIFFERENCES = [
    Difference(
        "empty lines in front",
        "RFC 9112, 2.2",
        "We skip them before a request, as a server should, for clients that end a body with a "
        "CRLF too many; h11 doesn't, llhttp does before responses too, and whatever ends them.",
        (
            Shown(
                "h11",
                r"message \| no request line received",
                rb"\A\r\n",
                Case(b"\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
            ),
            Shown(
                "httptools",
                r"(?:BadRequestLine: expected a token as method|BadStatusLine: ).* \| message",
                rb"\A(?:\r\n)?[\r\n]",
                Case(b"\r\nHTTP/1.1 204 No Content\r\n\r\n", is_request=False),
            ),
        ),
    ),
    Difference(
        "versions and status codes",
        "RFC 9110, 2.5 and 15",
        "A higher minor version is served as 1.1, another major one refused with 505, a status "
        "below 100 refused; llhttp knows a list of versions and any status of three digits, h11 "
        "any version of two.",
        (
            Shown(
                "h11",
                r"both accept, other version$",
                rb"\A(?:\r\n)?[^\r\n]*HTTP/1\.[2-9]",
                request(b"GET / HTTP/1.2", b"Host: a.example"),
            ),
            Shown(
                "httptools",
                r"message \| HttpParserError: Invalid HTTP version",
                rb"\A(?:\r\n)?[^\r\n]*HTTP/1\.[2-9]",
                response(b"HTTP/1.2 200 OK"),
            ),
            Shown(
                "h11",
                r"UnsupportedVersion: .* \| message",
                rb"\A(?:\r\n)?[^\r\n]*HTTP/(?!1\.)\d\.\d",
                request(b"GET / HTTP/3.0", b"Host: a.example"),
            ),
            Shown(
                "httptools",
                r"UnsupportedVersion: .* \| message",
                rb"\A(?:\r\n)?[^\r\n]*HTTP/(?:0\.9|2\.0)",
                response(b"HTTP/2.0 200 OK"),
            ),
            Shown(
                "httptools",
                r"BadRequestLine: expected (?:'METHOD|CRLF).* \| message",
                rb"\A(?:\r\n)?[^ \r\n]+ +[^ \r\n]+ *\r?\n",
                request(b"GET /", b"Host: a.example"),
            ),
            Shown(
                "httptools",
                r"BadStatusLine: expected .* with three digits.* \| message",
                rb"\AHTTP/1\.[01] 0\d\d",
                response(b"HTTP/1.1 099 Odd"),
            ),
        ),
    ),
    Difference(
        "methods",
        "RFC 9110, 9.1",
        "Any token is a method, for the application to know; llhttp has a list.",
        (
            Shown(
                "httptools",
                r"message \| HttpParserInvalidMethodError: ",
                rb"\A(?:\r\n)?(?!(?-i:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH) )",
                request(b"BREW / HTTP/1.1", b"Host: a.example"),
            ),
        ),
    ),
    Difference(
        "target and Host",
        "RFC 9112, 3.2",
        "We check the form of a target, and that there is one valid Host, since both "
        "decide where a request goes; h11 checks their characters, llhttp does less.",
        (
            Shown(
                "h11",
                _BAD_TARGET,
                rb"\A(?:\r\n)?(?!" + _PLAIN_TARGET + rb")",
                request(b"GET example HTTP/1.1", b"Host: a.example"),
            ),
            Shown(
                "httptools",
                _BAD_TARGET,
                rb"\A(?:\r\n)?(?!" + _PLAIN_TARGET + rb")",
                request(b"GET /path#fragment HTTP/1.1", b"Host: a.example"),
            ),
            Shown(
                "h11",
                r"BadHost: expected Host to be .* \| message",
                _NO_PLAIN_HOST,
                request(b"GET / HTTP/1.1", b"Host: a.example/path"),
            ),
            Shown(
                "h11",
                r"BadHost: expected one Host .* got 0 \| message",
                rb"\A(?:\r\n)?[^\r\n]*HTTP/1\.[2-9]",
                request(b"GET / HTTP/1.2"),
            ),
            Shown(
                "httptools",
                r"BadHost: expected (?:Host to be|one Host) .* \| message",
                _NO_HOST + rb"|" + _NO_PLAIN_HOST + rb"|" + _SEVERAL_HOSTS,
                request(b"GET / HTTP/1.1", b"Host: a.example", b"Host: b.example"),
            ),
        ),
    ),
    Difference(
        "Expect",
        "RFC 9110, 10.1.1",
        "An expectation that nobody can meet is answered 417; the peers leave it to others.",
        tuple(
            Shown(
                peer,
                r"UnknownExpectation: .* \| message",
                rb"\nexpect:(?![ \t]*100-continue[ \t]*\r\n)",
                request(b"GET / HTTP/1.1", b"Host: a.example", b"Expect: 200-ok"),
            )
            for peer in PEERS
        ),
    ),
    Difference(
        "Content-Length",
        "RFC 9112, 6.3",
        "Repeated with one value it is refused in requests and taken once in responses; "
        "more than 18 digits are refused. h11 takes it once in both, llhttp in neither.",
        (
            Shown(
                "h11",
                r"FramingError: expected (?:one|digits as) Content-Length.* \| message",
                _SEVERAL_LENGTHS,
                post(b"Content-Length: 5\r\nContent-Length: 5", b"hello"),
            ),
            Shown(
                "httptools",
                r"message \| HttpParserError: (?:Duplicate|Invalid character in) Content-Length",
                _SEVERAL_LENGTHS,
                response(_OK, b"Content-Length: 5, 5", body=b"hello"),
            ),
            *(
                Shown(
                    peer,
                    r"FramingError: expected digits as Content-Length.* \| message",
                    rb"\ncontent-length:[ \t]*\d{19,}[ \t]*\r?\n",
                    post(b"Content-Length: 0000000000000000005", b"hello"),
                )
                for peer in PEERS
            ),
        ),
    ),
    Difference(
        "Transfer-Encoding",
        "RFC 9112, 6.1",
        "It is exactly chunked, in HTTP/1.1, without Content-Length. h11 lets it win over "
        "Content-Length; both peers take it in HTTP/1.0; llhttp ignores what it doesn't "
        "know, and chunked beside a tab, and then reads other bodies than we do.",
        (
            *(
                Shown(
                    peer,
                    r"FramingError: Transfer-Encoding in an HTTP/1.0 message \| message",
                    rb"\A(?:\r\n)?[^\r\n]*HTTP/1\.0.*" + _TRANSFER_ENCODING,
                    request(b"POST / HTTP/1.0", _CHUNKED, body=b"0\r\n\r\n"),
                )
                for peer in PEERS
            ),
            Shown(
                "h11",
                r"FramingError: both Content-Length and Transfer-Encoding .* \| message",
                _TRANSFER_ENCODING,
                post(b"Content-Length: 5\r\n" + _CHUNKED, b"0\r\n\r\n"),
            ),
            Shown(
                "httptools",
                r"(?:UnknownTransferCoding: |FramingError: expected Transfer).* \| message",
                _TRANSFER_ENCODING,
                response(_OK, b"Transfer-Encoding: gzip"),
            ),
            Shown(
                "httptools",
                r"both accept, other body|.* \| message|message \| .*Transfer-Encoding",
                rb"\ntransfer-encoding: *\t|\ntransfer-encoding: *chunked *\t",
                response(_OK, b"Transfer-Encoding: chunked\t", body=b"0\r\n\r\n"),
            ),
        ),
    ),
    Difference(
        "ends, folds and gaps of lines",
        "RFC 9112, 2.2, 3 and 5.2",
        "A bare LF and a folded value are accepted in the head of a response, and nowhere "
        "else; h11 takes both in requests and in trailers too, llhttp takes neither, but "
        "several spaces in a request line.",
        (
            Shown(
                "h11",
                r"(?:BadRequestLine: expected (?:'METHOD|CRLF|HTTP/)|InvalidHeader: ).* \| message",
                _BARE_LF,
                Case(b"GET / HTTP/1.1\nHost: a.example\n\nGET /next HTTP/1.1\r\n\r\n"),
            ),
            Shown(
                "httptools",
                r"message \| HttpParser",
                _BARE_LF,
                response(b"HTTP/1.1 200 OK\nContent-Length: 0"),
            ),
            Shown(
                "h11",
                r"InvalidHeader: .* \| message",
                rb"\r\n[ \t]",
                request(b"GET / HTTP/1.1", b"Host: a.example", b"X: a", b" b"),
            ),
            Shown(
                "httptools",
                r"message \| HttpParserError: (?:Unexpected whitespace|Invalid header value char)",
                rb"\r\n[ \t]",
                response(_OK, b"X: a", b" b"),
            ),
            Shown(
                "httptools",
                r"BadRequestLine: expected 'METHOD.* \| message",
                rb"\A(?:\r\n)?[^\r\n]*  ",
                request(b"GET  / HTTP/1.1", b"Host: a.example"),
            ),
        ),
    ),
    Difference(
        "control characters",
        "RFC 9110, 5.5",
        "In values and reason phrases we refuse them all; h11 refuses NUL, CR and LF, llhttp "
        "takes them in reason phrases.",
        (
            Shown(
                "h11",
                r"(?:InvalidHeader|BadStatusLine): control character .* \| message",
                rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]",
                request(b"GET / HTTP/1.1", b"Host: a.example", b"X: \x7f"),
            ),
            Shown(
                "httptools",
                r"BadStatusLine: control character .* \| message",
                rb"\A[^\r\n]*[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]",
                response(b"HTTP/1.1 200 \x00"),
            ),
        ),
    ),
    Difference(
        "chunk lines",
        "RFC 9112, 7.1.1",
        "We read extensions by their grammar, with white space around ; and =, and sizes "
        "of up to 16 digits; h11 skips extensions, and neither takes white space.",
        (
            Shown(
                "h11",
                r"ChunkError: expected 1 to 16 hex digits .* \| message",
                rb"\n[0-9A-Fa-f]+(?:[ \t]*;|[ \t]+\r\n)|\n[0-9A-Fa-f]{17,20}\r\n",
                chunked(b"5;a b\r\nhello\r\n0\r\n\r\n"),
            ),
            Shown(
                "httptools",
                r"ChunkError: expected 1 to 16 hex digits .* \| message",
                rb"\n[0-9A-Fa-f]+[ \t]*;|\n[0-9A-Fa-f]{17,}\r\n",
                chunked(b"00000000000000000\r\n\r\n"),
            ),
            *(
                Shown(
                    peer,
                    r"message \| (?:illegal chunk header|.*Invalid character in chunk size)",
                    rb"\n[0-9A-Fa-f]+[ \t]+;|;[ \t]|[ \t]=|=[ \t]",
                    chunked(b"5 ;a\r\nhello\r\n0\r\n\r\n"),
                )
                for peer in PEERS
            ),
        ),
    ),
    Difference(
        "trailers",
        "RFC 9110, 6.5.1",
        "Fields that frame, route or authenticate are refused as trailers, each line when it "
        "comes; the peers leave the first to their callers, and h11 waits for the last.",
        (
            *(
                Shown(
                    peer,
                    r"InvalidHeader: field .* must not come as a trailer \| message",
                    _LAST_CHUNK
                    + rb"(?:.*\r\n)*?(?:content-length|host|set-cookie|connection|expect):",
                    chunked(b"0\r\nSet-Cookie: a=b\r\n\r\n"),
                )
                for peer in PEERS
            ),
            Shown(
                "h11",
                r"InvalidHeader: .* \| message",
                _LAST_CHUNK + rb"(?:(?!\r\n\r\n).)+\Z",
                chunked(b"0\r\nX\r\n"),
            ),
        ),
    ),
    Difference(
        "upgrades",
        "RFC 9110, 7.8",
        "A request to upgrade has a body like any other, for most are refused (as in "
        "CVE-2026-69243); llhttp hands over whatever follows the head. Whether a 101 was asked "
        "for is for our connection to know.",
        (
            Shown(
                "h11",
                r"message \| Received server _SWITCH_UPGRADE event",
                rb"\AHTTP/1\.\d 101",
                response(b"HTTP/1.1 101 Switching Protocols"),
            ),
            Shown(
                "httptools",
                r"message \| HttpParserError: Pause on CONNECT/Upgrade",
                rb"\AHTTP/1\.\d 101",
                response(b"HTTP/1.1 101 Switching Protocols"),
            ),
            Shown(
                "httptools",
                r"both accept, other (?:body|trailers|end)|"
                r"(?:ChunkError|InvalidHeader|FramingError|UnknownTransferCoding): .* \| message",
                _UPGRADE,
                request(
                    b"GET / HTTP/1.1",
                    b"Host: a.example",
                    b"Connection: upgrade",
                    b"Upgrade: websocket",
                    b"Content-Length: 5",
                    body=b"hello",
                ),
            ),
        ),
    ),
]


def explanations(peer: Peer, case: Case, how: str) -> list[str]:
    """Return the classes that explain a difference."""
    return [
        known.name
        for known in DIFFERENCES
        for shown in known.shown
        if shown.peer == peer
        and re.match(shown.how, how, re.DOTALL)
        and re.search(shown.where, case.data, re.IGNORECASE | re.DOTALL)
    ]


def unexplained(case: Case) -> Iterator[str]:
    """Yield one text for each peer that disagrees with us for no known reason."""
    ours = read_by_us(case)
    for peer, read in PEERS.items():
        if peer == "httptools" and case.method != "GET":
            continue  # it can't be told what a response answers
        theirs = read(case)
        how = difference(ours, theirs)
        if how and not explanations(peer, case, how):
            yield f"{peer}: {how}\n  {case}\n  ours: {ours}\n  theirs: {theirs}"


@pytest.mark.parametrize("requests", [True, False], ids=["requests", "responses"])
@pytest.mark.parametrize("seed", range(4))
def test_generated_messages(seed: int, requests: bool) -> None:
    """What a message means to us it means to both peers, or the reason why not is known."""
    cases = islice(Messages(seed, requests=requests), 4000)
    assert not list(islice(chain.from_iterable(map(unexplained, cases)), 5))


@pytest.mark.parametrize("requests", [True, False], ids=["requests", "responses"])
def test_generated_messages_are_worth_comparing(requests: bool) -> None:
    """Among what is generated, enough is accepted and enough refused, by all three."""
    cases = list(islice(Messages(0, requests=requests), 1000))
    for read in (read_by_us, *PEERS.values()):
        accepted = sum(isinstance(read(case), Message) for case in cases)
        assert 300 < accepted < 700


@settings(derandomize=True, database=None, deadline=None, max_examples=400)
@given(st.lists(st.sampled_from(PARTS), max_size=12), st.booleans())
def test_parts_in_any_order(parts: list[str], is_request: bool) -> None:
    """Parts of messages mean the same to us and to both peers, in whatever order they come."""
    first = "GET / HTTP/1.1\r\nHost: a.example\r\n" if is_request else "HTTP/1.1 200 OK\r\n"
    for text in ("".join(parts), first + "".join(parts)):
        assert not list(unexplained(Case(text.encode("latin-1"), is_request)))


def test_a_dozen_differences() -> None:
    """The list of lasting differences stays as short as it is, with names of its own."""
    assert len({known.name for known in DIFFERENCES}) == len(DIFFERENCES) <= 12


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        pytest.param(known, shown, id=f"{known.name}-{shown.peer}-{index}")
        for known in DIFFERENCES
        for index, shown in enumerate(known.shown)
    ],
)
def test_difference(known: Difference, shown: Shown) -> None:
    """The bytes that show a difference show just that one, still."""
    how = difference(read_by_us(shown.case), PEERS[shown.peer](shown.case))
    assert re.match(shown.how, how)
    assert set(explanations(shown.peer, shown.case, how)) == {known.name}
