"""Read the head of a request or of a response (RFC 9112, sections 2 to 6).

Pure: a whole head as bytes in, one object out. What smuggling lives on is an
error (see the table in the package's README): nothing is guessed, nothing is
repaired, but for what RFC 9112 lets a client accept from an old server.

How it is fast stands in ``lines``: a head without anything unusual takes a short
way, every other one the ordinary way, and both come to the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from multidict import CIMultiDict, CIMultiDictProxy, istr

from ..errors import (
    BadHost,
    BadHttpMessage,
    BadRequestLine,
    BadStatusLine,
    FramingError,
    HeadTooLarge,
    InvalidHeader,
    LineTooLong,
    RemoteProtocolError,
    TargetTooLong,
    UnknownExpectation,
    UnknownTransferCoding,
    UnsupportedVersion,
)
from ..headers import (
    is_token,
    list_members,
    parse_field_line,
    shown,
    split_authority,
)
from ..limits import DEFAULT_LIMITS, Limits
from .lines import plain_parts

__all__ = [
    "HeadCollector",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "RequestHead",
    "ResponseHead",
    "find_request_end",
    "find_response_end",
    "known_request_head",
    "parse_request_head",
    "parse_response_head",
    "refused_request_head",
    "take_request_head",
    "validate_host",
    "validate_target",
]


_T = TypeVar("_T")


class HttpVersion(NamedTuple):
    """A version of HTTP, such as ``HttpVersion(1, 1)``; compares as a pair."""

    major: int
    minor: int


HttpVersion10 = HttpVersion(1, 0)
HttpVersion11 = HttpVersion(1, 1)

_VERSIONS = {"HTTP/1.1": HttpVersion11, "HTTP/1.0": HttpVersion10}
# A higher minor version is served as the highest we know (RFC 9110, section 2.5).
_VERSIONS.update({f"HTTP/1.{minor}": HttpVersion11 for minor in range(2, 10)})

# Those of the registry whose target is a path. Any other is looked at more closely.
_USUAL_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"}

_CR = ord("\r")
_HTTP = b"HTTP/"  # what a response begins with

_CONNECTION = istr("Connection")
_CONTENT_LENGTH = istr("Content-Length")
_CONTENT_TYPE = istr("Content-Type")
_EXPECT = istr("Expect")
_HOST = istr("Host")
_TRANSFER_ENCODING = istr("Transfer-Encoding")
_UPGRADE = istr("Upgrade")

# Values of Connection that nearly every message has: no list to take apart.
_ONLY_KEEP_ALIVE = frozenset({"keep-alive", "Keep-Alive", "Keep-alive"})


class RequestHead:
    """The head of a request. Not to be changed: requests that say the same share one.

    Attributes:
        method: as it came; methods are case-sensitive (RFC 9110, section 9.1).
        target: as it came, in one of the forms of RFC 9112, section 3.2: printable
            ASCII without fragment.
        version: of the client; 1.2 to 1.9 count as 1.1.
        headers: the fields in order, with their original spelling, read-only.
        keep_alive: whether the client would use the connection again.
        chunked: whether the body has chunked framing.
        content_length: what the client announced, in bytes, or None.
        upgrade: the Upgrade field where Connection names it, else "".
        expect_continue: whether the client waits for ``100 Continue``.
        derived: what others have made of all this, each by a key of their own, and find
            again in the next request that says the same; None where nobody remembers it.
    """

    __slots__ = (
        "chunked",
        "content_length",
        "derived",
        "expect_continue",
        "headers",
        "keep_alive",
        "method",
        "target",
        "upgrade",
        "version",
    )

    def __init__(  # noqa: PLR0917 - by position is 0.2 µs faster, and only the parser calls it
        self,
        method: str,
        target: str,
        version: HttpVersion,
        headers: CIMultiDictProxy[str],
        keep_alive: bool = True,
        chunked: bool = False,
        content_length: int | None = None,
        upgrade: str = "",
        expect_continue: bool = False,
    ) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.keep_alive = keep_alive
        self.chunked = chunked
        self.content_length = content_length
        self.upgrade = upgrade
        self.expect_continue = expect_continue
        self.derived: dict[object, Any] | None = None

    def __repr__(self) -> str:
        return f"<RequestHead {self.method} {shown(self.target)} {len(self.headers)} fields>"


class ResponseHead:
    """The head of a response.

    Attributes:
        version: of the server; 1.2 to 1.9 count as 1.1.
        status: 100 to 999.
        reason: as it came, often empty; ISO-8859-1.
        headers: the fields in order, with their original spelling, read-only.
        keep_alive: whether the server would use the connection again.
        chunked: whether the body has chunked framing.
        content_length: what the server announced, in bytes, or None.
    """

    __slots__ = (
        "chunked",
        "content_length",
        "headers",
        "keep_alive",
        "reason",
        "status",
        "version",
    )

    def __init__(  # noqa: PLR0917
        self,
        version: HttpVersion,
        status: int,
        reason: str,
        headers: CIMultiDictProxy[str],
        keep_alive: bool = True,
        chunked: bool = False,
        content_length: int | None = None,
    ) -> None:
        self.version = version
        self.status = status
        self.reason = reason
        self.headers = headers
        self.keep_alive = keep_alive
        self.chunked = chunked
        self.content_length = content_length

    def __repr__(self) -> str:
        return f"<ResponseHead {self.status} {shown(self.reason)} {len(self.headers)} fields>"


class _Hosts(dict[str, None]):
    """Values of Host that have been found valid; bounded like the field lines."""

    __slots__ = ()

    HOSTS = 1024

    def __missing__(self, host: str) -> None:
        validate_host(host)
        if len(self) >= self.HOSTS:
            self.clear()
        self[host] = None


_check_host = _Hosts().__getitem__


def validate_host(host: str) -> None:
    """Refuse a Host that is no ``uri-host [":" port]`` (RFC 9110, section 7.2).

    An empty one is valid: it says that the target has no authority.

    Raises:
        BadHost: if a character in it would end an authority, what is in brackets
            is no IPv6 address, or the port is no number up to 65535. A server
            answers 400.
    """
    if host and split_authority(host) is None:
        raise BadHost(f"expected Host to be 'name' or 'name:port', got {shown(host)}", host=host)


# What clients repeat: blocks of fields, of which none needs a thought but Host, and whole
# heads of such, unless their target has a query, which may hold secrets. Of HTTP/1.1 alone.
_KNOWN = 1024
_KNOWN_LENGTH = 1024
_known_blocks: dict[bytes, CIMultiDictProxy[str]] = {}
_known_heads: dict[bytes, RequestHead] = {}


def known_request_head(data: bytes, limits: Limits) -> RequestHead | None:
    """Return the head of a request that was met before, or its fields as one block; else None.

    ``data`` is that head then, and nothing else. Takes 0.15 µs where all of it is known,
    whatever its length; 0.7 where its fields are, instead of 1.5 with one and 2.7 with a
    browser's twelve.
    """
    if len(data) > _KNOWN_LENGTH:
        return None  # before it is hashed: a body may be behind it
    head = _known_heads.get(data)
    if head is None:
        if not data.endswith(b"\r\n\r\n"):
            return None  # before a body is hashed as a part of it
        line, _, block = data.partition(b"\r\n")
        headers = _known_blocks.get(block)
        if headers is None or (head := _head_of_line(line, headers)) is None:
            return None
        if b"?" not in line:
            head.derived = {}
            _keep(_known_heads, data, head)
    if len(data) > limits.unchecked_head or len(head.headers) > limits.fields:
        return None  # what is known may be too much here
    return head


def _head_of_line(octets: bytes, headers: CIMultiDictProxy[str]) -> RequestHead | None:
    """Return the head of these fields, if nothing is unusual about its request line."""
    line = octets.decode("latin-1")
    words = _usual_words(line)
    if words is None or words[2] is not HttpVersion11:
        return None
    if not (line.isascii() and line.isprintable()):
        return None
    return RequestHead(*words, headers)


def _keep(known: dict[bytes, _T], data: bytes, what: _T) -> None:
    """Keep a few of those met; who is full starts anew."""
    if len(known) >= _KNOWN:
        known.clear()
    known[data] = what


def _keep_block(data: bytes, head: RequestHead) -> None:
    """Keep the fields of a head as one block, if they say nothing about the connection."""
    if (
        head.version is not HttpVersion11
        or not head.keep_alive
        or head.chunked
        or head.content_length is not None
        or head.upgrade
        or head.expect_continue
    ):
        return
    _, _, block = data.partition(b"\r\n")
    if len(block) <= _KNOWN_LENGTH:
        _keep(_known_blocks, block, head.headers)


def parse_request_head(data: bytes, limits: Limits = DEFAULT_LIMITS) -> RequestHead:
    """Return what the head of a request says.

    ``data`` is the whole head, from the first byte of the request line to the
    empty line that ends it, CRLF included.

    Raises:
        RemoteProtocolError: one of its subclasses, with the status to answer:
            400, 414, 417, 431, 501 or 505. Where the head is hurt is never
            tried again further on: nothing after it can be trusted.
    """
    head = known_request_head(data, limits) or _plain_request(data, limits)
    return head or _request(*_any_request_parts(data, limits))


def _plain_request(data: bytes, limits: Limits) -> RequestHead | None:
    parts = plain_parts(data, limits)
    if parts is None:
        return None
    line, fields, is_kept = parts
    head = _request(line, fields)
    if is_kept:
        _keep_block(data, head)
    return head


def take_request_head(
    data: bytes, limits: Limits = DEFAULT_LIMITS, *, is_alone: bool = True, is_new: bool = False
) -> tuple[RequestHead, int] | None:
    """Return the head at the start of ``data``, and where it ends; None if its end hasn't come.

    ``is_alone`` and ``is_new`` are guesses, for speed only: that nothing is behind the head,
    and that ``known_request_head`` was asked for it in vain.

    Raises:
        RemoteProtocolError: as ``parse_request_head``.
    """
    # To find out by parsing it that the data is one head, and nothing else, costs
    # nothing; to search for its end takes 0.4 µs of a browser's 4.
    if is_alone:
        known = None if is_new else known_request_head(data, limits)
        head = known or _plain_request(data, limits)
        if head is not None:
            return head, len(data)
    end = find_request_end(data)
    return None if end < 0 else (parse_request_head(data[:end], limits), end)


def refused_request_head(data: bytes) -> RequestHead:
    """Return a head that stands for a refused one, of which ``data`` came: its request line.

    Without any field; and where the line isn't right either, or not complete, with
    method ``"UNKNOWN"`` and target ``"/"``, for the logs. Only HEAD is told from that:
    its refusal must have no body (RFC 9110, section 9.3.2).
    """
    line, end, _ = data.removeprefix(b"\r\n").partition(b"\r\n")
    method, target, version = "UNKNOWN", "/", HttpVersion11
    try:
        if end and len(line) <= DEFAULT_LIMITS.line:
            method, target, version = _request_line(line.decode("latin-1"))
    except RemoteProtocolError:
        pass
    if method == "UNKNOWN" and line.startswith(b"HEAD "):
        method = "HEAD"
    nothing: CIMultiDict[str] = CIMultiDict()
    return RequestHead(method, target, version, CIMultiDictProxy(nothing), keep_alive=False)


def _any_request_parts(data: bytes, limits: Limits) -> tuple[str, list[tuple[str, str]]]:
    lines = data.decode("latin-1").split("\r\n")
    _check_whole(data, lines)
    _check_sizes(data, lines, limits, TargetTooLong)
    _request_line(lines[0])  # if both are wrong, the first line explains more
    return lines[0], [*map(parse_field_line, lines[1:-2])]


def _request(line: str, fields: list[tuple[str, str]]) -> RequestHead:
    """Put a head together, and refuse what its parts make of it.

    ``line`` is printable ASCII, or was taken apart before.
    """
    method, target, version = _usual_words(line) or _request_line(line)
    headers = CIMultiDict(fields)
    hosts = headers.getall(_HOST, ())
    if len(hosts) == 1:
        _check_host(hosts[0])
    elif hosts or version is HttpVersion11:
        raise BadHost(f"expected one Host field in a request, got {len(hosts)}")
    head = RequestHead(method, target, version, CIMultiDictProxy(headers))
    if _CONTENT_LENGTH in headers or _TRANSFER_ENCODING in headers:
        _request_framing(head)
    if connection := headers.getall(_CONNECTION, None):
        if len(connection) > 1 or connection[0] not in _ONLY_KEEP_ALIVE:
            _connection_options(head, connection)
    elif version is HttpVersion10:
        head.keep_alive = False
    if _EXPECT in headers:
        head.expect_continue = _expects_continue(head)
    return head


def _usual_words(line: str) -> tuple[str, str, HttpVersion] | None:
    """Take a request line apart that is as nearly all are; None for others, and for wrong ones."""
    words = line.split(" ")
    if len(words) != 3:
        return None
    method, target, protocol = words
    version = _VERSIONS.get(protocol)
    if version is None or method not in _USUAL_METHODS or target[:1] != "/" or "#" in target:
        return None
    return method, target, version


def _request_line(line: str) -> tuple[str, str, HttpVersion]:
    """Take a request line apart (RFC 9112, section 3)."""
    try:
        method, target, protocol = line.split(" ")
    except ValueError:  # not three words
        raise BadRequestLine(
            f"expected 'METHOD target HTTP/1.1', with single spaces, got {shown(line)}", line=line
        ) from None
    if not is_token(method):
        raise BadRequestLine(f"expected a token as method, got {shown(method)}", line=line)
    version = _VERSIONS.get(protocol)
    if version is None:
        raise _why_no_version(protocol, BadRequestLine(_NO_VERSION % shown(protocol), line=line))
    validate_target(method, target, line)
    return method, target, version


_NO_VERSION = "expected HTTP/1.1 or HTTP/1.0 as version, got %s"


def _why_no_version(
    protocol: str, malformed: BadRequestLine | BadStatusLine
) -> BadRequestLine | BadStatusLine | UnsupportedVersion:
    """Tell another version of HTTP (505) from what is no version at all."""
    if re.fullmatch(r"HTTP/[0-9]\.[0-9]", protocol):
        return UnsupportedVersion(malformed.message, version=protocol)
    return malformed


def validate_target(method: str, target: str, line: str = "") -> None:
    """Refuse a target in none of the forms that its method may have (RFC 9112, section 3.2).

    A path with its query for all methods but CONNECT, an absolute URI for a
    proxy, ``*`` for OPTIONS, host and port for CONNECT. ``line`` is for the error.

    Raises:
        BadRequestLine: for another form, or what isn't printable ASCII without
            space and fragment. A server answers 400.
        BadHost: if the authority of an absolute URI is none.
    """
    if not (target.isascii() and target.isprintable()) or " " in target or "#" in target:
        raise BadRequestLine(
            f"expected a target of printable ASCII without space and fragment, got {shown(target)}",
            line=line,
        )
    if target[:1] != "/" or method == "CONNECT":
        _check_unusual_target(method, target, line)


def _check_unusual_target(method: str, target: str, line: str) -> None:
    if method == "CONNECT":
        authority = split_authority(target)
        if authority is None or not int(authority[1] or 0):
            raise BadRequestLine(
                f"expected host:port as target of CONNECT, got {shown(target)}", line=line
            )
        return
    if target == "*" and method == "OPTIONS":
        return
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise BadRequestLine(
            f"expected a target that begins with / or http://, got {shown(target)}", line=line
        )
    host = re.split(r"[/?]", rest, maxsplit=1)[0]
    if not host:
        raise BadRequestLine(f"expected a host in the target {shown(target)}", line=line)
    validate_host(host)


def _request_framing(head: RequestHead) -> None:
    """Set how the body ends, or refuse what leaves doubt (RFC 9112, sections 6.1 to 6.3).

    A second Content-Type leaves doubt about what the body is: some readers take the first,
    others the last (RFC 9110, section 8.3).
    """
    types = head.headers.getall(_CONTENT_TYPE, ())
    if len(types) > 1:
        raise InvalidHeader(
            f"expected one Content-Type in a request, got {len(types)}", name="Content-Type"
        )
    lengths: list[str] = head.headers.getall(_CONTENT_LENGTH, [])
    if _TRANSFER_ENCODING in head.headers:
        _check_chunked(head)
        if lengths:
            raise FramingError("both Content-Length and Transfer-Encoding in one request")
        head.chunked = True
        return
    if len(lengths) > 1:
        raise FramingError(f"expected one Content-Length in a request, got {len(lengths)}")
    head.content_length = _parse_length(lengths[0])


def _check_chunked(head: RequestHead | ResponseHead) -> None:
    """Refuse every Transfer-Encoding but one ``chunked``, in HTTP/1.1 (RFC 9112, section 6.1).

    Where ``chunked`` comes last, the end of the body would be known and only its
    coding is not (501); where it doesn't, nothing is known (400, section 6.3).
    """
    codings = head.headers.getall(_TRANSFER_ENCODING)
    if head.version is HttpVersion10:
        raise FramingError("Transfer-Encoding in an HTTP/1.0 message")
    if len(codings) == 1 and codings[0].lower() == "chunked":
        return
    text = ", ".join(codings)
    members = list_members(codings)
    if len(members) < 2 or members[-1] != "chunked" or members.count("chunked") > 1:
        raise FramingError(f"expected Transfer-Encoding: chunked, got {shown(text)}")
    raise UnknownTransferCoding(
        f"expected Transfer-Encoding to be exactly chunked, got {shown(text)}", coding=text
    )


def _parse_length(text: str) -> int:
    """Return a Content-Length in bytes: ASCII digits and nothing else (RFC 9110, section 8.6)."""
    # Eighteen digits: more than anybody can send, and int() stays quick.
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise FramingError(f"expected digits as Content-Length, got {shown(text)}")
    return int(text)


def _connection_options(head: RequestHead | ResponseHead, values: Sequence[str]) -> None:
    """Set what Connection says, as a list over all its lines (RFC 9110, section 7.6.1)."""
    options = list_members(values)
    if "close" in options:
        head.keep_alive = False
    elif head.version is HttpVersion10:
        head.keep_alive = "keep-alive" in options
    if "upgrade" in options and isinstance(head, RequestHead) and head.version is HttpVersion11:
        # HTTP/1.0 can't upgrade (RFC 9110, section 7.8).
        head.upgrade = ", ".join(head.headers.getall(_UPGRADE, ()))


def _expects_continue(head: RequestHead) -> bool:
    """Whether the client waits for 100; any other expectation is refused.

    An HTTP/1.0 client can't wait for it: ignored (RFC 9110, section 10.1.1).
    """
    if head.version is HttpVersion10:
        return False
    expectations = list_members(head.headers.getall(_EXPECT))
    unknown = [e for e in expectations if e != "100-continue"]
    if unknown:
        raise UnknownExpectation(
            f"expected Expect to be 100-continue, got {shown(unknown[0])}", expectation=unknown[0]
        )
    return bool(expectations) and (head.chunked or bool(head.content_length))


def parse_response_head(data: bytes, limits: Limits = DEFAULT_LIMITS) -> ResponseHead:
    """Return what the head of a response says.

    ``data`` is the whole head, from the first byte of the status line to the
    empty line that ends it, line ends included. From a server, a bare LF is
    taken for a line end (RFC 9112, section 2.2), a folded value is read with a
    space in place of the fold (section 5.2), and a Content-Length that is
    repeated is taken once (section 6.3).

    Raises:
        RemoteProtocolError: one of its subclasses; the connection can't be used again.
    """
    parts = plain_parts(data, limits) or _any_response_parts(data, limits)
    version, status, reason = _status_line(parts[0])
    headers = CIMultiDict(parts[1])
    head = ResponseHead(version, status, reason, CIMultiDictProxy(headers))
    if _TRANSFER_ENCODING in headers:
        _check_chunked(head)
        if _CONTENT_LENGTH in headers:
            raise FramingError("both Content-Length and Transfer-Encoding in one response")
        head.chunked = True
    elif _CONTENT_LENGTH in headers:
        head.content_length = _repeated_length(headers.getall(_CONTENT_LENGTH))
    if connection := headers.getall(_CONNECTION, None):
        _connection_options(head, connection)
    elif version is HttpVersion10:
        head.keep_alive = False
    return head


def _any_response_parts(data: bytes, limits: Limits) -> tuple[str, list[tuple[str, str]]]:
    text = data.decode("latin-1")
    lines = re.split("\r?\n", text)
    _check_whole(data, lines)
    _check_sizes(data, lines, limits, LineTooLong)
    if "\n " in text or "\n\t" in text:
        lines = _unfold(lines)
    _status_line(lines[0])  # if both are wrong, the first line explains more
    return lines[0], [*map(parse_field_line, lines[1:-2])]


def _unfold(lines: list[str]) -> list[str]:
    """Join each folded field line with what it continues (RFC 9112, section 5.2)."""
    if lines[1][:1] in (" ", "\t"):
        raise InvalidHeader("white space before the first field of a response")
    # One SP or more for a fold. White space before it is left alone: a pattern that
    # begins with it takes quadratic time on long runs of it.
    return re.sub("\n[ \t]+", " ", "\n".join(lines)).split("\n")


@lru_cache(maxsize=128)  # a server says the same few things: 0.1 µs instead of 0.9
def _status_line(line: str) -> tuple[HttpVersion, int, str]:
    """Take a status line apart (RFC 9112, section 4); an absent reason phrase is empty."""
    protocol, _, rest = line.partition(" ")
    status, _, reason = rest.partition(" ")
    version = _VERSIONS.get(protocol)
    if version is None:
        raise _why_no_version(protocol, BadStatusLine(_NO_VERSION % shown(protocol), line=line))
    if not (len(status) == 3 and status.isascii() and status.isdigit() and status >= "100"):
        raise BadStatusLine(
            f"expected 'HTTP/1.1 status reason' with three digits, got {shown(line)}", line=line
        )
    if not reason.isprintable() and re.search(r"[\x00-\x08\x0a-\x1f\x7f]", reason):
        raise BadStatusLine(f"control character in the reason phrase of {shown(line)}", line=line)
    return version, int(status), reason


def _repeated_length(values: list[str]) -> int:
    """Return the one Content-Length that all lines and members agree on."""
    if len(values) == 1 and "," not in values[0]:
        return _parse_length(values[0])
    members = {member.strip(" \t") for value in values for member in value.split(",")}
    if len(members) != 1:
        raise FramingError(f"differing Content-Length: {shown(', '.join(values))}")
    return _parse_length(members.pop())


def _check_whole(data: bytes, lines: list[str]) -> None:
    """Refuse what isn't a head up to the end of its empty line: its last field would get lost."""
    if len(lines) < 3 or lines[-1] or lines[-2]:
        raise BadHttpMessage(f"expected a head that ends in an empty line, got {shown(data)}")


