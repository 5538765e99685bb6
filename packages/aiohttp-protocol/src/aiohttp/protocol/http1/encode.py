"""Write the head of a request or of a response (RFC 9112, sections 2 to 6).

One validator for everything that goes out: method, target, version, status,
reason, names and values. What must not be on the wire raises
``LocalProtocolError`` before a single byte is made.
"""

from __future__ import annotations

import http
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..errors import BadHttpMessage, LocalProtocolError
from ..headers import (
    is_token,
    list_members,
    may_be_secret,
    require_str,
    shown,
    split_authority,
    validate_field_name,
    validate_field_value,
)
from .head import HttpVersion, HttpVersion10, HttpVersion11, validate_target

__all__ = [
    "CONTINUE",
    "EncodedFields",
    "encode_field",
    "encode_fields",
    "encode_plain_fields",
    "encode_request_line",
    "encode_status_line",
    "reason_of",
]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_REASONS = {status.value: status.phrase for status in http.HTTPStatus} | {
    # As RFC 9110, section 15.5, calls them; Python's own names did so from 3.13 on.
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
_STATUS_LINES = {
    status: f"HTTP/1.1 {status} {reason}\r\n".encode("ascii") for status, reason in _REASONS.items()
}
_REQUEST_VERSIONS = {HttpVersion11: b"HTTP/1.1", HttpVersion10: b"HTTP/1.0"}
_NOT_IN_REASON = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


def reason_of(status: int) -> str:
    """Return the reason phrase that the registry gives a status, or ""."""
    return _REASONS.get(status, "")


def encode_status_line(status: int, reason: str | None = None) -> bytes:
    """Return a status line with its CRLF; the registered reason phrase if None is given.

    Always HTTP/1.1: it says what this server speaks, whatever the client's
    version is (RFC 9110, section 6.2).

    Raises:
        LocalProtocolError: if status isn't 100 to 999, or reason has a control character.
    """
    if reason is None and (line := _STATUS_LINES.get(status)) is not None:
        return line
    if not _is_status(status):
        raise LocalProtocolError(f"a status must be a number from 100 to 999, not {status!r}")
    if reason is None:
        reason = ""
    require_str("a reason phrase", reason)
    if found := _NOT_IN_REASON.search(reason):
        raise LocalProtocolError(
            f"{found[0]!r} in a reason phrase: expected printable ISO-8859-1, got {shown(reason)}"
        )
    return b"HTTP/1.1 %d %b\r\n" % (status, reason.encode("latin-1"))


def _is_status(value: object) -> bool:
    return isinstance(value, int) and 100 <= value <= 999


def encode_request_line(method: str, target: str, version: HttpVersion = HttpVersion11) -> bytes:
    """Return a request line with its CRLF.

    Raises:
        LocalProtocolError: if method is no token, target has none of the forms
            that this method may have, or version isn't 1.1 or 1.0.
    """
    require_str("a method", method)
    require_str("a target", target)
    if not is_token(method):
        raise LocalProtocolError(f"a method must be a token such as 'GET', not {shown(method)}")
    try:
        validate_target(method, target)
    except BadHttpMessage as exc:
        raise LocalProtocolError(exc.message) from exc
    protocol = _REQUEST_VERSIONS.get(version)
    if protocol is None:
        raise LocalProtocolError(f"a version must be (1, 1) or (1, 0), not {version!r}")
    return b"%b %b %b\r\n" % (method.encode("ascii"), target.encode("ascii"), protocol)


class EncodedFields(NamedTuple):
    """Outgoing field lines, and what those among them say that frame the message.

    Attributes:
        block: the lines that are sent as they were given, each with its CRLF.
            Without Content-Length, Transfer-Encoding and Connection: the
            connection writes those itself, by the facts below.
        content_length: what was given, in bytes, or None.
        is_chunked: whether ``Transfer-Encoding: chunked`` was given.
        connection: the members of Connection, in lower case.
        has_date, has_host, has_server: whether these were given.
    """

    block: bytes
    content_length: int | None = None
    is_chunked: bool = False
    connection: tuple[str, ...] = ()
    has_date: bool = False
    has_host: bool = False
    has_server: bool = False


# Names with a meaning for the connection: they take the slow path.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})
_NOTED = {"date": "has_date", "host": "has_host", "server": "has_server"}


class _Lines(dict[tuple[str, str], bytes]):
    """Fields that have been sent, with the validated line that each of them is.

    Bounded as the cache of received lines is; 0.1 µs instead of 1 µs a field.
    The connection's own fields are kept as empty lines, which sends them to the
    slow path.
    """

    __slots__ = ()

    LINES = 2048
    LENGTH = 256
    NOT_KEPT = frozenset({"date", "etag", "last-modified", "location"})

    def __missing__(self, field: tuple[str, str]) -> bytes:
        if not _is_tuple(field):  # a str of two characters could be taken apart, too
            raise TypeError(field)
        name, value = field
        line = encode_field(name, value)
        lower = name.lower()
        if lower in _FRAMING or lower in _NOTED:
            line = b""
        if (
            len(name) + len(value) <= self.LENGTH
            and lower not in self.NOT_KEPT
            and not may_be_secret(lower)
        ):
            if len(self) >= self.LINES:
                self.clear()
            self[field] = line
        return line


_line_of = _Lines().__getitem__


def _is_tuple(value: object) -> bool:
    return isinstance(value, tuple)


def encode_field(name: str, value: str) -> bytes:
    """Return a field line, or a trailer line, with its CRLF.

    Raises:
        LocalProtocolError: if the name or the value can't be sent.
    """
    validate_field_name(name)
    validate_field_value(name, value)
    return _line(name, value)


def _line(name: str, value: str) -> bytes:
    # Not with an f-string: what a subclass of str says of itself (``__str__``, an
    # Enum's name) is not what was validated.
    return b"%b: %b\r\n" % (name.encode("latin-1"), value.encode("latin-1"))


def encode_plain_fields(fields: Sequence[tuple[str, str]]) -> bytes | None:
    """Return the lines of ``fields``, or None if ``encode_fields`` must look at them.

    That is, if one of them has a meaning for the connection. Most responses have
    none, and save 0.3 µs.

    Raises:
        LocalProtocolError: if a name or value can't be sent.
    """
    try:
        if len(fields) == 1:  # Content-Type, in most responses: 0.1 µs instead of 0.2
            return _line_of(fields[0]) or None
        lines = list(map(_line_of, fields))
    except LocalProtocolError:
        raise
    except (TypeError, ValueError) as exc:
        raise LocalProtocolError("fields must be pairs of str") from exc
    return None if b"" in lines else b"".join(lines)


def encode_fields(fields: Iterable[tuple[str, str]]) -> EncodedFields:
    """Return the lines of ``fields`` in order, and what frames the message among them.

    Raises:
        LocalProtocolError: if a name or value can't be sent (see
            ``headers.validate_field_value``), Host is no authority or given
            twice, or the framing ones contradict each other.
    """
    pairs = list(fields)
    block = encode_plain_fields(pairs)
    if block is not None:
        return EncodedFields(block)
    return _encode_with_framing(pairs, list(map(_line_of, pairs)))


def _encode_with_framing(fields: Iterable[tuple[str, str]], lines: list[bytes]) -> EncodedFields:
    """Take out what frames the message. Only where a field of the connection is given."""
    kept: list[bytes] = []
    lengths: list[str] = []
    codings: list[str] = []
    options: list[str] = []
    noted: dict[str, bool] = {}
    for (name, value), line in zip(fields, lines, strict=True):
        lower = name.lower()
        if lower == "content-length":
            lengths.append(value)
        elif lower == "transfer-encoding":
            codings.append(value)
        elif lower == "connection":
            options.append(value)
        elif lower in _NOTED:
            if lower == "host":
                _check_host(value, is_second="has_host" in noted)
            noted[_NOTED[lower]] = True
            kept.append(_line(name, value))
        else:
            kept.append(line)
    length, chunked = _outgoing_framing(lengths, codings)
    return EncodedFields(b"".join(kept), length, chunked, tuple(list_members(options)), **noted)


def _check_host(value: str, *, is_second: bool) -> None:
    if is_second:
        raise LocalProtocolError("more than one Host in a request")
    if value and split_authority(value) is None:
        raise LocalProtocolError(f"Host must be 'name' or 'name:port', not {shown(value)}")


def _outgoing_framing(lengths: list[str], codings: list[str]) -> tuple[int | None, bool]:
    """Check what was given as Content-Length and Transfer-Encoding (RFC 9112, section 6)."""
    members = list_members(codings)
    if codings and members != ["chunked"]:
        raise LocalProtocolError(
            f"Transfer-Encoding must be exactly chunked, not {shown(', '.join(codings))}"
        )
    if members and lengths:
        raise LocalProtocolError("Content-Length and Transfer-Encoding exclude each other")
    if not lengths:
        return None, bool(members)
    text = lengths[0]
    if len(set(lengths)) > 1 or not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise LocalProtocolError(
            f"Content-Length must be one decimal number, not {shown(', '.join(lengths))}"
        )
    return int(text), False
