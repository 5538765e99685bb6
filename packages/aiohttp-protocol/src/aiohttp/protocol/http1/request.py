"""The head of a request as it goes out: the program's fields, and what HTTP adds to them. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ..errors import LocalProtocolError, RemoteProtocolError
from .body import Framing
from .encode import EncodedFields, encode_request_line
from .head import HttpVersion, HttpVersion11, validate_host

__all__ = ["encode_request_head", "request_framing"]

# Content-Length: 0 tells that the body wasn't forgotten (RFC 9110, section 8.6).
_EXPECTED_TO_HAVE_CONTENT: Final = frozenset({"POST", "PUT", "PATCH"})


def request_framing(
    fields: EncodedFields,
    length: int | None,
    version: HttpVersion = HttpVersion11,
    *,
    in_chunks: bool = False,
) -> Framing:
    """Return how the body of a request is framed (RFC 9112, section 6); 0: there is none.

    ``length`` is the body's, in bytes; None if nobody knows it yet. What the
    program says in ``fields`` is honoured.

    Raises:
        LocalProtocolError: if what is said contradicts itself, or HTTP/1.0 would
            need chunks.
    """
    announced = fields.content_length
    if in_chunks and announced is not None:
        raise LocalProtocolError("a body can't have a Content-Length and be sent in chunks")
    if not in_chunks and not fields.is_chunked:
        if length is None:
            if announced is not None:
                return announced
        elif announced is None or announced == length:
            return length
        else:
            raise LocalProtocolError(f"Content-Length says {announced}, the body has {length}")
    if version < HttpVersion11:
        raise LocalProtocolError("HTTP/1.0 has no chunks: give a Content-Length, or all bytes")
    return "chunked"


def encode_request_head(
    method: str,
    target: str,
    authority: str,
    fields: EncodedFields,
    framing: Framing,
    *,
    version: HttpVersion = HttpVersion11,
    expect_continue: bool = False,
    close: bool = False,
) -> bytes:
    """Return the head of a request, with its empty line.

    Host comes first (RFC 9110, section 7.2), unless ``fields`` have one.

    Raises:
        LocalProtocolError: if a part of it can't be put on the wire.
    """
    head = _opening(method, target, version, None if fields.has_host else authority)
    head += fields.block
    if framing == "chunked":
        head += b"Transfer-Encoding: chunked\r\n"
    elif framing or fields.content_length is not None or method in _EXPECTED_TO_HAVE_CONTENT:
        head += f"Content-Length: {framing}\r\n".encode("ascii")
    if expect_continue:
        head += b"Expect: 100-continue\r\n"
    if close or fields.connection or version != HttpVersion11:
        head += _connection_line(fields.connection, version, close=close)
    return head + b"\r\n"


# Programs ask for the same things again: 0.2 µs instead of 1.5.
@lru_cache(maxsize=512)
def _opening(method: str, target: str, version: HttpVersion, authority: str | None) -> bytes:
    """Return the request line, and the Host line if there is an authority."""
    line = encode_request_line(method, target, version)
    if authority is None:
        return line
    try:
        validate_host(authority)
    except RemoteProtocolError as exc:
        raise LocalProtocolError(exc.message) from exc
    return line + f"Host: {authority}\r\n".encode("ascii")


def _connection_line(options: tuple[str, ...], version: HttpVersion, *, close: bool) -> bytes:
    """Return the Connection field (RFC 9112, section 9.3)."""
    # What was asked for goes on, but for keep-alive: that contradicts close.
    members = [option for option in options if option not in ("close", "keep-alive")]
    if close or "close" in options:
        members.append("close")
    elif version < HttpVersion11 or "keep-alive" in options:
        members.append("keep-alive")
    return f"Connection: {', '.join(members)}\r\n".encode("latin-1")
