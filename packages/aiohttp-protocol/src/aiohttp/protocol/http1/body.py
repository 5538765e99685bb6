"""Where a body ends, and how its bytes are framed in between (RFC 9112, sections 6 and 7).

Pure, and the same for both sides. ``body_framing`` decides; a decoder
(``LengthBody``, ``ChunkedBody``, ``CloseBody``) takes the content out of
whatever pieces the bytes come in; a writer (``LengthWriter``, ``ChunkedWriter``,
``CloseWriter``) puts content on the wire.

No decoder allocates by a number that the peer merely announces: what is kept
between two pieces of input is one unfinished line, and lines are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from itertools import takewhile
from operator import eq
from typing import Literal, TypeAlias

from multidict import CIMultiDict, CIMultiDictProxy

from ..errors import (
    BodyTooLarge,
    ChunkError,
    HeadTooLarge,
    IncompleteRead,
    InvalidHeader,
    LineTooLong,
    LocalProtocolError,
)
from ..headers import parse_field_line, shown
from ..limits import DEFAULT_LIMITS, Limits
from .encode import encode_field

__all__ = [
    "BodyDecoder",
    "BodyWriter",
    "ChunkedBody",
    "ChunkedWriter",
    "CloseBody",
    "CloseWriter",
    "FORBIDDEN_TRAILERS",
    "Framing",
    "LengthBody",
    "LengthWriter",
    "body_decoder",
    "body_framing",
    "body_writer",
]

Framing: TypeAlias = int | Literal["chunked", "close"]
"""How a body ends: after so many bytes (0: no body), by its last chunk, with its connection."""

Data: TypeAlias = bytes | bytearray | memoryview

# What would change how a message is framed, routed, authenticated or processed
# if it came after the fact (RFC 9110, section 6.5.1, with the groups that RFC
# 7230, section 4.1.2 lists). In lower case.
FORBIDDEN_TRAILERS = frozenset({
    "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",  # framing and the connection
    "host", "max-forwards",  # routing
    "cache-control", "expect", "if-match", "if-modified-since", "if-none-match", "if-range",
    "if-unmodified-since", "pragma", "range",  # controls and conditions of a request
    "authorization", "cookie", "proxy-authenticate", "proxy-authorization", "set-cookie",
    "www-authenticate",  # authentication and state
    "age", "date", "expires", "location", "retry-after", "vary", "warning",  # response control
    "content-encoding", "content-range", "content-type",  # how to read the content
})  # fmt: skip

_NO_TRAILERS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())


def body_framing(
    *, status: int | None, method: str, chunked: bool, content_length: int | None
) -> Framing:
    """Return how the body of a message ends: RFC 9112, section 6.3, in its order.

    ``status`` is None for a request; ``method`` is the request's, for a response
    too. ``chunked`` and ``content_length`` are what the head says; heads that say
    both, or something else, are refused where they are parsed (rules 3 to 5).
    """
    if status is not None:
        # 1. These have no body, whatever their fields say.
        if method == "HEAD" or status < 200 or status in (204, 304):
            return 0
        # 2. What follows is a tunnel, not a body.
        if method == "CONNECT" and status < 300:
            return 0
    if chunked:  # 4.
        return "chunked"
    if content_length is not None:  # 6.
        return content_length
    # 7. A request that announces nothing has no body; 8. a response ends with its connection.
    return 0 if status is None else "close"


class LengthBody:
    """Decode a body of known length (RFC 9112, section 6.2); 0 for no body.

    Attributes:
        received: how many bytes of content came so far.
        is_complete: whether all of them came.
        trailers: empty.

    Raises:
        BodyTooLarge: at once, if more is announced than ``limits.body``.
    """

    __slots__ = ("_length", "is_complete", "received")

    trailers = _NO_TRAILERS

    def __init__(self, length: int, limits: Limits = DEFAULT_LIMITS) -> None:
        if limits.body is not None and length > limits.body:
            raise _too_large(limits.body, f"Content-Length: {length}")
        self._length = length
        self.received = 0
        self.is_complete = length == 0

    def __repr__(self) -> str:
        return f"<LengthBody {self.received} of {self._length} bytes>"

    def decode(self, data: bytes | memoryview) -> tuple[bytes, int]:
        """Return the content in ``data``, and how many of its bytes belong to this body.

        ``bytes`` that belong to the body as a whole are returned as they are:
        nothing is copied.
        """
        size = self.take(len(data))
        return bytes(data[:size]), size

    def take(self, size: int) -> int:
        """Count ``size`` bytes that came; return how many of them belong to this body.

        ``decode`` without the bytes: for content that is received straight into
        its final buffer.
        """
        left = self._length - self.received
        if size >= left:
            self.is_complete = True
            size = left
        self.received += size
        return size

    @property
    def remaining(self) -> int:
        """How many bytes are still to come."""
        return self._length - self.received

    def end(self) -> None:
        """Tell that the peer closed.

        Raises:
            IncompleteRead: if bytes are missing.
        """
        if not self.is_complete:
            raise IncompleteRead(
                f"expected a body of {self._length} bytes, "
                f"the connection was closed after {self.received}",
                received=self.received,
                expected=self._length,
            )


class CloseBody:
    """Decode a body that ends with its connection (RFC 9112, section 6.3, rule 8).

    Attributes:
        received: how many bytes of content came so far.
        is_complete: whether the peer closed.
        trailers: empty.
    """

    __slots__ = ("_limit", "is_complete", "received")

    trailers = _NO_TRAILERS

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limit = limits.body
        self.received = 0
        self.is_complete = False

    def __repr__(self) -> str:
        return f"<CloseBody {self.received} bytes{' complete' if self.is_complete else ''}>"

    def decode(self, data: bytes | memoryview) -> tuple[bytes, int]:
        """Return all of ``data``, and its length.

        Raises:
            BodyTooLarge: beyond ``limits.body``.
        """
        if self.is_complete:
            return b"", 0
        self.received += len(data)
        if self._limit is not None and self.received > self._limit:
            raise _too_large(self._limit, f"{self.received} or more")
        return bytes(data), len(data)

    def end(self) -> None:
        """Tell that the peer closed: this is how the body ends."""
        self.is_complete = True


class _Part(Enum):
    """The part of a chunked body that comes next, in the order of RFC 9112, section 7.1."""

    LINE = "a chunk line"
    DATA = "chunk data"
    DATA_END = "CRLF after chunk data"
    TRAILERS = "the trailer section"
    NOTHING = "nothing"


# chunk-ext = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ), RFC 9112,
# section 7.1.1. Of each choice the next octet decides, so that a line that fails, fails in
# linear time. Only repeats of single octets are possessive: with groups, which may do without,
# Python before 3.11.5 accepts what doesn't match (gh-106052), and Debian 12 has 3.11.2.
_CHUNK_LINE = re.compile(
    rb"""
    ([0-9A-Fa-f]{1,16}+)
    (?: [ \t]*+ ; [ \t]*+ [!#$%&'*+\-.^_`|~0-9A-Za-z]++
        (?: [ \t]*+ = [ \t]*+
            (?: [!#$%&'*+\-.^_`|~0-9A-Za-z]++
            |   " [\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]*+
                (?: \\[\t \x21-\x7e\x80-\xff] [\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]*+ )* "
            )
        )?
    )*
    """,
    re.VERBOSE,
)


_HEX_DIGITS = b"0123456789ABCDEFabcdef"

# Chunk lines of chunks that are smaller than the work of finding them, with their sizes.
_TINY_SIZES = {spelling % size: size for spelling in (b"%x", b"%X") for size in range(1, 257)}
_tiny_size_of = _TINY_SIZES.get


class ChunkedBody:
    """Decode a chunked body (RFC 9112, section 7.1).

    Lines end in CRLF and in nothing else. Extensions are checked, counted and
    ignored.

    Attributes:
        received: how many bytes of content came so far.
        trailers: what stood in the trailer section; empty until the body is
            complete. Not to be merged with the fields of the head (RFC 9110,
            section 6.5.1).
    """

    __slots__ = (
        "_announced",
        "_extensions",
        "_fields",
        "_left",
        "_limits",
        "_next",
        "_rest",
        "_size",
        "_trailer_bytes",
        "received",
        "trailers",
    )

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._next = _Part.LINE
        self._rest = b""  # input that is no whole line yet
        self._size = 0  # of the chunk that is under way, in bytes
        self._left = 0  # how much of it is still to come
        self._announced = 0  # bytes of data, by all chunk lines so far
        self._extensions = 0  # bytes of them, in all chunks
        self._fields: CIMultiDict[str] = CIMultiDict()
        self._trailer_bytes = 0
        self.received = 0
        self.trailers = _NO_TRAILERS

    def __repr__(self) -> str:
        return f"<ChunkedBody {self.received} bytes, {self._next.value} next>"

    @property
    def is_complete(self) -> bool:
        """Whether the end of the trailer section came."""
        return self._next is _Part.NOTHING

    def decode(self, data: bytes | memoryview) -> tuple[bytes, int]:
        """Return the content in ``data``, and how many of its bytes belong to this body.

        That is all of them, unless the body ends in between. The content may be
        empty: framing alone came.

        Raises:
            ChunkError: if the framing is malformed, or exceeds ``limits.chunk_line``
                or ``limits.chunk_extensions``. A server answers 400.
            BodyTooLarge: as soon as chunks announce more than ``limits.body``.
            InvalidHeader, LineTooLong, HeadTooLarge: for trailers, as in a head.
        """
        if self.is_complete:
            return b"", 0
        before = len(self._rest)
        buffer = self._rest + data if before else bytes(data)
        pieces: list[bytes] = []
        position = self._understand(buffer, pieces)
        content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.received += len(content)
        if self._next is _Part.NOTHING:
            self._rest = b""
            return content, position - before
        self._rest = buffer[position:]
        return content, len(data)

    def _understand(self, buffer: bytes, pieces: list[bytes]) -> int:
        """Append content to ``pieces``; return how far ``buffer`` is understood."""
        position = self._resume_chunk(buffer, pieces)
        if self._next is _Part.LINE:
            position = self._decode_tiny_chunks(buffer, position, pieces)
            position = self._decode_chunks(buffer, position, pieces)
        if self._next is _Part.TRAILERS:
            position = self._decode_trailers(buffer, position)
        return position

    def _resume_chunk(self, buffer: bytes, pieces: list[bytes]) -> int:
        """Take from ``buffer`` what the chunk under way still needs; return how much that is."""
        position = 0
        if self._next is _Part.DATA:
            piece = buffer[: self._left]
            pieces.append(piece)
            position = len(piece)
            self._left -= position
            if not self._left:
                self._next = _Part.DATA_END
        if self._next is _Part.DATA_END:
            found = buffer[position : position + 2]
            if found == b"\r\n":
                self._next = _Part.LINE
                position += 2
            elif found not in (b"", b"\r"):
                raise ChunkError(
                    f"expected CRLF after {self._size} bytes of chunk data, got {shown(found)}"
                )
        return position

    def _decode_tiny_chunks(self, buffer: bytes, position: int, pieces: list[bytes]) -> int:
        """Take chunks from the front as long as they are tiny and contain no CRLF.

        Nothing here is needed but for speed: ``_decode_chunks`` would take them, too.
        ``split`` guesses that every CRLF is framing, and a chunk proves the guess if its
        line announces just the length of the piece behind it. All loops are in C: for
        5-byte chunks in a 64 KiB buffer 0.07 µs a chunk instead of 0.43. Tried once per
        input, so that many wrong guesses can't cost more than one pass over it.
        """
        line_end = buffer.find(b"\r\n", position, position + 5)
        if line_end < 0 or buffer[position:line_end] not in _TINY_SIZES:
            return position
        parts = buffer[position:].split(b"\r\n")
        lines, data = parts[0:-2:2], parts[1:-1:2]  # there is no CRLF behind the last part
        sizes, lengths = list(map(_tiny_size_of, lines)), list(map(len, data))
        if sizes != lengths:
            count = len(list(takewhile(bool, map(eq, sizes, lengths))))
            del lines[count:], data[count:], lengths[count:]
        size = sum(lengths)
        self._announce(size)
        pieces += data
        return position + size + sum(map(len, lines)) + 4 * len(lines)

    def _decode_chunks(self, buffer: bytes, position: int, pieces: list[bytes]) -> int:
        """Take chunks one by one, up to the last chunk or what ``buffer`` has not whole."""
        while (line_end := buffer.find(b"\r\n", position)) >= 0:
            size = self._read_line(buffer[position:line_end])
            position = line_end + 2
            if not size:
                self._next = _Part.TRAILERS
                return position
            self._announce(size)
            data_end = position + size
            if not buffer.startswith(b"\r\n", data_end):
                self._next, self._size, self._left = _Part.DATA, size, size
                return position + self._resume_chunk(buffer[position:], pieces)
            pieces.append(buffer[position:data_end])
            position = data_end + 2
        self._check_unfinished_line(buffer, position)
        return position

    def _announce(self, size: int) -> None:
        """Count what chunk lines announce, which comes before the data does."""
        self._announced += size
        limit = self._limits.body
        if limit is not None and self._announced > limit:
            raise _too_large(limit, f"chunks of {self._announced} or more")

    def _read_line(self, line: bytes) -> int:
        """Return the size that a chunk line announces, in bytes."""
        # int() alone would take +5, 5_0 and 0x5. Most lines are digits and nothing else.
        if 1 <= len(line) <= 16 and not line.translate(None, _HEX_DIGITS):
            return int(line, 16)
        if len(line) > self._limits.chunk_line:
            raise _long_chunk_line(self._limits.chunk_line)
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise ChunkError(
                f"expected 1 to 16 hex digits and well-formed extensions, got {shown(line)}"
            )
        self._extensions += len(line) - match.end(1)
        if self._extensions > self._limits.chunk_extensions:
            raise ChunkError(
                "expected at most "
                f"{self._limits.chunk_extensions} bytes of chunk extensions in a body, got more"
            )
        return int(match[1], 16)

    def _check_unfinished_line(self, buffer: bytes, position: int) -> None:
        """Refuse a chunk line that can't become valid any more, though its end is missing."""
        limit = self._limits.chunk_line
        length = len(buffer) - position - buffer.endswith(b"\r")
        if length > limit:
            raise _long_chunk_line(limit)
        if buffer.find(b"\n", position) >= 0:
            raise ChunkError(f"bare LF in the chunk line {shown(buffer[position:])}")

    def _decode_trailers(self, buffer: bytes, position: int) -> int:
        """Take field lines up to the empty one; return how far ``buffer`` is understood."""
        while (line_end := buffer.find(b"\r\n", position)) >= 0:
            self._check_trailer_sizes(line_end - position, 2)
            line = buffer[position:line_end]
            position = line_end + 2
            if not line:
                self._next = _Part.NOTHING
                self.trailers = CIMultiDictProxy(self._fields)
                return position
            self._trailer_bytes += len(line) + 2
            self._add_trailer(line)
        self._check_trailer_sizes(len(buffer) - position - buffer.endswith(b"\r"), 0)
        if buffer.find(b"\n", position) >= 0:
            raise InvalidHeader(f"bare LF in the trailer line {shown(buffer[position:])}")
        return position

    def _add_trailer(self, line: bytes) -> None:
        name, value = parse_field_line(line.decode("latin-1"))
        if name.lower() in FORBIDDEN_TRAILERS:
            raise InvalidHeader(f"field {shown(name)} must not come as a trailer", name=name)
        limit = self._limits.fields
        if len(self._fields) >= limit:
            raise HeadTooLarge(
                f"expected at most {limit} trailers, got more", name="fields", limit=limit
            )
        self._fields.add(name, value)

    def _check_trailer_sizes(self, length: int, line_end: int) -> None:
        limits = self._limits
        if self._trailer_bytes + length + line_end > limits.trailers:
            raise HeadTooLarge(
                f"expected a trailer section of at most {limits.trailers} bytes, got more",
                name="trailers",
                limit=limits.trailers,
            )
        if length > limits.field_line:
            raise LineTooLong(
                f"expected a trailer line of at most {limits.field_line} bytes, got more",
                name="field_line",
                limit=limits.field_line,
            )

    def end(self) -> None:
        """Tell that the peer closed.

        Raises:
            IncompleteRead: if the last chunk or the end of the trailer section is missing.
        """
        if self._next is not _Part.NOTHING:
            raise IncompleteRead(
                f"expected {self._next.value}, the connection was closed "
                f"after {self.received} bytes of a chunked body",
                received=self.received,
            )


def _too_large(limit: int, announced: str) -> BodyTooLarge:
    return BodyTooLarge(
        f"expected a body of at most {limit} bytes, got {announced}", name="body", limit=limit
    )


def _long_chunk_line(limit: int) -> ChunkError:
    return ChunkError(f"expected a chunk line of at most {limit} bytes, got more")


BodyDecoder: TypeAlias = LengthBody | ChunkedBody | CloseBody


def body_decoder(framing: Framing, limits: Limits = DEFAULT_LIMITS) -> BodyDecoder:
    """Return a decoder for what ``body_framing`` said.

    Raises:
        BodyTooLarge: if a length beyond ``limits.body`` is announced.
    """
    if framing == "chunked":
        return ChunkedBody(limits)
    if framing == "close":
        return CloseBody(limits)
    return LengthBody(framing, limits)


class LengthWriter:
    """Frame a body of announced length, and hold the program to it.

    Attributes:
        sent: how many bytes of content were framed so far.
    """

    __slots__ = ("_length", "sent")

    def __init__(self, length: int) -> None:
        self._length = length
        self.sent = 0

    def frame(self, size: int) -> tuple[bytes, bytes]:
        """Return what goes before and behind ``size`` bytes of content: nothing.

        For content that doesn't pass through ``encode``, such as a file sent by
        the kernel.

        Raises:
            LocalProtocolError: if that is more than was announced; nothing is counted then.
        """
        if self.sent + size > self._length:
            raise LocalProtocolError(
                f"expected {self._length} bytes of body, as Content-Length says, "
                f"got {self.sent + size} or more"
            )
        self.sent += size
        return b"", b""

    def encode(self, data: Data) -> Data:
        """Return the bytes that put ``data`` on the wire: ``data`` itself.

        Raises:
            LocalProtocolError: if that is more than was announced; nothing may be sent then.
        """
        self.frame(_size(data))
        return data

    def finish(self, trailers: Iterable[tuple[str, str]] = ()) -> bytes:
        """Return what ends the body: nothing. Trailers have no place here and are dropped.

        Raises:
            LocalProtocolError: if less was sent than announced. The connection must
                be closed then: the peer waits for the rest.
        """
        if self.sent < self._length:
            raise LocalProtocolError(
                f"expected {self._length} bytes of body, as Content-Length says, got {self.sent}"
            )
        return b""


class ChunkedWriter:
    """Frame a body as chunks, one for each piece (RFC 9112, section 7.1).

    Attributes:
        sent: how many bytes of content were framed so far.
    """

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent = 0

    def frame(self, size: int) -> tuple[bytes, bytes]:
        """Return what goes before and behind ``size`` bytes of content.

        Nothing for no content: a chunk of size 0 would end the body.
        """
        if not size:
            return b"", b""
        self.sent += size
        return b"%x\r\n" % size, b"\r\n"

    def encode(self, data: Data) -> bytes:
        """Return the chunk that puts ``data`` on the wire; empty for no data."""
        before, behind = self.frame(_size(data))
        return b"".join((before, data, behind))

    def finish(self, trailers: Iterable[tuple[str, str]] = ()) -> bytes:
        """Return the last chunk, with the trailer section.

        Raises:
            LocalProtocolError: if a trailer can't be put on the wire, or is one that
                recipients must not take from there (RFC 9110, section 6.5.1).
        """
        lines = [b"0\r\n"]
        for name, value in trailers:
            lines.append(encode_field(name, value))
            if name.lower() in FORBIDDEN_TRAILERS:
                raise LocalProtocolError(
                    f"field {shown(name)} must not be sent as a trailer; put it into the head"
                )
        lines.append(b"\r\n")
        return b"".join(lines)


class CloseWriter:
    """Frame a body that ends when we close the connection: content as it is.

    Attributes:
        sent: how many bytes of content were framed so far.
    """

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent = 0

    def frame(self, size: int) -> tuple[bytes, bytes]:
        """Return what goes before and behind ``size`` bytes of content: nothing."""
        self.sent += size
        return b"", b""

    def encode(self, data: Data) -> Data:
        """Return the bytes that put ``data`` on the wire: ``data`` itself."""
        self.sent += _size(data)
        return data

    def finish(self, trailers: Iterable[tuple[str, str]] = ()) -> bytes:
        """Return what ends the body: nothing. Trailers have no place here and are dropped."""
        return b""


def _size(data: Data) -> int:
    # len() of a memoryview counts items, which need not be bytes.
    return data.nbytes if isinstance(data, memoryview) else len(data)


BodyWriter: TypeAlias = LengthWriter | ChunkedWriter | CloseWriter


def body_writer(framing: Framing) -> BodyWriter:
    """Return a writer for what ``body_framing`` said."""
    if framing == "chunked":
        return ChunkedWriter()
    if framing == "close":
        return CloseWriter()
    return LengthWriter(framing)