def _check_sizes(
    data: bytes, lines: list[str], limits: Limits, first_line_error: type[LineTooLong]
) -> None:
    """Refuse a head that exceeds a limit. Called only where it may, so heads pay nothing.

    Lines are counted as they came, folded ones too, so that nobody has to unfold
    them first. The first line comes first: too long a target is 414, whatever follows.
    """
    if len(lines[0]) > limits.line:
        raise _too_long("first line", len(lines[0]), "line", limits.line, first_line_error)
    longest = max(map(len, lines[1:]))
    if longest > limits.field_line:
        raise _too_long("field line", longest, "field_line", limits.field_line, LineTooLong)
    if len(lines) - 3 > limits.fields:
        raise _too_many_fields(len(lines) - 3, limits)
    if len(data) > limits.head:
        raise _too_many_bytes(len(data), limits)


def _too_many_bytes(length: int, limits: Limits) -> HeadTooLarge:
    return HeadTooLarge(
        f"expected a head of at most {limits.head} bytes, got {length}",
        name="head",
        limit=limits.head,
    )


def _too_many_fields(count: int, limits: Limits) -> HeadTooLarge:
    return HeadTooLarge(
        f"expected at most {limits.fields} fields, got {count}",
        name="fields",
        limit=limits.fields,
    )


def _too_long(
    what: str, length: int, name: str, limit: int, error: type[LineTooLong]
) -> LineTooLong:
    return error(
        f"expected a {what} of at most {limit} bytes, got {length}", name=name, limit=limit
    )


class HeadCollector:
    """Collect a head that comes in pieces, and refuse it as soon as it exceeds a limit.

    Most heads come whole and never meet this class. Every byte is looked at
    once, so a peer that sends byte by byte costs no more than its bytes, and no
    more than ``limits.head`` bytes wait for an end.

    A request's lines must end in CRLF; empty lines before it are skipped (RFC
    9112, section 2.2). A response's lines may end in a bare LF.
    """

    __slots__ = ("_buffer", "_is_request", "_limits", "_line_start", "_lines", "_scanned")

    def __init__(self, limits: Limits, *, is_request: bool) -> None:
        self._limits = limits
        self._is_request = is_request
        self._buffer = bytearray()
        self._lines = 0  # complete ones
        self._line_start = 0
        self._scanned = 0

    def __len__(self) -> int:
        """How many bytes wait for the end of their head."""
        return len(self._buffer)

    @property
    def received(self) -> bytes:
        """What waits for the end of its head."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Return the whole head and the bytes behind it, or None if its end hasn't come.

        Raises:
            HeadTooLarge, LineTooLong, TargetTooLong, BadRequestLine, BadStatusLine,
                InvalidHeader: as for a whole head; nothing more may be fed then.
        """
        buffer = self._buffer
        buffer += data
        if not self._is_request and not buffer.startswith(_HTTP):
            self._check_beginning()
        while (end := buffer.find(b"\n", self._scanned)) >= 0:
            if self._is_empty_before_request(end):
                del buffer[: end + 1]
                self._scanned = 0
                continue
            if self._ends_head(end):
                head = bytes(buffer[: end + 1])
                return head, bytes(buffer[end + 1 :])
            self._scanned = self._line_start = end + 1
        self._scanned = len(buffer)
        self._check_line(len(buffer) - self._line_start, complete=False)
        return None

    def _check_beginning(self) -> None:
        """Refuse what isn't HTTP/1: who greets by SSH or HTTP/2 says no more, and waits for us."""
        if not _HTTP.startswith(self._buffer[: len(_HTTP)]):
            raise BadStatusLine(f"expected HTTP/1.1 or HTTP/1.0, got {shown(bytes(self._buffer))}")

    def _is_empty_before_request(self, end: int) -> bool:
        return self._is_request and end == 1 and self._buffer[0] == _CR

    def _ends_head(self, end: int) -> bool:
        """Take in the line that ends at ``end``; whether it was the empty one."""
        buffer = self._buffer
        stop = end - 1 if end and buffer[end - 1] == _CR else end
        if self._is_request and stop == end:
            error = InvalidHeader if self._lines else BadRequestLine
            raise error(
                f"expected CRLF as line end, got a bare LF after "
                f"{shown(bytes(buffer[self._line_start : end]))}"
            )
        if stop > self._line_start:
            self._check_line(stop - self._line_start, complete=True)
            self._lines += 1
            return False
        return True

    def _check_line(self, length: int, *, complete: bool) -> None:
        limits = self._limits
        if self._lines == 0:
            if length > limits.line + (not complete):  # the CR of a line end may be here
                error = TargetTooLong if self._is_request else LineTooLong
                raise _too_long("first line", length, "line", limits.line, error)
        elif length > limits.field_line + (not complete):
            raise _too_long("field line", length, "field_line", limits.field_line, LineTooLong)
        if self._lines > limits.fields + (not complete):
            raise _too_many_fields(self._lines, limits)
        if len(self._buffer) > limits.head and not complete:
            raise _too_many_bytes(len(self._buffer), limits)


def find_request_end(data: bytes) -> int:
    """Return where the request head at the start of ``data`` ends, or -1.

    The end is behind the empty line. Bare LFs are not looked for: the parser
    finds them in the lines. Empty lines before the head are not its end: they,
    too, are left to ``HeadCollector``, which skips them.
    """
    if data[:2] == b"\r\n":
        return -1
    end = data.find(b"\r\n\r\n")
    return end + 4 if end >= 0 else -1


def find_response_end(data: bytes) -> int:
    """Return where the response head at the start of ``data`` ends, or -1.

    The end is behind the first empty line, whichever line ends the server uses.
    """
    end = data.find(b"\n\r\n")
    bare = data.find(b"\n\n", 0, end + 1 if end >= 0 else len(data))
    if bare >= 0:
        return bare + 2
    return end + 3 if end >= 0 else -1
